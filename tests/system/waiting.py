"""Waiting for something to happen, with a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class TooLate(AssertionError):
    """It did not happen in time."""


def until(condition: Callable[[], T], seconds: float, what: str, *, each: float = 0.1) -> T:
    """The first true answer of `condition`. Raises TooLate with `what` in its text."""
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise TooLate(f"not within {seconds:.0f} s: {what}")
        time.sleep(each)
