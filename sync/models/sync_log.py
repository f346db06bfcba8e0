"""SyncLog: one row per poll, read-only for everybody but the poll itself."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from connections.models import Connection


class LogKind(models.TextChoices):
    POLL = "poll", _("Poll")
    RESEND = "resend", _("Resend")
    DELIVERY = "delivery", _("Delivery run")
    DEEP_CHECK = "deep_check", _("Deep check")
    RECONCILIATION = "reconciliation", _("Reconciliation")


class SyncLog(models.Model):
    """What one run found and did: counts are orders, `calls` are HTTP calls to Odoo."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="sync_logs")
    kind = models.CharField(_("kind"), max_length=20, choices=LogKind.choices, default=LogKind.POLL)
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"))
    window_from = models.DateTimeField(_("window from"), null=True, blank=True)
    window_to = models.DateTimeField(_("window to"), null=True, blank=True)
    orders_found = models.PositiveIntegerField(_("found"), default=0)
    orders_sent = models.PositiveIntegerField(_("sent"), default=0)
    orders_failed = models.PositiveIntegerField(_("failed"), default=0)
    orders_skipped = models.PositiveIntegerField(_("skipped"), default=0)
    calls = models.PositiveIntegerField(_("calls to Odoo"), default=0)
    error_code = models.CharField(_("error"), max_length=60, blank=True)
    error_detail = models.CharField(_("detail"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("sync log")
        verbose_name_plural = _("sync logs")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["connection", "-id"], name="synclog_connection"),
            models.Index(fields=["finished_at"], name="synclog_age"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.started_at:%Y-%m-%d %H:%M:%S}"

    @property
    def duration_seconds(self) -> float:
        return (self.finished_at - self.started_at).total_seconds()
