"""What django-q2 runs. Arguments are a lease token and ids: never a secret, never personal data."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.utils import timezone
from django_q.tasks import async_task

from connections import faultpoints, leases
from core.background import failures, heartbeat
from core.background.runner.shared_state import in_runpoller, is_closing
from core.background.safe_errors import discreet
from core.background.schedule_status import progress, remembered
from core.models import Finding
from core.monitoring.alerts import notify
from sync import background, due, retention
from sync import findings as sync_findings
from sync.deliveries import dispatcher
from sync.metrics import counters, hourly
from sync.models import PollState
from sync.polling import poll as polling

POLL, DELIVER = "sync.tasks.poll", "sync.tasks.deliver"
WORK_OFF, WORK_OFF_KEY = "sync.tasks.work_off", "background"
WORK_OFF_SECONDS = 50  # then no further piece begins; one may take two minutes


@discreet
def poll(token: str, ids: Sequence[int]) -> int:
    """Poll a claimed batch. Run late or twice it finds its leases gone and does nothing."""
    with failures.counted(POLL, ids):
        return len(polling.poll(token, ids, closing=is_closing))


@discreet
def deliver(token: str, ids: Sequence[int]) -> int:
    """Deliver what a claimed batch owes. Run late or twice it finds its leases gone and does nothing."""
    with failures.counted(DELIVER, ids):
        return len(dispatcher.deliver_due(token, ids, closing=is_closing))


@discreet
@remembered
def tick() -> str:
    """Claim what is due and hand it to the queue: the minute's schedule, so that a plain qcluster polls."""
    now = timezone.now()
    PollState.objects.create_missing(now)
    limit = settings.BATCH_SIZE * settings.WORKERS * 2
    polls = hand_out(POLL, due.claim_polls(now, limit))
    deliveries = hand_out(DELIVER, due.claim_deliveries(now, limit))
    if not in_runpoller():
        heartbeat.heartbeat_of_plain_queue(now)
    return f"{polls} polls, {deliveries} deliveries"


def hand_out(task: str, claim: due.Claim, *, broker: object | None = None) -> int:
    """Queue a claim in batches; returns the number of connections."""
    token, ids = claim
    faultpoints.at("claimed", ids)
    for start in range(0, len(ids), settings.BATCH_SIZE):
        async_task(task, token, ids[start : start + settings.BATCH_SIZE], broker=broker, save=False)
    return len(ids)


@discreet
@remembered
def check() -> str:
    """Say how many checks are due: the minute's schedule. `runpoller` does them, else a task of the queue."""
    now = timezone.now()
    deep = PollState.objects.deep_check_due(now).count()
    full = PollState.objects.reconciliation_due(now).count()
    if not in_runpoller() and background.due_groups(now):
        async_task(WORK_OFF, save=False)
    return f"{deep} deep checks, {full} reconciliations"


@discreet
def work_off() -> int:
    """Background work for a plain qcluster: one such task at a time, so that polls keep the other workers."""
    token = leases.new_token()
    if not leases.claim([WORK_OFF_KEY], token, now=timezone.now(), seconds=settings.TASK_SECONDS):
        return 0
    try:
        return background.work_off(seconds=WORK_OFF_SECONDS, closing=is_closing, pause=1)
    finally:
        leases.release([WORK_OFF_KEY], token)


@discreet
@remembered
def watch() -> int:
    """Look for what would go wrong in silence: the minute's schedule. What fails does not stop the rest."""
    now = timezone.now()
    faults: list[Exception] = []
    findings: list[Finding] | None = None
    with failures.apart("sync.retention.wake_overdue", faults):
        retention.wake_overdue(now)
    with failures.apart("sync.metrics.hourly.count_hours", faults):
        hourly.count_hours(now)
    with failures.apart("sync.metrics.counters.count", faults):
        counters.count(now)
    with failures.apart("sync.findings.watch", faults):
        findings = sync_findings.watch()
    if findings is not None:
        with failures.apart("core.monitoring.alerts.notify.alert", faults):
            notify.alert(findings, now)
    if faults:
        raise faults[0]
    return len(findings or ())


@discreet
@remembered
def housekeep() -> dict[str, int]:
    """Age out what settings say, free what died."""
    return retention.housekeep(timezone.now(), said=lambda text: progress(housekeep, text))
