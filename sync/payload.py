"""Order -> the published JSON body (docs/schema/order-event-1.json), its content hash and its event id."""

import hashlib
import secrets
import time
from datetime import UTC, datetime
from typing import Any

import orjson

from sync.orders import Address, Order, OrderLine, Party

SCHEMA_VERSION = "1"
SOURCE = "odoo"
TEST_EVENT = "order.test"

Content = dict[str, Any]


def content(order: Order, *, database: str) -> Content:
    """The part of the body that is the order itself: order, customer, shipping_address, items."""
    return {
        "order": _order(order),
        "customer": _party(order.customer),
        "shipping_address": _party(order.shipping),
        "items": [_item(line, database) for line in order.lines],
    }


def content_hash(content: Content) -> str:
    """SHA-256 (hex) of what makes a new version.

    Left out: `write_date`, which moves without a change, and `locked` with the step between "sale" and
    "done", because both mean confirmed.
    """
    order = {key: value for key, value in content["order"].items() if key not in ("write_date", "locked")}
    if order["state"] == "done":
        order["state"] = "sale"
    canonical = orjson.dumps({**content, "order": order}, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(canonical).hexdigest()


def event_body(
    content: Content,
    *,
    connection_external_id: str,
    database: str,
    event: str,
    event_id: str,
    version: int,
    replay: bool,
    order_id: int,
    occurred_at: datetime,
) -> bytes:
    """The exact bytes that are stored, signed and sent on every try. `occurred_at` must be aware."""
    return orjson.dumps(
        {
            "source": SOURCE,
            "connection_id": connection_external_id,
            "odoo_db": database,
            "event": event,
            "event_id": event_id,
            "schema_version": SCHEMA_VERSION,
            "version": version,
            "replay": replay,
            "external_id": f"odoo_{database}_{order_id}",
            "occurred_at": _utc(occurred_at).isoformat(timespec="seconds") + "Z",
            **content,
        }
    )


def test_body(*, connection_name: str, event_id: str, **more: Any) -> bytes:
    """What the test button sends: no `order` key, so that no receiver takes it for an order.

    `more` are keys beside the usual ones, such as the `external_id` and `version` of an order that is none.
    """
    return orjson.dumps(
        {
            "source": SOURCE,
            "test": True,
            "connection_name": connection_name,
            "event": TEST_EVENT,
            "event_id": event_id,
            **more,
        }
    )


def event_id() -> str:
    """A fresh id: "evt_" and 32 hex digits, the first 12 of them the time in ms, so that ids sort by age."""
    return f"evt_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


def _order(order: Order) -> dict[str, Any]:
    return {
        "id": order.order_id,
        "name": order.name,
        "state": order.state,
        "date_order": _moment(order.date_order),
        "write_date": _moment(order.write_date),
        "amount_untaxed": order.amount_untaxed,
        "amount_tax": order.amount_tax,
        "amount_total": order.amount_total,
        "currency": order.currency,
        "note": order.note,
        "client_order_ref": order.client_order_ref,
        "locked": order.locked,
        "commitment_date": _moment(order.commitment_date),
        "warehouse": order.warehouse,
        "company": order.company,
        "origin": order.origin,
        "salesperson": order.salesperson,
    }


def _party(party: Party) -> dict[str, Any]:
    return {
        "name": party.name,
        "email": party.email,
        "phone": party.phone,
        "tax_id": party.tax_id,
        "address": _address(party.address),
        "id": party.id,
        "company_name": party.company_name,
        "reference": party.reference,
    }


def _address(address: Address) -> dict[str, str]:
    return {
        "street": address.street,
        "street2": address.street2,
        "city": address.city,
        "state": address.state,
        "zip": address.zip,
        "country": address.country,
        "state_code": address.state_code,
        "country_code": address.country_code,
    }


def _item(line: OrderLine, database: str) -> dict[str, Any]:
    return {
        "sku": line.sku or _made_up_sku(line, database),
        "name": line.name,
        "quantity": line.quantity,
        "unit_price": line.unit_price,
        "subtotal": line.subtotal,
        "total": line.total,
        "discount_percent": line.discount_percent,
        "odoo_product_id": line.product_id,
        "line_id": line.line_id,
        "sequence": line.sequence,
        "variant": line.variant,
        "barcode": line.barcode,
        "uom": line.uom,
        "product_type": line.product_type,
        "is_storable": line.is_storable,
        "is_delivery": line.is_delivery,
        "is_downpayment": line.is_downpayment,
    }


def _made_up_sku(line: OrderLine, database: str) -> str:
    return "" if line.product_id is None else f"ODOO-{database}-{line.product_id}"


def _moment(moment: datetime | None) -> str | None:
    """As Odoo writes it: UTC, whole seconds, a blank between date and time."""
    return None if moment is None else _utc(moment).isoformat(sep=" ", timespec="seconds")


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
