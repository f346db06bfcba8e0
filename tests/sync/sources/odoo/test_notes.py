"""What a receiver can do without never stops an order: it is left empty, with a note of field and problem."""

import json
from datetime import UTC, datetime

import pytest
from jsonschema import Draft202012Validator

from sync.events import payload
from sync.orders import Unreadable
from sync.sources.odoo.source import OdooSource
from tests.doubles.recorded_odoo import RecordedOdoo
from tests.doubles.spoilt_records import ASKED, BAD, BOTH, SPOILING, nested
from tests.published import CURRENT

SCHEMA = json.loads(CURRENT.read_text())
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

# Field, value, note, and where the order has nothing in its place.
NOTED_ORDERS = [
    ("date_order", "2026-13-01 00:00:00", "date_order: not a date with time", "date_order"),
    ("date_order", "9999-01-01 00:00:00", "date_order: out of range", "date_order"),
    ("commitment_date", "9999-12-31 00:00:00", "commitment_date: out of range", "commitment_date"),
    ("commitment_date", "0001-01-01 00:00:00", "commitment_date: out of range", "commitment_date"),
    ("commitment_date", [], "commitment_date: not a date with time", "commitment_date"),
    ("note", 7, "note: not a text", "note"),
    ("client_order_ref", ["x"], "client_order_ref: not a text", "client_order_ref"),
    ("origin", {"x": 1}, "origin: not a text", "origin"),
    ("locked", "quite", "locked: not true or false", "locked"),
    ("currency_id", "USD", "currency_id: not a record", "currency"),
    ("currency_id", [1, ["USD"]], "currency_id: not a text", "currency"),
    ("warehouse_id", [-1, "W"], "warehouse_id: not a record", "warehouse"),
    ("company_id", "Shop", "company_id: not a record", "company"),
    ("user_id", [2, 77], "user_id: not a text", "salesperson"),
]
NOTED_LINES = [
    ("sequence", "10", "order_line[54].sequence: not a whole number", "sequence"),
    ("sequence", 2**70, "order_line[54].sequence: out of range", "sequence"),
    ("name", 9, "order_line[54].name: not a text", "name"),
    ("is_downpayment", 1, "order_line[54].is_downpayment: not true or false", "is_downpayment"),
    ("product_uom_id", "kg", "order_line[54].product_uom_id: not a record", "uom"),
]
NOTED_PRODUCTS = [
    ("barcode", [], "order_line[54].product_id.barcode: not a text", "barcode"),
    ("type", {"x": 1}, "order_line[54].product_id.type: not a text", "product_type"),
    ("is_storable", "yes", "order_line[54].product_id.is_storable: not true or false", "is_storable"),
    (
        "product_template_attribute_value_ids",
        "x",
        "order_line[54].product_id.product_template_attribute_value_ids: not a list",
        "variant",
    ),
    (
        "product_template_attribute_value_ids",
        [999_999],
        "order_line[54].product_id.product_template_attribute_value_ids: missing",
        "variant",
    ),
]
NOTED_PARTNERS = [
    ("name", 7, "partner_id.name: not a text", "name"),
    ("email", True, "partner_id.email: not a text", "email"),
    ("phone", 5281, "partner_id.phone: not a text", "phone"),
    ("ref", 12, "partner_id.ref: not a text", "reference"),
    ("vat", 850101, "partner_id.vat: not a text", "tax_id"),
    ("zip", 64000, "partner_id.zip: not a text", "address.zip"),
    ("state_id", "NL", "partner_id.state_id: not a record", "address.state"),
    ("country_id", [[1], "MX"], "partner_id.country_id: not a record", "address.country_code"),
]


def line_54(order):
    return next(line for line in order.lines if line.line_id == 54)


NOTED = [
    pytest.param(model, record, *noted[:3], find, noted[3], id=f"{model} {noted[0]} {i}")
    for model, record, find, table in [
        ("sale.order", BAD, lambda order: order, NOTED_ORDERS),
        ("sale.order.line", 54, lambda order: line_54(order), NOTED_LINES),
        ("product.product", 62, lambda order: line_54(order), NOTED_PRODUCTS),
        ("res.partner", 52, lambda order: order.customer, NOTED_PARTNERS),
    ]
    for i, noted in enumerate(table)
]


@SPOILING
@pytest.mark.parametrize(("model", "record_id", "field", "value", "note", "find", "attribute"), NOTED)
def test_what_a_receiver_can_do_without_is_left_empty_and_noted(
    spoil, model, record_id, field, value, note, find, attribute
):
    truth = OdooSource(RecordedOdoo(19)).read(ASKED)
    first, order, last = OdooSource(spoil(model, record_id, field, value)).read(ASKED)
    assert (first, last) == (truth[0], truth[2]) and truth[1].notes == ()
    # Nested, a list or a bare id stands where a record should be; the words differ then.
    assert order.notes in ((note,), (f"{note.partition(': ')[0]}: not a record",))
    found = find(order)
    for part in attribute.split("."):
        found = getattr(found, part)
    assert found is None or found == ""
    body = payload.content(order, database="db")
    assert Draft202012Validator(SCHEMA).is_valid(event(body)), "receivers get what was published"
    assert str(value) not in order.notes[0], "the value is nobody's business"


def event(content):
    return json.loads(
        payload.event_body(
            content,
            connection_external_id="shop-1",
            database="db",
            event="order.confirmed",
            event_id=payload.event_id(),
            version=1,
            replay=False,
            order_id=BAD,
            occurred_at=LONG_AGO,
        )
    )


@BOTH
def test_an_unreadable_barcode_that_is_the_code_stops_the_order(make):
    """Another code in its place would be other goods."""
    odoo = make()
    odoo.tables["product.product"][62] |= {"default_code": False, "barcode": 750}
    _, bad, _ = OdooSource(odoo).read(ASKED)
    assert isinstance(bad, Unreadable) and "barcode" in bad.reason
    odoo.tables["product.product"][62] |= {"default_code": " A 1", "barcode": 750}
    _, order, _ = OdooSource(odoo).read(ASKED)
    assert (order.lines[-1].sku, order.lines[-1].barcode) == (" A 1", "")


@BOTH
def test_a_companys_tax_number_stands_in_for_none_and_not_for_an_unreadable_one(make):
    odoo = make()
    odoo.tables["res.partner"][52]["vat"] = 7
    _, order, _ = OdooSource(odoo).read(ASKED)
    assert order.customer.tax_id == ""


@BOTH
def test_a_line_that_is_not_sent_stops_nothing(make):
    odoo = make()
    odoo.tables["sale.order.line"][54] |= {"product_uom_qty": 0.0, "price_unit": "free", "sequence": "x"}
    _, order, _ = OdooSource(odoo).read(ASKED)
    assert [line.line_id for line in order.lines] == [53] and order.notes == ()


def test_a_field_that_is_wrong_in_every_line_makes_no_endless_notes():
    odoo = nested()
    for number in range(100, 200):
        odoo.tables["sale.order.line"][number] = odoo.tables["sale.order.line"][54] | {
            "id": number,
            "sequence": "x",
        }
        odoo.tables["sale.order"][BAD]["order_line"].append(number)
    _, order, _ = OdooSource(odoo).read(ASKED)
    assert len(order.lines) == 102
    assert len(order.notes) == 21 and order.notes[-1] == "…"
