"""PollState: where reading one connection stands, and when work on it is due."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from connections.models import Circuit, Connection, Side


class PollStateQuerySet(models.QuerySet["PollState"]):
    def poll_due(self, now: datetime) -> PollStateQuerySet:
        """Connections to be polled, longest waiting first."""
        return self._runnable(Side.ODOO, now).filter(next_poll_at__lte=now).order_by("next_poll_at")

    def delivery_due(self, now: datetime) -> PollStateQuerySet:
        """Connections that owe something whose time has come, longest waiting first."""
        return self._runnable(Side.WEBHOOK, now).filter(deliver_at__lte=now).order_by("deliver_at")

    def _runnable(self, side: Side, now: datetime) -> PollStateQuerySet:
        paused = Circuit.objects.paused(now).filter(connection=OuterRef("connection"), side=side)
        return self.filter(connection__enabled=True).exclude(Exists(paused))

    def create_missing(self, now: datetime) -> int:
        """Every connection gets its row before its first poll; returns how many were made."""
        fresh = Connection.objects.filter(poll_state__isnull=True).values_list("pk", flat=True)
        hour, day = timedelta(hours=1), timedelta(days=1)
        rows = [
            # Spread over the hour and the day by number, so that many shops are not checked at once.
            PollState(
                connection_id=pk,
                next_poll_at=now,
                deep_check_at=now + hour * (0.5 + pk % 60 / 60),
                reconcile_at=now + day * (0.5 + pk % 96 / 96),
            )
            for pk in fresh
        ]
        PollState.objects.bulk_create(rows, ignore_conflicts=True)
        return len(rows)

    def deep_check_due(self, now: datetime) -> PollStateQuerySet:
        """Connections that have begun and whose open orders are to be read again, longest waiting first."""
        due = self._runnable(Side.ODOO, now).filter(window_to__isnull=False)
        return due.filter(deep_check_at__lte=now).order_by("deep_check_at")

    def reconciliation_due(self, now: datetime) -> PollStateQuerySet:
        """Connections that have begun and are to be compared with Odoo, longest waiting first."""
        due = self._runnable(Side.ODOO, now).filter(window_to__isnull=False)
        return due.filter(reconcile_at__lte=now).order_by("reconcile_at")

    def wake(self, now: datetime) -> int:
        """Poll these connections at once."""
        return self.update(next_poll_at=now)


class PollState(models.Model):
    """Written by workers only, one row per connection. All moments are UTC.

    `window_to` is on the server's clock, `window_at` is the same moment on ours. `page_*` are set while a
    window is half read: its end, and the id after which reading goes on. `start_ids` are the orders that were
    confirmed when we started, packed by `sync/starting.py`.
    """

    connection = models.OneToOneField(
        Connection, on_delete=models.CASCADE, primary_key=True, related_name="poll_state"
    )
    next_poll_at = models.DateTimeField(_("next poll"), db_index=True)
    deliver_at = models.DateTimeField(_("next delivery"), null=True, blank=True)

    window_to = models.DateTimeField(_("read up to"), null=True, blank=True)
    window_at = models.DateTimeField(null=True, blank=True)
    page_from = models.DateTimeField(null=True, blank=True)
    page_to = models.DateTimeField(null=True, blank=True)
    page_at = models.DateTimeField(null=True, blank=True)
    page_after_id = models.BigIntegerField(null=True, blank=True)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    start_ids = models.BinaryField(null=True, blank=True)

    server: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(
        _("server"), default=dict, blank=True
    )
    account: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(
        _("account"), default=dict, blank=True
    )
    clock_offset_seconds = models.FloatField(_("clock difference in seconds"), null=True, blank=True)

    deep_check_at = models.DateTimeField(_("next deep check"), null=True, blank=True, db_index=True)
    deep_after_id = models.BigIntegerField(null=True, blank=True)
    reconcile_at = models.DateTimeField(_("next reconciliation"), null=True, blank=True, db_index=True)

    last_polled_at = models.DateTimeField(_("last poll"), null=True, blank=True)
    last_success_at = models.DateTimeField(_("last good poll"), null=True, blank=True)
    last_order_at = models.DateTimeField(_("last order seen"), null=True, blank=True)
    failures = models.PositiveIntegerField(_("failed polls in a row"), default=0)
    error_code = models.CharField(_("error"), max_length=60, blank=True)
    error_detail = models.CharField(_("detail"), max_length=500, blank=True)

    objects = PollStateQuerySet.as_manager()

    class Meta:
        verbose_name = _("poll state")
        verbose_name_plural = _("poll states")
        indexes = [
            models.Index(
                fields=["deliver_at"], name="pollstate_deliver", condition=models.Q(deliver_at__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return f"poll state of {self.connection_id}"
