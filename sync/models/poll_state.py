"""PollState: where reading one connection stands, and when work on it is due."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db import connections, models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from connections.models import Circuit, Connection, Side

# A nudge may outrun the end of the transaction it tells of, which takes seconds where many orders are
# confirmed at once: so long after it the shop is looked at once more each time.
NUDGE_ECHOES = tuple(timedelta(seconds=seconds) for seconds in (0, 3, 12, 45))
NUDGE_AGE = timedelta(seconds=90)  # then it is forgotten; polling goes on by its own clock


def _unheeded(echo: timedelta, now: datetime) -> Q:
    """Nudges whose echo has come, and no poll since."""
    polled_before = Q(last_polled_at__isnull=True) | Q(last_polled_at__lt=F("nudged_at") + echo)
    return Q(nudged_at__lte=now - echo) & polled_before


class PollStateQuerySet(models.QuerySet["PollState"]):
    def update(self, **values: Any) -> int:
        """Locks the rows in one order first, as every writer does: else two could wait for each other."""
        if not connections[self.db].features.has_select_for_update:
            return super().update(**values)
        with transaction.atomic(using=self.db):
            rows = self.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True)
            return super(PollStateQuerySet, self.model.objects.filter(pk__in=list(rows))).update(**values)

    update.alters_data = True  # type: ignore[attr-defined]

    def poll_due(self, now: datetime) -> PollStateQuerySet:
        """Connections to be polled, longest waiting first."""
        return self._runnable(Side.ODOO, now).filter(next_poll_at__lte=now).order_by("next_poll_at")

    def apply_nudges(self, now: datetime) -> None:
        """Make due what was nudged, unless it is failing: then it has a clock of its own."""
        nudged = self.filter(nudged_at__isnull=False)
        if not nudged.exists():
            return
        polled_since = Q(last_polled_at__gte=F("nudged_at") + NUDGE_ECHOES[-1])
        nudged.filter(polled_since | Q(nudged_at__lt=now - NUDGE_AGE) | Q(error_code__gt="")).update(
            nudged_at=None
        )
        due = nudged.filter(reduce(or_, (_unheeded(echo, now) for echo in NUDGE_ECHOES)))
        due.filter(next_poll_at__gt=now).update(next_poll_at=now)

    def delivery_due(self, now: datetime) -> PollStateQuerySet:
        """Connections that owe something whose time has come, longest waiting first."""
        return self._runnable(Side.WEBHOOK, now).filter(deliver_at__lte=now).order_by("deliver_at")

    def _runnable(self, side: Side, now: datetime) -> PollStateQuerySet:
        paused = Circuit.objects.paused(now).filter(connection=OuterRef("connection"), side=side)
        return self.filter(connection__enabled=True, hold="").exclude(Exists(paused))

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
        """Connections whose open orders are to be read again, longest waiting first."""
        return self._checkable(now).filter(deep_check_at__lte=now).order_by("deep_check_at")

    def reconciliation_due(self, now: datetime) -> PollStateQuerySet:
        """Connections that are to be compared with Odoo, longest waiting first."""
        return self._checkable(now).filter(reconcile_at__lte=now).order_by("reconcile_at")

    def _checkable(self, now: datetime) -> PollStateQuerySet:
        """Those that have begun and can be read: where polls fail, or have to wait, a check would as well."""
        asked = Circuit.objects.filter(connection=OuterRef("connection"), side=Side.ODOO, wait_until__gt=now)
        able = self._runnable(Side.ODOO, now).filter(window_to__isnull=False, failures=0)
        return able.exclude(Exists(asked))

    def wake(self, now: datetime) -> int:
        """Poll these connections at once."""
        return self.update(next_poll_at=now)


class PollState(models.Model):
    """Written by workers only, one row per connection. All moments are UTC.

    `window_to` is on the server's clock, `window_at` is the same moment on ours. `page_*` are set while a
    window is half read: its end, and the id after which reading goes on. `start_ids` are the orders that were
    confirmed when we started, packed by `sync/polling/first_run.py`.
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
    # Set by the import from another poller: what was written up to here and is unknown, it has delivered.
    taken_over_until = models.DateTimeField(null=True, blank=True)
    # A nudge during a poll must outlive it, and each poll sets `next_poll_at` as it ends.
    nudged_at = models.DateTimeField(_("nudged at"), null=True, blank=True)

    server: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(
        _("server"), default=dict, blank=True
    )
    account: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(
        _("account"), default=dict, blank=True
    )
    clock_offset_seconds = models.FloatField(_("clock difference in seconds"), null=True, blank=True)

    # Which database this is, as `sync/polling/database_identity.py` knew it again last.
    database: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(
        _("database"), default=dict, db_default={}, blank=True
    )
    # A cause of `connections/causes`: nothing is read or sent until a person has answered.
    hold = models.CharField(_("held"), max_length=60, blank=True, db_default="")
    # The order that was written last of all we know. Once it is gone or older, look closer.
    newest_id = models.BigIntegerField(null=True, blank=True)
    newest_stamp = models.DateTimeField(null=True, blank=True)
    # The stamp of a newest order that stood no more as we knew it: for the next deep check to look into.
    lost_stamp = models.DateTimeField(null=True, blank=True)
    went_back_at = models.DateTimeField(_("went back in time at"), null=True, blank=True)
    went_back_to = models.DateTimeField(_("went back in time to"), null=True, blank=True)
    has_rereads = models.BooleanField(default=False, db_default=False)  # some seen orders are marked `reread`
    # {"orders": number, "names": [...], "companies": [...]}: known orders that our user no longer sees.
    hidden: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(
        _("hidden orders"), default=dict, db_default={}, blank=True
    )
    # A look-back that was found too short is longer for a while.
    wider_lookback_seconds = models.PositiveIntegerField(default=0, db_default=0)
    wider_until = models.DateTimeField(null=True, blank=True)
    missed_detail = models.CharField(max_length=200, blank=True, db_default="")

    deep_check_at = models.DateTimeField(_("next deep check"), null=True, blank=True, db_index=True)
    deep_after_id = models.BigIntegerField(null=True, blank=True)
    deep_check_error = models.CharField(
        _("error of the last deep check"), max_length=60, blank=True, db_default=""
    )
    # Old orders that the check under way was the first to meet.
    deep_new_orders = models.PositiveIntegerField(default=0, db_default=0)
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
            ),
            models.Index(
                fields=["nudged_at"], name="pollstate_nudged", condition=models.Q(nudged_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"poll state of {self.connection_id}"

    def lookback_seconds(self, connection: Connection, now: datetime) -> int:
        """The look-back in force: longer for a while after it was too short."""
        is_wider = self.wider_until is not None and now < self.wider_until
        return max(connection.lookback_seconds, self.wider_lookback_seconds if is_wider else 0)
