"""The django-q2 schedules that belong to the code: few, made and mended at each migrate and each start.

A row says when something runs, never what: that is written here. Rows of others do not run at all.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import close_old_connections, transaction
from django.db.models import F, Q
from django.utils import timezone
from django_q.models import Schedule
from django_q.tasks import async_task

from connections import leases
from core.models import ScheduleStatus

LEASE_KEY = "schedules"
OURS = "sync.tasks."
LOST = timedelta(minutes=5)  # the queue may lose a task: then it may be asked for again

logger = logging.getLogger("poller.schedules")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One schedule as its row has to be; times of day are nobody's business here."""

    name: str
    func: str
    schedule_type: str
    minutes: int
    repeats: int = -1
    cluster: str | None = None
    args: str | None = None
    kwargs: str | None = None
    hook: str | None = None
    cron: str | None = None
    intended_date_kwarg: str | None = None


WANTED = (
    # runpoller looks each second. This keeps a plain qcluster polling, and a runpoller whose own loop fails.
    Wanted("poller: tick", "sync.tasks.tick", Schedule.MINUTES, minutes=1),
    Wanted("poller: deep checks and reconciliations", "sync.tasks.check", Schedule.MINUTES, minutes=1),
    Wanted("poller: watch", "sync.tasks.watch", Schedule.MINUTES, minutes=1),
    Wanted("poller: housekeeping", "sync.tasks.housekeep", Schedule.MINUTES, minutes=5),
)
BY_NAME = {wanted.name: wanted for wanted in WANTED}


def ensure() -> int:
    """Make what is missing, mend what differs, delete doubles; returns how many rows were touched.

    Names are not unique in django-q2's table, so one process at a time does this.
    """
    token = leases.new_token()
    if not leases.claim([LEASE_KEY], token, now=timezone.now()):
        return 0
    try:
        with transaction.atomic():
            touched = sum(_ensure(wanted) for wanted in WANTED)
    finally:
        leases.release([LEASE_KEY], token)
    for row in foreign():
        logger.warning("%s. It never runs. Delete this row of django_q_schedule.", row)
    return touched


def _ensure(wanted: Wanted) -> int:
    fields = asdict(wanted)
    rows = list(Schedule.objects.filter(name=wanted.name).order_by("pk"))
    if not rows:
        Schedule.objects.create(**fields, next_run=timezone.now())
        return 1
    doubles, __ = Schedule.objects.filter(pk__in=[row.pk for row in rows[1:]]).delete()
    if all(getattr(rows[0], name) == value for name, value in fields.items()):
        return int(doubles)
    return int(doubles) + int(Schedule.objects.filter(pk=rows[0].pk).update(**fields))


def run_now(names: Iterable[str], *, by: str) -> int:
    """Queue the work of these schedules, of ours only, beside their own clock; returns how many.

    One that was asked for before and has not ended is not queued again.
    """
    funcs = [wanted.func for wanted in WANTED if wanted.name in set(names)]
    now = timezone.now()
    fresh = [func for func in funcs if _ask(func, by, now)]
    for func in fresh:
        async_task(func, save=False)
    return len(fresh)


def _ask(func: str, by: str, now: datetime) -> bool:
    """False where somebody has asked for it and it has not ended since."""
    asked = {"asked_at": now, "asked_by": by}
    ended = Q(finished_at__gte=F("asked_at")) | Q(asked_at__isnull=True) | Q(asked_at__lt=now - LOST)
    if ScheduleStatus.objects.filter(ended, name=func).update(**asked):
        return True
    return ScheduleStatus.objects.get_or_create(name=func, defaults=asked | {"started_at": now})[1]


def queue_due(broker: Any = None) -> int:
    """Queue those of ours that are due; returns how many. In the place of django-q2's own scheduler."""
    close_old_connections()
    try:
        now = timezone.now()
        rows = Schedule.objects.filter(name__in=BY_NAME, next_run__lt=now).order_by("pk")
        return sum(_queue(row, now, broker) for row in rows)
    except Exception:  # the guard that calls this must live; the next call is in half a minute
        logger.exception("The schedules could not be looked at")
        return 0


@transaction.atomic
def _queue(row: Schedule, now: datetime, broker: Any) -> bool:
    """Where the queue is away the clock is not moved either. Only one process moves it."""
    wanted = BY_NAME[row.name]
    pause = timedelta(minutes=wanted.minutes)
    next_run = row.next_run + pause * (
        (now - row.next_run) // pause + 1
    )  # what was missed is not made up for
    moved = Schedule.objects.filter(pk=row.pk, next_run=row.next_run).update(next_run=next_run)
    if moved:
        async_task(wanted.func, group=wanted.name, broker=broker)
    return bool(moved)


def foreign(*, harmless: bool = True) -> list[str]:
    """A few words about each schedule that is not ours; without `harmless`, of other functions only.

    During an upgrade the rows of the newer version are foreign to the older one, and harmless.
    """
    ours = [wanted.func for wanted in WANTED]
    rows = Schedule.objects.exclude(name__in=BY_NAME, func__in=ours).order_by("pk")
    return [
        f"Schedule {row.pk} ({row.name or 'no name'}) names {row.func}, which is not the poller's"
        for row in rows
        if harmless or not row.func.startswith(OURS)
    ]
