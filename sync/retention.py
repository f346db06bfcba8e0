"""What ages out, and what is put right by the way: bounded work in small chunks, safe to run at any time."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Exists, Min, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from connections.models import Circuit, CircuitState, Lease, RetiredSecret, Side
from core.background.heartbeat import FORGOTTEN as SILENT
from core.models import Alert, PollerHeartbeat
from sync.ledger import age_out
from sync.models import (
    ConnectionTest,
    DeliveredHour,
    PollState,
    Progress,
    Reconciliation,
    RetryItem,
    Run,
    SyncLog,
    UnsavedTest,
    Wish,
)

CHUNK = 2000  # rows of one statement, so that nobody waits long for the table
LIMIT_SECONDS = 60.0  # of one run; the next one goes on where this one stopped
LATE = timedelta(minutes=10)
DEAD_LEASE = timedelta(hours=1)

Act = Callable[[QuerySet[Any]], int]


def housekeep(
    now: datetime,
    *,
    clock: Callable[[], float] = time.monotonic,
    said: Callable[[str], None] | None = None,
) -> dict[str, int]:
    """One round; returns how many rows each rule touched. `clock` counts seconds and ends the round.

    `said` is told which rule is at work.
    """
    end = clock() + LIMIT_SECONDS
    counts = {"woken": wake_overdue(now)}
    todo = rules(now)
    for number, (name, rows, by, act) in enumerate(todo, start=1):
        if said is not None:
            said(f"{number}/{len(todo)} {name}")
        counts[name] = _in_chunks(rows, by, act, more=lambda: clock() < end)
    return counts


def rules(now: datetime) -> list[tuple[str, QuerySet[Any], str, Act]]:
    """Name, rows that are too old, the column that says how old, what happens to them."""
    logs = now - timedelta(days=settings.KEEP_LOGS_DAYS)
    idle = now - timedelta(hours=settings.KEEP_IDLE_LOGS_HOURS)
    tries = now - timedelta(days=settings.KEEP_ATTEMPTS_DAYS)
    bodies = now - timedelta(days=settings.KEEP_PAYLOADS_DAYS)
    logins = now - timedelta(days=settings.KEEP_LOGS_DAYS)
    items, day = min(tries, bodies), now - timedelta(days=1)
    return [
        ("leases", Lease.objects.filter(until__lt=now - DEAD_LEASE), "until", _delete),
        ("sync_logs", SyncLog.objects.filter(finished_at__lt=logs), "finished_at", _delete),
        ("idle_logs", _idle_logs().filter(finished_at__lt=idle), "finished_at", _delete),
        ("attempts", age_out.tries_before(tries), "started_at", age_out.delete_tries),
        ("payloads", age_out.bodies_before(bodies), "closed_at", age_out.forget_bodies),
        # A sent version stays known by its sent order; the way it went is told as long as settings say.
        ("sent_items", age_out.sent_items_before(items), "closed_at", age_out.delete_sent_items),
        ("reconciliations", Reconciliation.objects.too_old(logs), "requested_at", _delete),
        ("stuck_runs", Reconciliation.objects.stuck(now), "started_at", _fail_run),
        ("retired_secrets", RetiredSecret.objects.filter(valid_until__lte=now), "valid_until", _delete),
        ("runs", _ended_runs().filter(asked_at__lt=logs), "asked_at", _delete),
        (
            "previews",
            ConnectionTest.objects.filter(started_at__lt=day, preview__isnull=False),
            "started_at",
            _forget_preview,
        ),
        (
            "unsaved_tests",
            UnsavedTest.objects.over(now).filter(started_at__lt=now - timedelta(minutes=30)),
            "started_at",
            _delete,
        ),
        ("hours", DeliveredHour.objects.filter(hour__lt=logs - timedelta(days=7)), "hour", _delete),
        ("alerts", Alert.objects.filter(ended_at__lt=logs), "ended_at", _delete),
        ("silent_pollers", PollerHeartbeat.objects.filter(seen_at__lt=now - SILENT), "seen_at", _delete),
        ("sessions", Session.objects.filter(expire_date__lt=now), "expire_date", _delete),
        *(
            (f"login_{name}", model.objects.filter(attempt_time__lt=logins), "attempt_time", _delete)
            for name, model in LOGINS.items()
        ),
    ]


LOGINS: dict[str, Any] = {"attempts": AccessAttempt, "failures": AccessFailureLog, "logs": AccessLog}


def _ended_runs() -> QuerySet[Run]:
    return Run.objects.filter(Q(finished_at__isnull=False) | Q(wish=Wish.CANCEL))


def _idle_logs() -> QuerySet[SyncLog]:
    return SyncLog.objects.filter(
        orders_found=0, orders_sent=0, orders_failed=0, orders_skipped=0, error_code=""
    )


def _fail_run(rows: QuerySet[Any]) -> int:
    return rows.update(progress=Progress.FAILED, error_code="unknown", finished_at=timezone.now())


def _delete(rows: QuerySet[Any]) -> int:
    return rows.delete()[0]


def _forget_preview(rows: QuerySet[Any]) -> int:
    return rows.update(preview=None)


def _in_chunks(rows: QuerySet[Any], by: str, act: Act, *, more: Callable[[], bool]) -> int:
    """Oldest first. Each chunk starts where the last one ended, so rows that stay are walked over once."""
    done, since = 0, None
    while more():
        rest = rows if since is None else rows.filter(**{f"{by}__gte": since})
        chunk = list(rest.order_by(by).values_list("pk", by)[:CHUNK])
        if chunk:
            done += act(rows.model.objects.filter(pk__in=[pk for pk, _ in chunk]))
            since = chunk[-1][1]
        if len(chunk) < CHUNK:
            break
    return done


def wake_overdue(now: datetime) -> int:
    """Find deliveries that would be forgotten: something waits, but nobody is set to look at it in time.

    `deliver_at` is a promise kept beside the items; a crash at the wrong moment can lose it. A receiver that
    rests (paused, circuit open, asked to wait) has its own clock and is left alone.
    """
    waiting = RetryItem.objects.filter(connection=OuterRef("connection")).pending()
    first = waiting.order_by().values("connection").annotate(at=Min("next_retry_at")).values("at")
    forgotten = Q(deliver_at__isnull=True, first_at__isnull=False)
    late = Q(deliver_at__gt=now + LATE, first_at__lte=now) & ~Exists(_resting(now))
    states = PollState.objects.filter(connection__enabled=True).exclude(Exists(_paused(now)))
    found = states.annotate(first_at=Subquery(first)).filter(forgotten | late)
    rows = [PollState(pk=pk, deliver_at=max(at, now)) for pk, at in found.values_list("pk", "first_at")]
    return PollState.objects.bulk_update(rows, ["deliver_at"], batch_size=CHUNK)


def _paused(now: datetime) -> QuerySet[Circuit]:
    return Circuit.objects.paused(now).filter(connection=OuterRef("connection"), side=Side.WEBHOOK)


def _resting(now: datetime) -> QuerySet[Circuit]:
    rests = ~Q(state=CircuitState.CLOSED) | Q(wait_until__gt=now)
    return Circuit.objects.filter(rests, connection=OuterRef("connection"), side=Side.WEBHOOK)
