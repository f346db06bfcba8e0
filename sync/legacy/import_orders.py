"""What another poller sent and owed enters the ledger: versions that add up, known by their stamps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from connections.models import Connection
from sync import ledger
from sync.events.decide import BY_STAMP, CONFIRMED, UPDATED
from sync.ledger.known import known
from sync.legacy.history import Fate, OrderHistory
from sync.models import RetryItem, SeenOrder, SentOrder, Status

CHUNK = 1000
CODES = {Fate.OWED: "legacy_owed", Fate.GAVE_UP: "legacy_gave_up"}


def import_orders(connection: Connection, orders: Sequence[OrderHistory], now: datetime) -> int:
    """Record the orders that are not known yet; returns how many. The caller holds `lock`."""
    there = known({connection.pk: [order.order_id for order in orders]})
    fresh = [order for order in orders if (connection.pk, order.order_id) not in there]
    for start in range(0, len(fresh), CHUNK):
        chunk = fresh[start : start + CHUNK]
        ledger.add_imported(
            [_seen(connection, order, now) for order in chunk],
            [row for order in chunk for row in _sent_orders(connection, order)],
            [_imported_item(connection, order) for order in chunk if order.untold],
        )
    return len(fresh)


def _seen(connection: Connection, order: OrderHistory, now: datetime) -> SeenOrder:
    untold = order.untold
    stamp = untold.write_date if untold else order.told[-1].write_date
    owed = untold is not None and untold.fate is Fate.OWED
    return SeenOrder(
        connection=connection,
        order_id=order.order_id,
        order_name=order.name[:100],
        state="sale",
        # What is owed is read at the first sight of it: its stamp equals none of Odoo's, its hash no content.
        write_date=stamp.replace(microsecond=1 if owed else 0),
        content_hash="" if owed else BY_STAMP,
        version=len(order.told) + (untold is not None),
        announced="confirmed" if order.told else "",
        seen_at=now,
    )


def _sent_orders(connection: Connection, order: OrderHistory) -> list[SentOrder]:
    return [
        SentOrder(
            connection=connection,
            order_id=order.order_id,
            order_name=order.name[:100],
            version=version,
            event=CONFIRMED if version == 1 else UPDATED,
            write_date=told.write_date,
            content_hash=BY_STAMP,
            sent_at=told.sent_at,
        )
        for version, told in enumerate(order.told, start=1)
    ]


def _imported_item(connection: Connection, order: OrderHistory) -> RetryItem:
    untold = order.untold
    assert untold is not None  # noqa: S101 - the caller chose them so
    item = RetryItem(
        connection=connection,
        order_id=order.order_id,
        order_name=order.name[:100],
        version=len(order.told) + 1,
        event=UPDATED if order.told else CONFIRMED,
        write_date=untold.write_date,
        content_hash=BY_STAMP,
        attempts=untold.attempts,
        error_detail=untold.error[:500],
        created_at=untold.since,
    )
    if untold.fate is Fate.DISCARDED:
        item.status, item.closed_at = Status.DISCARDED, untold.since
        item.discarded_by, item.discard_reason = "poller.db", untold.error[:300]
    else:  # without its body nobody can try it: either it is read again, or a person decides
        item.status, item.error_code = Status.FAILED, CODES[untold.fate]
    return item
