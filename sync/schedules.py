"""The django-q2 schedules that belong to the code: few, made and mended at each migrate and each start."""

from __future__ import annotations

import ast
import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django_q.models import Schedule
from django_q.tasks import async_task

from connections import leases
from sync.models import Job

LEASE_KEY = "schedules"
LOST = timedelta(minutes=5)  # the queue may lose a task: then it may be asked for again

logger = logging.getLogger("poller.schedules")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One schedule as its row has to be; times of day are nobody's business here."""

    name: str
    func: str
    schedule_type: str
    minutes: int | None = None
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
    for problem in strangers():
        logger.warning("%s", problem)
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
    if Job.objects.filter(ended, name=func).update(**asked):
        return True
    return Job.objects.get_or_create(name=func, defaults=asked | {"started_at": now})[1]


def strangers() -> list[str]:
    """A sentence about each schedule that is not ours. They are left alone: somebody may want them."""
    ours = [wanted.name for wanted in WANTED]
    return [_about(row) for row in Schedule.objects.exclude(name__in=ours).order_by("pk")]


def _about(row: Schedule) -> str:
    who = f"Schedule {row.pk} ({row.name or 'no name'}) runs {row.func} and was made by hand"
    if not _is_readable(row):
        return f"{who}. It is malformed and stops every schedule: delete this row of django_q_schedule."
    return f"{who}. It was left alone; if nobody knows it, delete this row of django_q_schedule."


def _is_readable(row: Schedule) -> bool:
    """django-q2 gives up on all schedules when it cannot make sense of one of these two."""
    try:
        ast.literal_eval(row.args or "()")
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        return False
    return row.schedule_type in dict(Schedule.TYPE)
