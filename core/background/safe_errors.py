"""What the queue keeps of a task that failed: anybody who may see the queue reads it."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Result = TypeVar("Result")

logger = logging.getLogger("poller.tasks")


class TaskFailed(Exception):
    """Which kind of error ended a task, and where; the log has the whole way."""


def discreet(work: Callable[Given, Result]) -> Callable[Given, Result]:
    """Decorator of a task. django-q2 stores the words of what it raises, and these may quote an order."""

    @wraps(work)
    def run(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        try:
            return work(*args, **kwargs)
        except Exception as error:
            logger.exception("A task failed in our own code: %s", work.__name__)
            last = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{last.filename}:{last.lineno}"
            raise TaskFailed(f"{type(error).__name__} at {where}; the log says more") from None

    return run
