"""Background work: what people and schedules ask for, done beside polls and deliveries, a few at a time.

Nothing here goes through the queue. A process with a slot of a group claims what is due and does it at once;
what has no slot yet waits in its own table, where a second request joins it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import count
from time import monotonic, sleep

from django.db import connection as database
from django.db.models import QuerySet
from django.utils import timezone

from connections.models import Connection
from core.background import failures, slots
from core.models import ChannelTest, StagedTest
from core.models.staged_test import BEGUN_WITHIN
from sync import due as sync_due
from sync.connection_test import on_request
from sync.models import ConnectionTest, PollState, Reconciliation, Run, RunKind, UnsavedTest
from sync.repair import deep_check as deep_checks
from sync.repair import reconcile, recovery

_DUE = """
    SELECT EXISTS (SELECT 1 FROM sync_connectiontest WHERE waits = %s AND started_at > %s)
               OR EXISTS (SELECT 1 FROM sync_unsavedtest WHERE waits = %s AND started_at > %s)
               OR EXISTS (SELECT 1 FROM core_channeltest WHERE waits = %s AND started_at > %s),
           EXISTS (SELECT 1 FROM sync_run WHERE finished_at IS NULL AND wish = 'go' AND next_at <= %s),
           EXISTS (SELECT 1 FROM sync_reconciliation
                   WHERE progress = 'waiting' AND (next_at IS NULL OR next_at <= %s)),
           EXISTS (SELECT 1 FROM sync_pollstate AS state
                   JOIN connections_connection AS target ON target.id = state.connection_id
                        AND target.enabled = %s
                   WHERE state.deep_check_at <= %s AND state.failures = 0 AND state.hold = ''
                        AND state.window_to IS NOT NULL),
           EXISTS (SELECT 1 FROM sync_pollstate AS state
                   JOIN connections_connection AS target ON target.id = state.connection_id
                        AND target.enabled = %s
                   WHERE state.reconcile_at <= %s AND state.failures = 0 AND state.hold = ''
                        AND state.window_to IS NOT NULL)
"""

logger = logging.getLogger("poller.tasks")

# What counts as one kind of work where it fails again and again.
RUN, COMPARISON, DEEP_CHECK = "sync.tasks.work_run", "sync.tasks.reconcile", "sync.tasks.deep_check"

Clock = Callable[[], datetime]
Closing = Callable[[], bool]
Work = Callable[[], object]

CHECKS_AT_ONCE = 20  # deep checks in one piece
CHECKING_SECONDS = 60  # then no further check begins: one may wait 5 s, and its calls take 150


@dataclass(frozen=True)
class Kind:
    """One kind of work: whether any is due (a cheap look), and claiming the first piece of it."""

    is_due: Callable[[datetime], bool]
    take: Callable[[datetime, Clock, Closing], Work | None]


@dataclass(frozen=True)
class Piece:
    """A piece of work that is ours, and the slot that it is done in."""

    slot: slots.Slot
    work: Work

    def do(self) -> None:
        try:
            self.work()
        finally:
            slots.release(self.slot)


def next_piece(group: str, *, clock: Clock = timezone.now, closing: Closing = lambda: False) -> Piece | None:
    """Claim a piece of this group, with its slot; None when nothing is due or all slots are taken."""
    now = clock()
    due = [kind for kind in _in_turn(GROUPS[group]) if kind.is_due(now)]
    slot = slots.claim(group, now) if due else None
    if slot is None:
        return None
    work = None
    try:
        work = next(filter(None, (kind.take(now, clock, closing) for kind in due)), None)
    finally:
        if work is None:
            slots.release(slot)
    return Piece(slot, work) if work is not None else None


def work_off(
    *, seconds: float, clock: Clock = timezone.now, closing: Closing = lambda: False, pause: float = 0
) -> int:
    """Do what is due here and now, one piece after the other, for so long at most; how many there were.

    With a `pause` it looks once more after so many seconds, as runs are due again each second.
    """
    ends_at, done, idle = monotonic() + seconds, 0, False
    while not closing() and monotonic() < ends_at:
        before = done
        for piece in _one_of_each_group(clock, closing):
            piece.do()
            done += 1
        if done == before:
            if idle or not pause:
                break
            sleep(pause)
        idle = done == before
    return done


def due_groups(now: datetime) -> list[str]:
    """Groups in which something may be due: one cheap look, which every second can afford.

    Of shops that are paused it says yes too; the claim itself knows better.
    """
    moment, earliest = map(database.ops.adapt_datetimefield_value, (now, now - BEGUN_WITHIN))
    with database.cursor() as cursor:
        cursor.execute(_DUE, [True, earliest] * 3 + [moment] * 2 + [True, moment] * 2)
        tests, runs, comparisons, *checks = map(bool, cursor.fetchone())
    due = {
        slots.TEST: tests,
        slots.WRITE: runs,
        slots.RUN: runs or comparisons,
        slots.CHECK: comparisons or any(checks),
    }
    return [group for group in GROUPS if due[group]]


def _one_of_each_group(clock: Clock, closing: Closing) -> Iterator[Piece]:
    for group in due_groups(clock()):
        piece = next_piece(group, clock=clock, closing=closing)
        if piece is not None:
            yield piece


_turns = count()


def _in_turn(kinds: Sequence[Kind]) -> list[Kind]:
    """Another one first each time, so that none has to wait until there is none of the others."""
    first = next(_turns) % len(kinds)
    return [*kinds[first:], *kinds[:first]]


# --- Tests ----------------------------------------------------------------------------------------------


def _test_kind(model: type[StagedTest]) -> Kind:
    def take(now: datetime, clock: Clock, closing: Closing) -> Work | None:
        claimed = on_request.claim(model, now)
        return partial(on_request.run_asked_test, *claimed, clock=clock) if claimed else None

    return Kind(lambda now: model.objects.waiting(now).exists(), take)


# --- Runs -----------------------------------------------------------------------------------------------


def _run_kind(*kinds: str) -> Kind:
    def take(now: datetime, clock: Clock, closing: Closing) -> Work | None:
        claims = sync_due.claim_runs(now, 1, kinds=kinds)
        if not claims:
            return None
        token, ids = claims[0]
        work = partial(recovery.work, token, ids[0], clock=clock, closing=closing)
        return partial(counted, RUN, failures.POLLER, work)

    return Kind(lambda now: Run.objects.due(now).filter(kind__in=kinds).exists(), take)


# --- Comparisons and deep checks ------------------------------------------------------------------------


def _comparison_kind(rows: Callable[[datetime], QuerySet[Reconciliation]]) -> Kind:
    def take(now: datetime, clock: Clock, closing: Closing) -> Work | None:
        wanted = next((row for row in rows(now)[:20] if reconcile.begin(row, now)), None)
        if wanted is None:
            return None
        work = partial(reconcile.go_on, wanted, clock=clock, in_background=True)
        return partial(counted, COMPARISON, [wanted.connection_id], work)

    return Kind(lambda now: rows(now).exists(), take)


def _take_due_comparison(now: datetime, clock: Clock, closing: Closing) -> Work | None:
    ids = sync_due.claim_reconciliations(now, 1)
    connection = Connection.objects.enabled().filter(pk__in=ids).first()
    if connection is None:
        return None
    work = partial(reconcile.reconcile_due, connection, clock=clock, in_background=True)
    return partial(counted, COMPARISON, [connection.pk], work)


def _take_deep_checks(now: datetime, clock: Clock, closing: Closing) -> Work | None:
    ids = sync_due.claim_deep_checks(now, CHECKS_AT_ONCE)
    return partial(deep_check, ids, clock, closing) if ids else None


def deep_check(ids: Sequence[int], clock: Clock, closing: Closing) -> None:
    """One after the other while there is time; what is left out is due again in ten minutes."""
    ends_at = monotonic() + CHECKING_SECONDS
    faults: list[Exception] = []
    for connection in Connection.objects.enabled().filter(pk__in=ids):
        if closing() or monotonic() >= ends_at:
            break
        try:
            counted(DEEP_CHECK, [connection.pk], partial(deep_checks.deep_check, connection, clock=clock))
        except Exception as error:  # counted; it stops no other connection
            logger.exception("A deep check failed in our own code", extra={"connection": connection.name})
            faults.append(error)
    if faults:
        raise faults[0]


def counted(name: str, connections: Sequence[int | None], work: Work) -> None:
    """Do the work, counting failures of our own code: several in a row are a finding."""
    with failures.counted(name, connections):
        work()


GROUPS: dict[str, tuple[Kind, ...]] = {
    slots.TEST: (_test_kind(ConnectionTest), _test_kind(UnsavedTest), _test_kind(ChannelTest)),
    slots.WRITE: (_run_kind(RunKind.RETRY, RunKind.DISCARD),),
    slots.RUN: (
        _run_kind(RunKind.RESEND),
        _comparison_kind(lambda now: Reconciliation.objects.due(now).exclude(requested_by="")),
    ),
    slots.CHECK: (
        _comparison_kind(lambda now: Reconciliation.objects.due(now).filter(requested_by="")),
        Kind(lambda now: PollState.objects.reconciliation_due(now).exists(), _take_due_comparison),
        Kind(lambda now: PollState.objects.deep_check_due(now).exists(), _take_deep_checks),
    ),
}
