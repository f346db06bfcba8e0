"""When a connection is polled next. Pure: moments in, a moment out."""

from datetime import datetime, timedelta

GOLDEN_RATIO = 0.6180339887498949
SLOTS = 20
AT_ITS_MOMENT = 0.01  # of the pause
QUIET_SHARE = 1 / 60  # of the time since the last order


def pause(shortest: timedelta, longest: timedelta | None, *, quiet_for: timedelta) -> timedelta:
    """The time between two polls. A shop may be asked less and less often, the longer it has no orders.

    `longest` is what a person allowed for that; None: the pause is always the same.
    """
    return shortest if longest is None else max(shortest, min(longest, quiet_for * QUIET_SHARE))


def next_poll_at(started_at: datetime, pause: timedelta, *, number: int) -> datetime:
    """The next of this connection's own moments, which lie `pause` apart, at most `pause` after this poll.

    Neighbouring numbers have moments far from each other, so that connections that were all polled at once,
    as after a standstill, are spread over the whole pause again the next time.
    """
    seconds = pause.total_seconds()
    slots = max(1, min(SLOTS, int(seconds)))  # moments shared by some: a batch costs less than each alone
    place = int(number * GOLDEN_RATIO % 1 * slots) / slots * seconds
    left = seconds - (started_at.timestamp() - place) % seconds
    if left < seconds * AT_ITS_MOMENT:
        left = seconds
    elif left < seconds / 4:  # a step in between, so that it is neither polled at once nor later than allowed
        left = (seconds + left) / 2
    return started_at + timedelta(seconds=left)
