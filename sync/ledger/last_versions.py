"""The end of an order that its source has no longer, put together from what we sent of it last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from connections.models import Connection
from sync.events import payload
from sync.ledger.known import Found, Key, by_connection, matching
from sync.models import RetryItem, SeenOrder
from sync.orders import Address, Order, Party

NOWHERE = Address("", "", "", "", "", "", "", "")
NOBODY = Party(None, "", "", "", "", "", "", NOWHERE)
PARTS = ("order", "customer", "shipping_address", "items")


def endings(keys: Iterable[Key], connections: Mapping[int, Connection], now: datetime) -> dict[Key, Found]:
    """These orders as cancelled now; the bare order where the bytes have aged out."""
    wanted = by_connection(keys)
    bodies = _last_bodies(wanted)
    rows = SeenOrder.objects.filter(matching(SeenOrder, wanted))
    return {
        (row.connection_id, row.order_id): _ended(
            connections[row.connection_id], row, bodies.get((row.connection_id, row.order_id)), now
        )
        for row in rows
    }


def _ended(connection: Connection, row: SeenOrder, content: payload.Content | None, now: datetime) -> Found:
    stamp = now.replace(microsecond=0)
    if content is None:
        bare = Found.of(connection, _bare(row))
        return replace(bare, write_date=stamp, created_at=row.created_in_odoo, company_id=row.company_id)
    content["order"] |= {"state": "cancel"}
    return Found(
        connection=connection,
        order_id=row.order_id,
        name=row.order_name,
        reference=row.reference,
        state="cancel",
        write_date=stamp,
        content=content,
        content_hash=payload.content_hash(content),
        created_at=row.created_in_odoo,
        company_id=row.company_id,
    )


def _last_bodies(wanted: dict[int, list[int]]) -> dict[Key, payload.Content]:
    items = RetryItem.objects.filter(matching(RetryItem, wanted), body__isnull=False)
    # The newest comes last and stays.
    rows = items.order_by("version").values_list("connection_id", "order_id", "body")
    bodies: dict[Key, Any] = {
        (number, order_id): orjson.loads(bytes(body)) for number, order_id, body in rows if body
    }
    return {key: payload.completed({part: body[part] for part in PARTS}) for key, body in bodies.items()}


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
