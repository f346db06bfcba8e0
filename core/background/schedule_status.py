"""How scheduled work went: begun, ended, with what result. For the admin and the monitors."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from core.background import failures
from core.models import ScheduleStatus

DIED = "killed"  # in place of an error's name
DYING_SECONDS = 60  # after its time is over; then it is surely gone

Result = TypeVar("Result")

logger = logging.getLogger("poller.jobs")


def remembered(work: Callable[[], Result]) -> Callable[[], Result]:
    """Decorator of a task that a schedule runs; its row is called as the task's dotted path."""
    name = f"{work.__module__}.{work.__name__}"

    @wraps(work)
    def run() -> Result:
        if _died(name):
            failures.failed(name, DIED)
        _note(name, started_at=timezone.now(), finished_at=None)
        try:
            with failures.counted(name):
                result = work()
        except (Exception, SystemExit) as error:
            _note(name, finished_at=timezone.now(), error=type(error).__name__, result="")
            raise
        now = timezone.now()
        _note(name, finished_at=now, good_at=now, error="", result=words(result), asked_by="", asked_at=None)
        return result

    return run


def progress(work: Callable[[], Any], said: str) -> None:
    """Progress of a long one, for pages and commands."""
    _note(f"{work.__module__}.{work.__name__}", result=said[:300])


def words(result: Any) -> str:
    """What a task returned, without what is nothing."""
    if isinstance(result, dict):
        return ", ".join(f"{name} {count}" for name, count in result.items() if count)[:300]
    return "" if result is None else str(result)[:300]


def _died(name: str) -> bool:
    """The run before began, and its worker was killed over it: nothing else leaves it without an end."""
    late = timezone.now() - timedelta(seconds=settings.TASK_SECONDS + DYING_SECONDS)
    try:
        return ScheduleStatus.objects.filter(
            name=name, finished_at__isnull=True, started_at__lt=late
        ).exists()
    except DatabaseError:
        return False


def _note(name: str, **values: Any) -> None:
    """Work is not to fail because its record does."""
    try:
        if not ScheduleStatus.objects.filter(name=name).update(**values):
            ScheduleStatus.objects.create(name=name, **{"started_at": timezone.now()} | values)
    except DatabaseError as error:
        logger.warning("How %s went could not be recorded: %s", name, type(error).__name__)
