"""The published JSON Schema, the golden files, and what we really send: the three agree."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from sync.events import payload
from tests import golden
from tests.doubles.recorded_odoo import VERSIONS
from tests.factories import ORDER

SCHEMA = json.loads((Path(__file__).parents[3] / "docs/schema/order-event-1.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA)
EVENT_ID = payload.event_id()


def problems(body):
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(body)]


def sent(order=ORDER):
    return json.loads(golden.body(order, "db"))


def test_the_schema_is_a_schema():
    meta = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    assert [error.message for error in meta.iter_errors(SCHEMA)] == []


@pytest.mark.parametrize("major", VERSIONS)
def test_golden_files_hold_what_we_send(major):
    """`python -m tests.golden` writes them anew: receivers will see the difference."""
    assert golden.text(major) == golden.path(major).read_text()


@pytest.mark.parametrize("major", VERSIONS)
def test_golden_bodies_fit_the_schema(major):
    bodies = json.loads(golden.path(major).read_text())
    assert len(bodies) >= 31
    assert {case: problems(body) for case, body in bodies.items() if problems(body)} == {}


@pytest.mark.parametrize("major", VERSIONS)
def test_what_we_send_has_every_required_key_and_none_that_the_schema_does_not_tell(major):
    """A key that came after the schema was published is told, and not required."""
    for body in json.loads(golden.path(major).read_text()).values():
        parts = [("order_event", body), ("order", body["order"])]
        for party in (body["customer"], body["shipping_address"]):
            parts += [("party", party), ("address", party["address"])]
        parts += [("item", item) for item in body["items"]]
        for name, part in parts:
            told = SCHEMA["$defs"][name]["properties"].keys() | SCHEMA["properties"].keys()
            assert set(SCHEMA["$defs"][name]["required"]) <= set(part) <= told


def test_the_test_event_fits():
    body = json.loads(payload.test_body(connection_name="Shop", event_id=EVENT_ID))
    assert problems(body) == []
    assert problems(body | {"order": {}}) != []
    assert problems(body | {"external_id": "test_1", "version": 2}) == []
    assert problems(body | {"external_id": "odoo_db_1"}) != []


@pytest.mark.parametrize(
    "order",
    [
        replace(ORDER, lines=()),
        replace(ORDER, state="cancel"),
        replace(ORDER, locked=None, warehouse=None, origin=None, company=None, salesperson=None),
        replace(ORDER, date_order=None, commitment_date=ORDER.write_date),
        replace(ORDER, customer=replace(ORDER.customer, id=None)),
    ],
)
def test_what_may_be_missing_fits(order):
    assert problems(sent(order)) == []


def test_readers_get_new_keys_within_a_version():
    body = sent()
    body["new"] = body["order"]["new"] = body["items"][0]["new"] = 1
    assert problems(body) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("source", "shopify"),
        ("event", "order.deleted"),
        ("event_id", "1"),
        ("version", 0),
        ("replay", None),
        ("occurred_at", "2026-11-20 11:21:39"),
        ("external_id", 26),
        ("schema_version", 1),
        ("order.id", "26"),
        ("order.note", False),
        ("order.state", "draft"),
        ("order.write_date", "2026-11-20T11:21:39Z"),
        ("order.amount_total", "46.06"),
        ("customer.phone", None),
        ("customer.address.zip", False),
        ("shipping_address", None),
        ("items", {}),
        ("items.0.quantity", 0),
        ("items.0.odoo_product_id", False),
        ("items.0.sku", None),
    ],
)
def test_what_the_schema_refuses(path, value):
    body = sent()
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place = body
    for part in parents:
        place = place[part]
    assert problems(body) == []
    place[last] = value
    assert problems(body) != []


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("order_event", lambda body: body),
        ("order", lambda body: body["order"]),
        ("party", lambda body: body["customer"]),
        ("address", lambda body: body["customer"]["address"]),
        ("item", lambda body: body["items"][0]),
    ],
)
def test_every_required_key_is(name, part):
    for key in SCHEMA["$defs"][name]["required"]:
        body = sent()
        del part(body)[key]
        assert problems(body) != [], key
