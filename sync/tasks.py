"""What django-q2 runs. Arguments are a lease token and ids: never a secret, never personal data."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from time import monotonic

from django.conf import settings
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.tasks import async_task

from connections.models import Connection
from sync import (
    counting,
    deepcheck,
    draining,
    failures,
    housekeeping,
    polling,
    reconciling,
    recovering,
    scheduling,
    tallying,
    watching,
)
from sync.alerting import telling
from sync.discreet import discreet
from sync.jobs import progress, remembered
from sync.models import Finding, PollState, Reconciliation
from sync.running.pulse import is_closing

POLL, DELIVER = "sync.tasks.poll", "sync.tasks.deliver"
DEEP_CHECK, RECONCILE = "sync.tasks.deep_check", "sync.tasks.reconcile"
WORK_RUN, RUNS_AT_ONCE = "sync.tasks.work_run", 4
SLICE_SECONDS = 30  # of a run, where nobody looks each second
RUN_RECONCILIATION = "sync.tasks.run_reconciliation"

logger = logging.getLogger("poller.tasks")

CHECKS_AT_ONCE = 200  # handed out each minute
CHECKS_PER_TASK = 3
CHECKING_SECONDS = 80  # then no further check begins: one may wait 30 s, read 30 s and end its last call


@discreet
def poll(token: str, ids: Sequence[int]) -> int:
    """Poll a claimed batch. Run late or twice it finds its leases gone and does nothing."""
    with failures.counted(POLL, ids):
        return len(polling.poll(token, ids, closing=is_closing))


@discreet
def deliver(token: str, ids: Sequence[int]) -> int:
    """Deliver what a claimed batch owes. Run late or twice it finds its leases gone and does nothing."""
    with failures.counted(DELIVER, ids):
        return len(draining.deliver_due(token, ids, closing=is_closing))


@discreet
@remembered
def tick() -> str:
    """Claim what is due and hand it to the queue: the minute's schedule, so that a plain qcluster polls."""
    now = timezone.now()
    PollState.objects.create_missing(now)
    limit = settings.BATCH_SIZE * settings.WORKERS * 2
    polls = hand_out(POLL, scheduling.claim_polls(now, limit))
    deliveries = hand_out(DELIVER, scheduling.claim_deliveries(now, limit))
    hand_out_runs(now, seconds=SLICE_SECONDS)
    return f"{polls} polls, {deliveries} deliveries"


def hand_out_runs(now: datetime, *, seconds: float = 0, broker: object | None = None) -> int:
    """Queue a step of each run that is due."""
    claims = scheduling.claim_runs(now, RUNS_AT_ONCE)
    for token, ids in claims:
        async_task(WORK_RUN, token, ids[0], seconds, broker=broker, save=False)
    return len(claims)


@discreet
def work_run(token: str, number: int, seconds: float = 0) -> int:
    """Do the next orders of a claimed run. Late or twice it finds its lease gone and does nothing."""
    with failures.counted(WORK_RUN):
        return recovering.work(token, number, seconds=seconds, closing=is_closing)


def queue_depth() -> int:
    """How many tasks wait; raises what the queue's client raises when it is away."""
    return int(get_broker().queue_size())


def hand_out(task: str, claim: scheduling.Claim, *, broker: object | None = None) -> int:
    """Queue a claim in batches; returns the number of connections."""
    token, ids = claim
    for start in range(0, len(ids), settings.BATCH_SIZE):
        async_task(task, token, ids[start : start + settings.BATCH_SIZE], broker=broker, save=False)
    return len(ids)


@discreet
@remembered
def check() -> str:
    """Hand out the deep checks and reconciliations that are due: the minute's schedule."""
    now = timezone.now()
    deep = hand_out_ids(DEEP_CHECK, scheduling.claim_deep_checks(now, CHECKS_AT_ONCE))
    full = hand_out_ids(RECONCILE, scheduling.claim_reconciliations(now, CHECKS_AT_ONCE))
    for wanted in reconciling.forgotten(now):
        queue_reconciliation(wanted)
    return f"{deep} deep checks, {full} reconciliations"


@discreet
def deep_check(ids: Sequence[int]) -> int:
    """Read the open orders of these connections again, one after the other."""
    return sum(_each(DEEP_CHECK, ids, _deep_check))


@discreet
def reconcile(ids: Sequence[int]) -> int:
    """Compare these connections with Odoo and repair, one after the other."""
    return sum(_each(RECONCILE, ids, _reconcile))


def _deep_check(connection: Connection) -> bool:
    log = deepcheck.deep_check(connection)
    failures.succeeded([DEEP_CHECK], [connection.pk])
    return log is not None


def _reconcile(connection: Connection) -> bool:
    done = reconciling.reconcile_due(connection)
    failures.succeeded([RECONCILE], [connection.pk])
    return done.is_clean


@discreet
def run_reconciliation(number: int) -> bool:
    """One that a person asked for. Returns whether it found nothing."""
    return reconciling.run(Reconciliation.objects.get(pk=number)).is_clean


def queue_reconciliation(wanted: Reconciliation) -> None:
    async_task(RUN_RECONCILIATION, wanted.pk, save=False)


@discreet
@remembered
def watch() -> int:
    """Look for what would go wrong in silence: the minute's schedule. What fails does not stop the rest."""
    now = timezone.now()
    faults: list[Exception] = []
    findings: list[Finding] | None = None
    with failures.apart("sync.housekeeping.wake_overdue", faults):
        housekeeping.wake_overdue(now)
    with failures.apart("sync.tallying.tally", faults):
        tallying.tally(now)
    with failures.apart("sync.counting.count", faults):
        counting.count(now)
    with failures.apart("sync.watching.watch", faults):
        findings = watching.watch()
    if findings is not None:
        with failures.apart("sync.alerting.telling.alert", faults):
            telling.alert(findings, now)
    if faults:
        raise faults[0]
    return len(findings or ())


def hand_out_ids(task: str, ids: Sequence[int]) -> int:
    for start in range(0, len(ids), CHECKS_PER_TASK):
        async_task(task, list(ids[start : start + CHECKS_PER_TASK]), save=False)
    return len(ids)


def _each(name: str, ids: Sequence[int], check: Callable[[Connection], bool]) -> Iterator[bool]:
    """Check those that are enabled, while there is time. A fault of ours with one stops no other."""
    faults = []
    for connection in _in_time(ids):
        try:
            yield check(connection)
        except (Exception, SystemExit) as error:  # django-q2 ends what takes too long by a SystemExit
            failures.failed(name, type(error).__name__, [connection.pk])
            if isinstance(error, SystemExit):
                raise
            logger.exception("%s failed in our own code", name, extra={"connection": connection.name})
            faults.append(error)
    if faults:
        raise faults[0]


def _in_time(ids: Sequence[int]) -> Iterator[Connection]:
    """The enabled ones, while there is time for one more; what is left out is due again in ten minutes."""
    ends_at = monotonic() + CHECKING_SECONDS
    for connection in Connection.objects.enabled().filter(pk__in=ids):
        if is_closing() or monotonic() >= ends_at:
            return
        yield connection


@discreet
@remembered
def housekeep() -> dict[str, int]:
    """Age out what settings say, free what died."""
    return housekeeping.housekeep(timezone.now(), said=lambda text: progress(housekeep, text))
