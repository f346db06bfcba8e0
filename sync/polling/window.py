"""Which span of time a poll reads. Pure; moments are UTC, those on the server's clock say so.

Odoo stamps a row with the *start* of its transaction, and the stamp shows when the transaction ends. So each
window begins a look-back before the end of the last one, and a window ends at a moment before which the
server had surely begun to answer.
"""

from datetime import datetime, timedelta


def read_at(server_time: datetime, call_seconds: float) -> datetime:
    """A whole second on the server's clock that was over when it began to read for this answer.

    `server_time` is the answer's Date header: when the answer was ready, with its fraction cut off.
    """
    return (server_time - timedelta(seconds=call_seconds)).replace(microsecond=0) - timedelta(seconds=1)


def since(window_to: datetime, lookback_seconds: int) -> datetime:
    return window_to.replace(microsecond=0) - timedelta(seconds=lookback_seconds)


def clock_ran_back(
    window_to: datetime, window_at: datetime, *, server_now: datetime, now: datetime
) -> datetime | None:
    """The end of the last window on the server's clock of today, if that clock was set back since; else None.

    `window_at` and `now` are our own clock at the end of the last window and now.
    """
    end_today = server_now - (now - window_at)
    return end_today if end_today < window_to - timedelta(seconds=30) else None
