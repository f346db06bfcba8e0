"""The bodies we send for every recorded case of a version; `python -m tests.golden` writes the files anew."""

import json
from pathlib import Path

from sync.events import payload
from sync.sources.odoo.source import OdooSource
from tests.doubles.recorded_odoo import VERSIONS, RecordedOdoo, cases

HERE = Path(__file__).parent


def path(major):
    return HERE / f"v{major}.json"


def text(major):
    """What the golden file of this version should hold: case -> body."""
    written = {case: json.loads(body) for case, body in bodies(major).items()}
    return json.dumps(written, indent=1, ensure_ascii=False) + "\n"


def bodies(major):
    """case -> the exact bytes, for every case that is confirmed or cancelled."""
    ids = cases(major)
    orders = {order.order_id: order for order in OdooSource(RecordedOdoo(major)).read(list(ids.values()))}
    return {case: body(orders[i], f"odoo{major}") for case, i in ids.items() if i in orders}


def body(order, database):
    return payload.event_body(
        payload.content(order, database=database),
        connection_external_id="stockmaster-7",
        database=database,
        event="order.cancelled" if order.cancelled else "order.confirmed",
        event_id=f"evt_{order.order_id:032x}",
        version=1,
        replay=False,
        order_id=order.order_id,
        occurred_at=order.write_date,
    )


def write():
    for major in VERSIONS:
        path(major).write_text(text(major))
