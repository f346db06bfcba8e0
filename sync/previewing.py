"""What the newest order of a shop would send, for a person to look at; nothing is recorded, nothing sent."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from connections.errors import RemoteError, on_side
from connections.models import Connection
from connections.odoo.client import connect
from connections.odoo.stages import Step
from sync import payload
from sync.deciding import CONFIRMED
from sync.orders import Order
from sync.sources.odoo import PROBED, OdooSource

NAME: Any = _("The newest order becomes a payload")
EVENT_ID = "evt_preview"


def preview(connection: Connection, *, now: datetime) -> tuple[Step, bytes | None]:
    """The answer as a stage of the test, and the body, None where there is none. Never raises."""
    began = time.monotonic()
    code, detail, body = "", "", None
    try:
        source = OdooSource(connect(connection, None, now=now, wanted=PROBED), connection.company_id)
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
        payload.content(order, database=connection.database),
        connection_external_id=connection.external_id,
        database=connection.database,
        event=CONFIRMED,
        event_id=EVENT_ID,
        version=1,
        replay=False,
        order_id=order.order_id,
        occurred_at=order.write_date or now,
    )
