"""The first run of a connection: which orders count as known from before, and from when reading begins."""

from __future__ import annotations

import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

from connections import faultpoints
from connections.errors import Contract
from connections.models import Connection, Start
from sync.events.decide import TakenOver
from sync.ledger import Found
from sync.models import PollState
from sync.orders import Order
from sync.polling.window import read_at
from sync.sources.odoo.source import OdooSource

SEEDS = 30
IDS_PER_CALL = 20_000
MOST_CALLS = 100  # no shop has two million confirmed orders: a server that goes on makes them up
EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class Beginning:
    """What the first look at a server gave. Moments are on the server's clock."""

    started_at: datetime  # nothing in `ids` was confirmed later than this
    since: datetime  # the first window begins here
    ids: bytes  # the orders that were confirmed then, packed
    seeds: list[Found]


def first_look(connection: Connection, source: OdooSource, *, now: datetime) -> Beginning:
    """Look at a shop for the first time; writes nothing. Raises RemoteError."""
    faultpoints.at("looking", connection)
    ids = source.confirmed_ids(limit=IDS_PER_CALL)
    began_at = read_at(source.client.server_time or now, source.client.call_seconds)
    ids += _more_ids(source, ids)
    started_at = source.client.server_time or now
    seeds: list[Order] = []
    if connection.start == Start.NOW:
        known = set(ids)
        newest = [order_id for order_id in source.newest(SEEDS) if order_id in known]
        seeds = [order for order in source.read(newest) if isinstance(order, Order)]
        started_at = max([started_at, *_dated_ahead(seeds, source.client.server_time or now)])
    lookback = timedelta(seconds=connection.lookback_seconds)
    since = {
        Start.NOW: began_at - lookback,
        Start.DATE: (connection.start_at or began_at) - lookback,
        Start.ALL: EPOCH,
    }[Start(connection.start)]
    found = [Found.of(connection, order) for order in seeds]
    beginning = Beginning(started_at, since, pack(ids), found)
    faultpoints.at("looked", (connection, beginning))
    return beginning


@dataclass(frozen=True, slots=True)
class StartLine:
    """Which orders were confirmed before the start that people chose, and not again since.

    Those that were confirmed already as we first looked, where neither the date nor "everything open", which
    is what the first window asks for, brings them in. Odoo dates an order anew each time it is confirmed.
    """

    connection: Connection
    started_at: datetime | None
    ids: StartIds
    taken_over_until: datetime | None = None

    @classmethod
    def of(cls, connection: Connection) -> StartLine:
        rows = PollState.objects.filter(connection=connection)
        columns = rows.values_list("started_at", "start_ids", "taken_over_until")
        started_at, packed, until = columns.first() or (None, None, None)
        return cls(connection, started_at, StartIds(bytes(packed) if packed else None), until)

    def is_before(self, order_id: int, date_order: datetime | None, *, first_window: bool = False) -> bool:
        if order_id not in self.ids or (self.connection.start == Start.ALL and first_window):
            return False
        if date_order is None:
            return True
        if self.started_at is not None and date_order > self.started_at:
            return False
        start_at = self.connection.start_at if self.connection.start == Start.DATE else None
        return start_at is None or date_order < start_at


def taken_over(until: datetime | None, order: Order) -> TakenOver:
    """What the poller before us delivered of an order that the ledger does not know, by its moments."""
    if until is None:
        return TakenOver.NOTHING
    if order.write_date <= until:
        return TakenOver.VERSION
    earlier = order.date_order is not None and order.date_order <= until
    return TakenOver.ORDER if earlier else TakenOver.NOTHING


def _dated_ahead(orders: Iterable[Order], server_now: datetime) -> list[datetime]:
    """Dates that the server's clock has yet to reach: it was set back, and all of them are from before."""
    return [order.date_order for order in orders if order.date_order and order.date_order > server_now]


class StartIds:
    """The ids that were confirmed at the start: a sorted array, two or three bytes an id while stored."""

    def __init__(self, packed: bytes | None) -> None:
        gaps = array("q")
        gaps.frombytes(zlib.decompress(packed) if packed else b"")
        self._ids = array("q", accumulate(gaps))

    def __contains__(self, order_id: int) -> bool:
        place = bisect_left(self._ids, order_id)
        return place < len(self._ids) and self._ids[place] == order_id


def pack(ids: Iterable[int]) -> bytes:
    """Sorted ids as compressed gaps: a million of them take a few hundred kilobytes."""
    gaps, last = array("q"), 0
    for order_id in sorted(set(ids)):
        gaps.append(order_id - last)
        last = order_id
    return zlib.compress(gaps.tobytes())


def _more_ids(source: OdooSource, first: list[int]) -> list[int]:
    """Raises Contract for a list without an end."""
    ids: list[int] = []
    page = first
    for _ in range(MOST_CALLS):
        if len(page) < IDS_PER_CALL:
            return ids
        page = source.confirmed_ids(after_id=page[-1], limit=IDS_PER_CALL)
        ids += page
    raise Contract("odoo_broken_answer", "a list of orders without an end")
