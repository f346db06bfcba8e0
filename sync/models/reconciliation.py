"""Reconciliation: one comparison of a shop with the ledger, with its progress and its verdicts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Case, F, Max, Q, Value, When
from django.utils.translation import gettext_lazy as _

from connections.models import Connection


class Progress(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


STUCK = timedelta(minutes=15)  # longer than a slice may take: whoever did it died over it


class ReconciliationQuerySet(models.QuerySet["Reconciliation"]):
    def due(self, now: datetime) -> ReconciliationQuerySet:
        """Those that wait and whose turn it is; last those whose polls fail: they mostly hang."""
        failing = When(connection__poll_state__failures__gt=0, then=Value(1))
        waiting = self.filter(Q(next_at__isnull=True) | Q(next_at__lte=now), progress=Progress.WAITING)
        return waiting.order_by(Case(failing, default=Value(0)), F("next_at").asc(nulls_first=True), "pk")

    def under_way(self, now: datetime) -> ReconciliationQuerySet:
        begun = Q(progress=Progress.RUNNING, started_at__gt=now - STUCK)
        return self.filter(Q(progress=Progress.WAITING) | begun)

    def scheduled(self) -> ReconciliationQuerySet:
        """The daily ones: each begins where the last one that was done left off."""
        return self.filter(requested_by="", whole=False, repair=True)

    def too_old(self, before: datetime) -> ReconciliationQuerySet:
        """Nobody looks at them any more; the next scheduled one of each connection asks for the last."""
        done = self.model.objects.scheduled().filter(progress=Progress.DONE).order_by()
        last = done.values("connection").annotate(last=Max("pk")).values("last")
        return self.filter(requested_at__lt=before).exclude(pk__in=last)

    def broken_off(self, now: datetime) -> ReconciliationQuerySet:
        """Comparisons of everything that failed, or whose worker died, where none was asked for since."""
        whole = self.model.objects.filter(whole=True).order_by()
        newest = whole.values("connection").annotate(last=Max("pk")).values("last")
        dead = Q(progress=Progress.RUNNING, started_at__lte=now - STUCK)
        return self.filter(dead | Q(progress=Progress.FAILED), pk__in=newest)

    def stuck(self, now: datetime) -> ReconciliationQuerySet:
        return self.filter(progress=Progress.RUNNING, started_at__lte=now - STUCK)


class Reconciliation(models.Model):
    """`differences` lists {"order_id", "order", "verdict"}, the first so many; `counts` has them all.

    A long one is done in slices: between them it waits, and `after_id` says where it goes on, `next_at`
    from when on. One that a schedule asked for has an empty `requested_by`.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="reconciliations")
    since = models.DateTimeField(_("orders written since"))
    repair = models.BooleanField(_("with repair"), default=False)
    # Every order of the ledger, however old, cancelled ones too: after Odoo went back in time.
    whole = models.BooleanField(_("every known order"), default=False, db_default=False)
    requested_by = models.CharField(_("asked for by"), max_length=150, blank=True)
    requested_at = models.DateTimeField(_("asked for at"))
    progress = models.CharField(
        _("progress"), max_length=10, choices=Progress.choices, default=Progress.WAITING
    )
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    next_at = models.DateTimeField(_("next step"), null=True, blank=True)
    after_id = models.PositiveBigIntegerField(_("done up to Odoo id"), null=True, blank=True)
    orders_compared = models.PositiveIntegerField(_("orders compared"), default=0)
    calls = models.PositiveIntegerField(_("calls to Odoo"), default=0)
    held_back = models.PositiveIntegerField(_("cancellations held back"), default=0, db_default=0)
    counts: models.JSONField[dict[str, int], dict[str, int]] = models.JSONField(_("counts"), default=dict)
    differences: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = models.JSONField(
        _("differences"), default=list
    )
    # What a repair would end, kept until all is compared: too many at once are asked about first.
    # {"covered": known orders looked at, "matching": of these the very same, "gone": {order id: verdict}}
    survey: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(
        default=dict, db_default={}, blank=True
    )
    error_code = models.CharField(_("error"), max_length=60, blank=True)
    error_detail = models.CharField(_("detail"), max_length=500, blank=True)

    objects = ReconciliationQuerySet.as_manager()

    class Meta:
        verbose_name = _("reconciliation")
        verbose_name_plural = _("reconciliations")
        ordering = ["-id"]
        permissions = [("reconcile_connection", _("Can reconcile connections"))]
        indexes = [
            models.Index(fields=["next_at"], name="reconciliation_due", condition=Q(progress="waiting"))
        ]

    def __str__(self) -> str:
        return _("since %s") % f"{self.since:%Y-%m-%d %H:%M}"

    @property
    def is_clean(self) -> bool:
        return self.progress == Progress.DONE and not sum(self.counts.values())
