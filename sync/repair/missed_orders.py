"""Orders that polls should have seen first: how many are plausible, and a look-back that was too short."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sync import ledger
from sync.models import PollState, SeenOrder
from sync.orders import Change
from sync.polling import window
from sync.polling.plausibility import too_many_old
from sync.polling.turn import Turn

MARGIN = timedelta(minutes=10)
LONGEST_LOOKBACK = timedelta(days=1)
WIDER_FOR = timedelta(days=7)


def next_window(mine: Turn) -> datetime:
    """The beginning of the next poll's window: no poll sees what was written before."""
    state = mine.state
    end = state.window_to or mine.clock()
    return window.since(end, state.lookback_seconds(mine.connection, mine.clock()))


def orders(mine: Turn, page: Sequence[Change]) -> list[Change]:
    """Orders of a page that nobody knows although they were written before the window of the next poll."""
    since = next_window(mine)
    known = ledger.known({mine.connection.pk: [change.order_id for change in page]})
    return [
        change
        for change in page
        if (mine.connection.pk, change.order_id) not in known
        and not change.cancelled
        and change.write_date < since
        and not mine.start.is_before(change.order_id, change.date_order)
    ]


def open_orders(mine: Turn) -> int:
    return SeenOrder.objects.known_as_open(mine.connection).count()


def too_many(mine: Turn, number: int) -> bool:
    return too_many_old(number, open_orders(mine))


def look_back_further(mine: Turn, found: Sequence[Change]) -> None:
    """Let polls look back far enough to have seen these, for some days, and say why.

    A transaction took longer than the look-back, or the clock of the database, which stamps orders, is behind
    that of the web server, by which windows are read.
    """
    state, now = mine.state, mine.clock()
    if state.window_to is None:
        return
    wanted = state.window_to - min(change.write_date for change in found) + MARGIN
    seconds = int(min(wanted, LONGEST_LOOKBACK).total_seconds())
    PollState.objects.filter(connection=mine.connection).update(
        wider_lookback_seconds=max(seconds, state.wider_lookback_seconds),
        wider_until=now + WIDER_FOR,
        missed_detail=_clocks(mine, len(found)),
    )


def _clocks(mine: Turn, number: int) -> str:
    stamp, server = mine.source.last_written(), mine.client.server_time
    return f"{number}; {_shown(stamp)} / {_shown(server)}"


def _shown(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "-"
