"""`runpoller --once`: everything due is polled and delivered here and now, without the queue."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from connections import leases
from connections.causes import explain
from connections.models import Connection
from sync import due as sync_due
from sync.deliveries import dispatcher
from sync.deliveries.session import DeliverySession
from sync.models import PollState, RetryItem, SyncLog
from sync.polling import poll

Clock = Callable[[], datetime]

LOOK_SECONDS = 0.2
# Somebody else's lease ends by then, or its holder has done the work.
PATIENCE_SECONDS = leases.LEASE_SECONDS + 5


@dataclass
class Summary:
    """`found`, `sent` and `failed` count orders. Each error names its connection, and says what to do."""

    polled: int = 0
    found: int = 0
    sent: int = 0
    failed: int = 0
    not_polled: list[str] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not self.failed and not self.errors


def run_once(*, force: bool = False, clock: Clock = timezone.now, threads: int | None = None) -> Summary:
    """Each due connection is polled once, half-read windows to their end, then what is owed and due is sent.

    `force` takes every enabled connection for due. What another poller works on at the moment is waited for.
    """
    return _Round(clock, threads).run(force=force)


class _Round:
    def __init__(self, clock: Clock, threads: int | None) -> None:
        self.clock, self.threads = clock, threads
        self.logs: list[SyncLog] = []
        self.sessions: list[DeliverySession] = []

    def run(self, *, force: bool) -> Summary:
        now = self.clock()
        PollState.objects.create_missing(now)
        states = PollState.objects.filter(connection__enabled=True)
        if force:
            states.wake(now)
        wanted = set(states.filter(next_poll_at__lte=now).values_list("pk", flat=True))
        self._poll(set(wanted))
        self._deliver(self.clock())
        return self._summary(wanted)

    def _poll(self, left: set[int]) -> None:
        patience = _Patience()
        while left and patience.lasts():
            token, ids = sync_due.claim_polls(self.clock(), settings.BATCH_SIZE, among=left)
            if ids:
                patience = _Patience()
                self.logs += poll.poll(token, ids, clock=self.clock, threads=self.threads)
                left -= set(ids) - _half_read(ids)
            elif not PollState.objects.poll_due(self.clock()).filter(pk__in=left).exists():
                return
            else:
                patience.wait()

    def _deliver(self, began_at: datetime) -> None:
        patience = _Patience()
        due = PollState.objects.delivery_due(began_at).values_list("pk", flat=True)
        while (left := list(due.all())) and patience.lasts():
            token, ids = sync_due.claim_deliveries(self.clock(), settings.BATCH_SIZE, among=left)
            if ids:
                patience = _Patience()
                self.sessions += dispatcher.deliver_due(token, ids, clock=self.clock, threads=self.threads)
            else:
                patience.wait()

    def _summary(self, wanted: Iterable[int]) -> Summary:
        polled = {log.connection_id for log in self.logs}
        missed = Connection.objects.filter(pk__in=set(wanted) - polled).order_by("name")
        return Summary(
            polled=len(polled),
            found=sum(log.orders_found for log in self.logs),
            sent=sum(log.orders_sent for log in self.logs) + sum(session.sent for session in self.sessions),
            failed=sum(log.orders_failed for log in self.logs)
            + sum(session.failed for session in self.sessions),
            not_polled=list(missed.values_list("name", flat=True)),
            errors=[*self._poll_errors(), *self._delivery_errors()],
        )

    def _poll_errors(self) -> Iterable[dict[str, Any]]:
        last = {log.connection_id: log for log in self.logs}.values()
        return [
            _error(log.connection.name, log.error_code, log.error_detail) for log in last if log.error_code
        ]

    def _delivery_errors(self) -> Iterable[dict[str, Any]]:
        """One of each kind for each connection that something could not be delivered for."""
        failed = {log.connection_id for log in self.logs if log.orders_failed}
        failed |= {session.connection.pk for session in self.sessions if session.failed}
        items = RetryItem.objects.open().filter(connection__in=failed, attempts__gt=0).exclude(error_code="")
        rows = items.order_by("pk").values_list("connection__name", "error_code", "error_detail")
        kinds = {(name, code): detail for name, code, detail in rows}
        return [_error(name, code, detail) for (name, code), detail in kinds.items()]


class _Patience:
    """For leases that others hold, or that a rate limit keeps for a moment."""

    def __init__(self) -> None:
        self._until = time.monotonic() + PATIENCE_SECONDS

    def lasts(self) -> bool:
        return time.monotonic() < self._until

    def wait(self) -> None:
        time.sleep(LOOK_SECONDS)


def _half_read(ids: Iterable[int]) -> set[int]:
    """Connections whose window has further pages, and nothing against reading them."""
    half = PollState.objects.filter(pk__in=ids, page_to__isnull=False, error_code="")
    return set(half.values_list("pk", flat=True))


def _error(name: str, code: str, detail: str) -> dict[str, Any]:
    cause = explain(code)
    words = {"title": str(cause.title), "next_step": str(cause.next_step)}
    return {"connection": name, "code": code, **words, "detail": detail}
