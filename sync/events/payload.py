"""Order -> the published JSON body (docs/schema/order-event-1.json), its content hash and its event id."""

import hashlib
import secrets
import time
from collections.abc import Callable, Sequence
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
        "order": _order_part(order),
        "customer": _party(order.customer),
        "shipping_address": _party(order.shipping),
        "items": [_item_part(line, database) for line in order.lines],
    }


def content_hash(content: Content) -> str:
    """SHA-256 (hex) of what makes a new version, by the newest rules."""
    return _digest(RULES[newest_rules()][0](content))


def newest_rules() -> int:
    return max(RULES)


def is_hash_of(known: str, content: Content, rules: int) -> bool:
    """Whether `known`, which was made by these rules, is the hash of this content."""
    return any(_digest(form(content)) == known for form in RULES.get(rules, ()))


def completed(content: Content) -> Content:
    """Content out of a stored body, with the keys that came after it as null."""
    items = [{"is_reward": None} | item for item in content["items"]]
    return {**content, "order": {"create_date": None} | content["order"], "items": items}


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


def _order_part(order: Order) -> dict[str, Any]:
    return {
        "id": order.order_id,
        "name": order.name,
        "state": order.state,
        "date_order": _odoo_time(order.date_order),
        "write_date": _odoo_time(order.write_date),
        "amount_untaxed": order.amount_untaxed,
        "amount_tax": order.amount_tax,
        "amount_total": order.amount_total,
        "currency": order.currency,
        "note": order.note,
        "create_date": _odoo_time(order.create_date),
        "client_order_ref": order.client_order_ref,
        "locked": order.locked,
        "commitment_date": _odoo_time(order.commitment_date),
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


def _item_part(line: OrderLine, database: str) -> dict[str, Any]:
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
        "is_reward": line.is_reward,
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


def _odoo_time(moment: datetime | None) -> str | None:
    """As Odoo writes it: UTC, whole seconds, a blank between date and time."""
    return None if moment is None else _utc(moment).isoformat(sep=" ", timespec="seconds")


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


# --- What the hash is made of ---------------------------------------------------------------------------

Form = Callable[[Content], Content]

# Outside of every hash: `write_date` moves without a change; `locked`, and the step between "sale" and
# "done", both mean confirmed.
NO_CONTENT = ("write_date", "locked")
# The fields come with a version of Odoo or a module: that there is none and that it says no is the same.
FLAGS = ("is_storable", "is_reward", "is_delivery", "is_downpayment")


def _form(
    content: Content, *, order_without: Sequence[str], item: Callable[[dict[str, Any]], dict[str, Any]]
) -> Content:
    order = {key: value for key, value in content["order"].items() if key not in order_without}
    if order["state"] == "done":
        order["state"] = "sale"
    return {**content, "order": order, "items": [item(each) for each in content["items"]]}


def _digest(form: Content) -> str:
    return hashlib.sha256(orjson.dumps(form, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _with_flags(item: dict[str, Any]) -> dict[str, Any]:
    return item | {flag: item[flag] or False for flag in FLAGS}


def _without_reward(item: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key != "is_reward"}


def _stored_by_type(item: dict[str, Any]) -> dict[str, Any]:
    """As Odoo up to 17 told it."""
    kind = "product" if item["is_storable"] else item["product_type"]
    return _without_reward(item) | {"product_type": kind, "is_storable": None}


def _form_1(content: Content) -> Content:
    return _form(content, order_without=NO_CONTENT, item=_with_flags)


def _form_0(content: Content) -> Content:
    return _form(content, order_without=(*NO_CONTENT, "create_date"), item=_without_reward)


def _form_0_up_to_17(content: Content) -> Content:
    return _form(content, order_without=(*NO_CONTENT, "create_date"), item=_stored_by_type)


# By number, what each set of rules makes the hash of; several forms where servers told the same differently.
# A stored hash names its rules and is compared by them, so that a key we add sends no order again by itself:
# whoever adds one adds a set with it, and leaves it out of the sets before.
RULES: dict[int, tuple[Form, ...]] = {0: (_form_0, _form_0_up_to_17), 1: (_form_1,)}
