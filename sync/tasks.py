"""What django-q2 runs. Arguments are a lease token and ids: never a secret, never personal data."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.utils import timezone
from django_q.tasks import async_task

from sync import draining, housekeeping, polling, scheduling
from sync.models import PollState

POLL, DELIVER = "sync.tasks.poll", "sync.tasks.deliver"


def poll(token: str, ids: Sequence[int]) -> int:
    """Poll a claimed batch. Run late or twice it finds its leases gone and does nothing."""
    return len(polling.poll(token, ids))


def deliver(token: str, ids: Sequence[int]) -> int:
    """Deliver what a claimed batch owes. Run late or twice it finds its leases gone and does nothing."""
    return len(draining.deliver_due(token, ids))


def tick() -> str:
    """Claim what is due and hand it to the queue: the minute's schedule, so that a plain qcluster polls."""
    now = timezone.now()
    PollState.objects.create_missing(now)
    limit = settings.BATCH_SIZE * settings.WORKERS * 2
    polls = hand_out(POLL, scheduling.claim_polls(now, limit))
    deliveries = hand_out(DELIVER, scheduling.claim_deliveries(now, limit))
    return f"{polls} polls, {deliveries} deliveries"


def hand_out(task: str, claim: scheduling.Claim, *, broker: object | None = None) -> int:
    """Queue a claim in batches; returns the number of connections."""
    token, ids = claim
    for start in range(0, len(ids), settings.BATCH_SIZE):
        async_task(task, token, ids[start : start + settings.BATCH_SIZE], broker=broker, save=False)
    return len(ids)


def housekeep() -> dict[str, int]:
    """Age out what settings say, free what died."""
    return housekeeping.housekeep(timezone.now())
