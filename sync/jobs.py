"""How scheduled work went: begun, ended, with what result. For the desk and the monitors."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.db import DatabaseError
from django.utils import timezone

from sync.models import Job

Result = TypeVar("Result")

logger = logging.getLogger("poller.jobs")


def remembered(work: Callable[[], Result]) -> Callable[[], Result]:
    """Decorator of a task that a schedule runs; its row is called as the task's dotted path."""
    name = f"{work.__module__}.{work.__name__}"

    @wraps(work)
    def run() -> Result:
        _note(name, started_at=timezone.now(), finished_at=None)
        try:
            result = work()
        except Exception as error:
            _note(name, finished_at=timezone.now(), error=type(error).__name__, result="")
            raise
        now = timezone.now()
        _note(name, finished_at=now, good_at=now, error="", result=words(result), asked_by="", asked_at=None)
        return result

    return run


def progress(work: Callable[[], Any], said: str) -> None:
    """How far a long one has come, for whoever looks."""
    _note(f"{work.__module__}.{work.__name__}", result=said[:300])


def words(result: Any) -> str:
    """What a task returned, without what is nothing."""
    if isinstance(result, dict):
        return ", ".join(f"{name} {count}" for name, count in result.items() if count)[:300]
    return "" if result is None else str(result)[:300]


def _note(name: str, **values: Any) -> None:
    """Work is not to fail because its record does."""
    try:
        if not Job.objects.filter(name=name).update(**values):
            Job.objects.create(name=name, **{"started_at": timezone.now()} | values)
    except DatabaseError as error:
        logger.warning("How %s went could not be recorded: %s", name, type(error).__name__)
