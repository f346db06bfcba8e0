"""The circuit of one side: when calls may go out. Pure: health in, health out; `now` is given."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

OPEN_AFTER = 5
OPEN_SECONDS = 120
CLOSE_AFTER = 2
# What a side that answers HTTP 429 is left alone for at least, by how often it did so in a row. The whole
# side waits, so the last step is ten minutes and not the hours of a single version.
WAIT_SECONDS = (30, 60, 120, 240, 600)
UNNAMED_WAIT_SECONDS = 60

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half_open"


@dataclass(frozen=True, slots=True)
class Health:
    """How one side is doing. `failures` and `waits` are in a row, `successes` count while half open.

    `waits` are answers that asked for a pause (HTTP 429); `wait_until` ends the last one.
    """

    state: str = CLOSED
    failures: int = 0
    successes: int = 0
    opened_at: datetime | None = None
    wait_until: datetime | None = None
    error_code: str = ""
    waits: int = 0


def at(health: Health, now: datetime) -> Health:
    """An open circuit is half open once its time is over."""
    if health.state == OPEN and now >= _reopens_at(health, now):
        return replace(health, state=HALF_OPEN, successes=0)
    return health


def calls_allowed(health: Health, now: datetime) -> int | None:
    """How many calls may be under way: 0, 1 (the probe), or None for no limit."""
    if _is_waiting(health, now):
        return 0
    allowed = {CLOSED: None, HALF_OPEN: 1, OPEN: 0}[at(health, now).state]
    return 1 if allowed is None and health.waits else allowed


def next_call_at(health: Health, now: datetime) -> datetime:
    """The earliest moment at which a call is allowed."""
    moments = [now]
    if health.wait_until is not None:
        moments.append(health.wait_until)
    if health.state == OPEN:
        moments.append(_reopens_at(health, now))
    return max(moments)


def after_success(health: Health, now: datetime) -> Health:
    before, health = health, at(health, now)
    if health.state == OPEN:  # the answer to a call that left before it opened
        return health
    if health.state == HALF_OPEN and health.successes + 1 < CLOSE_AFTER:
        after = replace(health, successes=health.successes + 1, wait_until=None, waits=0)
    else:
        after = Health()
    if _is_waiting(before, now):  # it left before the wait began, and does not end it
        return replace(after, wait_until=before.wait_until, waits=before.waits)
    return after


def after_failure(health: Health, now: datetime, code: str) -> Health:
    health = at(health, now)
    if health.state == OPEN:
        return health
    failures = health.failures + 1
    if health.state == HALF_OPEN or failures >= OPEN_AFTER:
        return replace(health, state=OPEN, failures=failures, successes=0, opened_at=now, error_code=code)
    return replace(health, failures=failures, error_code=code)


def after_wait(health: Health, until: datetime) -> Health:
    """Nothing goes out before `until`. Another machine's word lengthens a wait, and never shortens one."""
    if health.wait_until is not None and until <= health.wait_until:
        return health
    return replace(health, wait_until=until)


def after_rate_limit(health: Health, now: datetime, asked: datetime | None) -> Health:
    """HTTP 429: no failure, but nothing goes out before `asked`, nor before our own growing pause is over."""
    asked = asked or now + timedelta(seconds=UNNAMED_WAIT_SECONDS)
    if _is_waiting(health, now):  # the answer to a call that left before the wait began
        return after_wait(health, asked)
    own = now + timedelta(seconds=WAIT_SECONDS[min(health.waits, len(WAIT_SECONDS) - 1)])
    return replace(after_wait(health, max(own, asked)), waits=health.waits + 1)


def works_again(before: Health, after: Health, now: datetime) -> bool:
    """Whether an outage, or a long row of waits, has just ended."""
    was_out = at(before, now).state != CLOSED or before.waits >= OPEN_AFTER
    return was_out and after.state == CLOSED and not after.waits


def _is_waiting(health: Health, now: datetime) -> bool:
    return health.wait_until is not None and now < health.wait_until


def _reopens_at(health: Health, now: datetime) -> datetime:
    return (health.opened_at or now) + timedelta(seconds=OPEN_SECONDS)
