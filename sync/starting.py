"""The first run of a connection: which orders count as known from before, and from when reading begins."""

from __future__ import annotations

import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

from connections.models import Connection, Start
from sync.ledger import Found
from sync.orders import Order
from sync.sources.odoo import OdooSource
from sync.windows import read_at

SEEDS = 30
IDS_PER_CALL = 20_000
EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class Beginning:
    """What the first look at a server gave. Moments are on the server's clock."""

    started_at: datetime
    since: datetime  # the first window begins here
    ids: bytes  # the orders that were confirmed then, packed
    seeds: list[Found]


def begin(connection: Connection, source: OdooSource, *, now: datetime) -> Beginning:
    """Look at a shop for the first time; writes nothing. Raises RemoteError."""
    ids = source.confirmed_ids(limit=IDS_PER_CALL)
    started_at = read_at(source.client.server_time or now, source.client.call_seconds)
    ids += _more_ids(source, ids)
    seeds: list[Found] = []
    if connection.start == Start.NOW:
        orders = source.read(source.newest(SEEDS))
        seeds = [Found.of(connection, o, before_start=True) for o in orders if isinstance(o, Order)]
    lookback = timedelta(seconds=connection.lookback_seconds)
    since = {
        Start.NOW: started_at - lookback,
        Start.DATE: (connection.start_at or started_at) - lookback,
        Start.ALL: EPOCH,
    }[Start(connection.start)]
    return Beginning(started_at, since, pack(ids), seeds)


def is_before_start(connection: Connection, order: Order, ids: StartIds, *, first_window: bool) -> bool:
    """Whether an order nobody has seen yet was confirmed before the start that people chose.

    It was, when it was confirmed already as we first looked, and neither the date nor "everything open",
    which is what the first window asks for, brings it in.
    """
    if connection.start == Start.ALL and first_window:
        return False
    if connection.start == Start.DATE and connection.start_at and order.date_order:
        return order.date_order < connection.start_at and order.order_id in ids
    return order.order_id in ids


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
    ids, page = [], first
    while len(page) == IDS_PER_CALL:
        page = source.confirmed_ids(after_id=page[-1], limit=IDS_PER_CALL)
        ids += page
    return ids
