"""Bring the ledger up to what Odoo has, the normal way: a version is owed, delivered and logged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import orjson

from connections.models import Connection
from sync import ledger, payload
from sync.ledger import Found
from sync.models import RetryItem, SeenOrder, Status
from sync.orders import Address, Change, Order, Party, Unreadable
from sync.reading import read_whole
from sync.starting import taken_over
from sync.turns import Turn

OWED_BEFORE = "legacy_owed"
READ_AT_ONCE = 200
NOWHERE = Address("", "", "", "", "", "", "", "")
NOBODY = Party(None, "", "", "", "", "", "", NOWHERE)


def reread(mine: Turn, changes: Sequence[Change]) -> list[RetryItem]:
    """Read these orders whole, compare their content with the ledger, and owe what differs."""
    if not changes:
        return []
    wanted = {change.order_id: change for change in changes}
    orders, sure_until = read_whole(mine.source, list(wanted))
    found = [_found(mine, wanted[order.order_id], order, sure_until) for order in orders]
    with mine.writing() as now:
        return ledger.owe(found, now)


def reread_owed_before(mine: Turn) -> list[RetryItem]:
    """Read what another poller owed and owe it anew. What Odoo no longer shows needs a person."""
    marks = RetryItem.objects.filter(
        connection=mine.connection, status=Status.FAILED, error_code=OWED_BEFORE
    ).order_by("order_id")
    items: list[RetryItem] = []
    while rows := list(marks.values_list("order_id", "write_date")[:READ_AT_ONCE]):
        items += reread(mine, [Change(order_id, stamp, "sale") for order_id, stamp in rows])
        marks.filter(order_id__in=[order_id for order_id, _ in rows]).update(error_code="legacy_gone")
    return items


def cancel_gone(mine: Turn, order_ids: Sequence[int]) -> list[RetryItem]:
    """Tell the receiver that these orders are no longer confirmed in Odoo: deleted, or quotations again."""
    if not order_ids:
        return []
    bodies = _last_bodies(mine.connection, order_ids)
    with mine.writing() as now:
        rows = SeenOrder.objects.filter(connection=mine.connection, order_id__in=order_ids)
        return ledger.owe([_gone(mine.connection, row, bodies, now) for row in rows], now)


def _found(mine: Turn, change: Change, order: Order | Unreadable, sure_until: datetime | None) -> Found:
    if isinstance(order, Unreadable):
        before = mine.start.is_before(change.order_id, change.date_order)
        return Found.unreadable(mine.connection, change, order.reason, before_start=before)
    before = mine.start.is_before(order.order_id, order.date_order)
    earlier = taken_over(mine.start.taken_over_until, order)
    return Found.of(mine.connection, order, sure_until=sure_until, before_start=before, taken_over=earlier)


def _gone(
    connection: Connection, row: SeenOrder, bodies: Mapping[int, payload.Content], now: datetime
) -> Found:
    """What we sent of it last, as cancelled; the bare order where those bytes have aged out."""
    if row.order_id not in bodies:
        return replace(Found.of(connection, _bare(row)), write_date=now.replace(microsecond=0))
    content = bodies[row.order_id]
    content["order"] |= {"state": "cancel"}
    return Found(
        connection=connection,
        order_id=row.order_id,
        name=row.order_name,
        reference=row.reference,
        state="cancel",
        write_date=now.replace(microsecond=0),
        content=content,
        content_hash=payload.content_hash(content),
    )


def _last_bodies(connection: Connection, order_ids: Sequence[int]) -> dict[int, payload.Content]:
    items = RetryItem.objects.filter(connection=connection, order_id__in=order_ids, body__isnull=False)
    rows = items.order_by("version").values_list("order_id", "body")  # the newest comes last and stays
    bodies = {order_id: orjson.loads(bytes(body)) for order_id, body in rows if body}
    parts = ("order", "customer", "shipping_address", "items")
    return {
        order_id: payload.completed({part: body[part] for part in parts}) for order_id, body in bodies.items()
    }


def _bare(row: SeenOrder) -> Order:
    return Order(
        order_id=row.order_id,
        name=row.order_name,
        state="cancel",
        locked=None,
        date_order=None,
        write_date=row.write_date,
        commitment_date=None,
        amount_untaxed=0.0,
        amount_tax=0.0,
        amount_total=0.0,
        currency="",
        note="",
        client_order_ref=row.reference,
        origin=None,
        warehouse=None,
        company=None,
        salesperson=None,
        customer=NOBODY,
        shipping=NOBODY,
        lines=(),
    )
