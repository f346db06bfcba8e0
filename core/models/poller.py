"""Pollers that live, how scheduled work went the last time, and work that fails."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from connections.models import Connection


class PollerHeartbeat(models.Model):
    """One `runpoller`, by its own word; it writes every ten seconds, and one that stopped is forgotten."""

    key = models.CharField(max_length=120, primary_key=True)
    host = models.CharField(_("host"), max_length=100)
    process = models.PositiveIntegerField(_("process"))
    version = models.CharField(_("version"), max_length=40)
    workers = models.PositiveIntegerField(_("workers"))
    started_at = models.DateTimeField(_("started at"))
    seen_at = models.DateTimeField(_("last seen"), db_index=True)

    class Meta:
        verbose_name = _("poller")
        verbose_name_plural = _("pollers")

    def __str__(self) -> str:
        return f"{self.host}, {self.process}"


class ScheduleStatus(models.Model):
    """The last run of one schedule, wherever it ran. `result` is what the task returned, as text."""

    name = models.CharField(_("name"), max_length=100, primary_key=True)
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    good_at = models.DateTimeField(_("last good run"), null=True, blank=True)
    result = models.CharField(_("result"), max_length=300, blank=True)
    error = models.CharField(_("error"), max_length=300, blank=True)
    asked_at = models.DateTimeField(_("asked for at"), null=True, blank=True)
    asked_by = models.CharField(_("asked for by"), max_length=150, blank=True)

    class Meta:
        verbose_name = _("scheduled work")
        verbose_name_plural = _("scheduled work")

    def __str__(self) -> str:
        return self.name


class FailingWork(models.Model):
    """Work whose last run failed, of one connection or of none. It goes with the first run that succeeds."""

    name = models.CharField(_("name"), max_length=100)
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="failing_work", null=True, blank=True
    )
    failures = models.PositiveIntegerField(_("failures in a row"), default=1)
    error = models.CharField(_("error"), max_length=60)
    since = models.DateTimeField(_("since"))
    failed_at = models.DateTimeField(_("failed at"))

    class Meta:
        verbose_name = _("failing work")
        verbose_name_plural = _("failing work")
        ordering = ["since"]
        constraints = [
            models.UniqueConstraint(fields=["name", "connection"], name="one_failing_work_of_a_connection"),
            models.UniqueConstraint(
                fields=["name"],
                condition=models.Q(connection__isnull=True),
                name="one_failing_work_of_the_poller",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.error} ×{self.failures}"
