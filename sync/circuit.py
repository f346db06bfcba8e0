"""The circuit of one side: when calls may go out. Pure: health in, health out; `now` is given."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

OPEN_AFTER = 5
OPEN_SECONDS = 120
CLOSE_AFTER = 2

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half_open"


@dataclass(frozen=True, slots=True)
class Health:
    """How one side is doing. `failures` are in a row, `successes` count while half open."""

    state: str = CLOSED
    failures: int = 0
    successes: int = 0
    opened_at: datetime | None = None
    wait_until: datetime | None = None
    error_code: str = ""


def at(health: Health, now: datetime) -> Health:
    """An open circuit is half open once its time is over."""
    if health.state == OPEN and now >= _reopens_at(health, now):
        return replace(health, state=HALF_OPEN, successes=0)
    return health


def calls_allowed(health: Health, now: datetime) -> int | None:
    """How many calls may be under way: 0, 1 (the probe), or None for no limit."""
    if health.wait_until is not None and now < health.wait_until:
        return 0
    return {CLOSED: None, HALF_OPEN: 1, OPEN: 0}[at(health, now).state]


def next_call_at(health: Health, now: datetime) -> datetime:
    """The earliest moment at which a call is allowed."""
    moments = [now]
    if health.wait_until is not None:
        moments.append(health.wait_until)
    if health.state == OPEN:
        moments.append(_reopens_at(health, now))
    return max(moments)


def after_success(health: Health, now: datetime) -> Health:
    health = at(health, now)
    if health.state == OPEN:  # the answer to a call that left before it opened
        return health
    if health.state == HALF_OPEN and health.successes + 1 < CLOSE_AFTER:
        return replace(health, successes=health.successes + 1, wait_until=None)
    return Health()


def after_failure(health: Health, now: datetime, code: str) -> Health:
    health = at(health, now)
    if health.state == OPEN:
        return health
    failures = health.failures + 1
    if health.state == HALF_OPEN or failures >= OPEN_AFTER:
        return Health(OPEN, failures, 0, now, health.wait_until, code)
    return replace(health, failures=failures, error_code=code)


def after_wait(health: Health, until: datetime) -> Health:
    """HTTP 429: not a failure, but nothing goes out before `until`."""
    return replace(health, wait_until=until)


def _reopens_at(health: Health, now: datetime) -> datetime:
    return (health.opened_at or now) + timedelta(seconds=OPEN_SECONDS)
