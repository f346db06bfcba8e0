"""What the newest order of a shop would send, for a person to look at; nothing is recorded, nothing sent."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from connections.errors import RemoteError, on_side
from connections.models import Connection
from connections.odoo.client import connect
from connections.odoo.connection_test import Step
from sync.events import payload
from sync.events.decide import CONFIRMED
from sync.orders import Order
from sync.sources.odoo.source import PROBED, OdooSource

NAME: Any = _("The newest order becomes a payload")
EVENT_ID = "evt_preview"
SECONDS = 60.0  # for all its calls to Odoo


def preview(connection: Connection, *, now: datetime) -> tuple[Step, bytes | None]:
    """The answer as a stage of the test, and the body, None where there is none. Never raises."""
    began = time.monotonic()
    code, detail, body = "", "", None
    try:
        client = connect(connection, None, now=now, wanted=PROBED, seconds=SECONDS)
        source = OdooSource(client, connection.company_id)
        orders = source.read(source.newest(1))
        if not orders:
            code = "odoo_no_orders"
        elif isinstance(orders[0], Order):
            body, detail = _body(connection, orders[0], now), orders[0].name
        else:
            code, detail = "odoo_unreadable_order", orders[0].reason
    except RemoteError as error:
        fault = on_side("odoo", error)
        code, detail = fault.code, fault.detail
    seconds = round(time.monotonic() - began, 3)
    ok = True if body else None if code == "odoo_no_orders" else False
    return Step(NAME, ok, code, detail, seconds), body


def _body(connection: Connection, order: Order, now: datetime) -> bytes:
    return payload.event_body(
        payload.content(order, database=connection.database_in_ids),
        connection_external_id=connection.external_id,
        database=connection.database_in_ids,
        event=CONFIRMED,
        event_id=EVENT_ID,
        version=1,
        replay=False,
        order_id=order.order_id,
        occurred_at=order.write_date or now,
    )
