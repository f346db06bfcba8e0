"""When a failed delivery is tried again. Pure; chance is given."""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import random

# Half a minute to ten minutes, then hours; the last step repeats for as long as it takes.
STEPS_SECONDS = (30, 60, 120, 240, 600, 3600, 2 * 3600, 4 * 3600, 6 * 3600)
JITTER = 0.1
MAX_REFUSALS = 5


def next_retry_at(
    attempts: int, now: datetime, *, retry_at: datetime | None = None, chance: Callable[[], float] = random
) -> datetime:
    """The time of the next try after `attempts` (1 or more) failed ones, never before the receiver's word."""
    step = STEPS_SECONDS[min(attempts, len(STEPS_SECONDS)) - 1]
    at = now + timedelta(seconds=step * (1 + JITTER * chance()))
    return max(at, retry_at) if retry_at else at
