"""Order -> bytes: the contract's keys in its order, a hash of what makes a version, event ids."""

import hashlib
import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone

import orjson
import pytest

from sync.events import payload
from sync.orders import Address, Order, OrderLine, Party
from tests.factories import ORDER

EVENT = {
    "connection_external_id": "shop-1",
    "database": "db",
    "event": "order.confirmed",
    "event_id": "evt_1",
    "version": 3,
    "replay": False,
    "order_id": 26,
    "occurred_at": ORDER.write_date,
}


def content(order=ORDER, **changes):
    return payload.content(replace(order, **changes), database="db")


def body(order=ORDER, **changes):
    return json.loads(payload.event_body(content(order), **EVENT | changes))


def fingerprint(order=ORDER, **changes):
    return payload.content_hash(content(order, **changes))


def with_line(**changes):
    return replace(ORDER, lines=(replace(ORDER.lines[0], **changes),))


def test_the_whole_body_in_the_contracts_order():
    address = {
        "street": "Av. 1",
        "street2": "",
        "city": "Monterrey",
        "state": "Nuevo León (MX)",
        "zip": "64000",
        "country": "Mexico",
        "state_code": "NLE",
        "country_code": "MX",
    }
    party = {
        "name": "Ana",
        "email": "ana@example.mx",
        "phone": "1",
        "tax_id": "XAXX010101000",
        "address": address,
        "id": 50,
        "company_name": "ACME",
        "reference": "C-1",
    }
    expected = {
        "source": "odoo",
        "connection_id": "shop-1",
        "odoo_db": "db",
        "event": "order.confirmed",
        "event_id": "evt_1",
        "schema_version": "1",
        "version": 3,
        "replay": False,
        "external_id": "odoo_db_26",
        "occurred_at": "2026-11-20T11:21:39Z",
        "order": {
            "id": 26,
            "name": "S00026",
            "state": "sale",
            "date_order": "2026-11-20 11:20:00",
            "write_date": "2026-11-20 11:21:39",
            "amount_untaxed": 46.05578700000001,
            "amount_tax": 0.0,
            "amount_total": 46.06,
            "currency": "USD",
            "note": "<p>🎁</p>",
            "create_date": "2026-11-20 11:19:02",
            "client_order_ref": "PO 1",
            "locked": False,
            "commitment_date": None,
            "warehouse": "Main",
            "company": "My Company",
            "origin": "",
            "salesperson": "Mitchell",
        },
        "customer": party,
        "shipping_address": party | {"id": 51},
        "items": [
            {
                "sku": " A 1 ",
                "name": 'Tornillo\n1/2"',
                "quantity": 2.38,
                "unit_price": 1.25,
                "subtotal": 2.98,
                "total": 3.45,
                "discount_percent": 12.5,
                "odoo_product_id": 7,
                "line_id": 70,
                "sequence": 10,
                "is_reward": None,
                "variant": "Color: Rojo, Talla: L",
                "barcode": "750",
                "uom": "kg",
                "product_type": "consu",
                "is_storable": True,
                "is_delivery": None,
                "is_downpayment": False,
            }
        ],
    }
    written = payload.event_body(content(), **EVENT)
    assert written.decode() == json.dumps(expected, ensure_ascii=False, separators=(",", ":"))


def test_a_moment_elsewhere_is_told_in_utc():
    mexico = timezone(timedelta(hours=-6))
    there = datetime(2026, 11, 20, 5, 21, 39, 900_000, tzinfo=mexico)
    sent = body(replace(ORDER, commitment_date=there), occurred_at=there)
    assert (sent["occurred_at"], sent["order"]["commitment_date"]) == (
        "2026-11-20T11:21:39Z",
        "2026-11-20 11:21:39",
    )


@pytest.mark.parametrize(
    ("line", "sku"),
    [({"sku": ""}, "ODOO-db-7"), ({"sku": "", "product_id": None}, ""), ({"sku": " "}, " ")],
)
def test_a_product_without_code_gets_one_made_of_its_id(line, sku):
    assert body(with_line(**line))["items"][0]["sku"] == sku


@pytest.mark.parametrize(
    "unchanged",
    [
        {"write_date": ORDER.write_date + timedelta(hours=1)},
        {"locked": True},
        {"locked": None},
        {"state": "done"},
        {"state": "done", "locked": None, "write_date": datetime(2030, 1, 1, tzinfo=UTC)},
        {"company_id": 2},  # its name is what receivers are told
        {"notes": ("origin: not a text",)},
    ],
)
def test_what_makes_no_new_version(unchanged):
    assert fingerprint(**unchanged) == fingerprint()


@pytest.mark.parametrize("flag", payload.FLAGS)
def test_a_module_that_comes_and_says_no_makes_no_new_version(flag):
    hashes = {value: fingerprint(with_line(**{flag: value})) for value in (None, False, True)}
    assert hashes[None] == hashes[False] != hashes[True]


OTHER_VALUES = {
    "state": "cancel",
    "date_order": None,
    "commitment_date": datetime(2026, 12, 24, tzinfo=UTC),
    "create_date": None,
    "currency": "MXN",
}
NEITHER = {"write_date", "locked", "company_id", "notes"}


def changed(record, name):
    value = getattr(record, name)
    if name in OTHER_VALUES:
        return replace(record, **{name: OTHER_VALUES[name]})
    if isinstance(value, bool) or value is None:
        return replace(record, **{name: not value})
    return replace(record, **{name: value + (" x" if isinstance(value, str) else 1)})


def every_change():
    for field in fields(Order):
        if field.name not in NEITHER and field.name not in ("customer", "shipping", "lines"):
            yield f"order.{field.name}", changed(ORDER, field.name)
    for field in fields(OrderLine):
        line = changed(ORDER.lines[0], field.name)
        yield f"line.{field.name}", replace(ORDER, lines=(line,))
    for field in fields(Party):
        if field.name != "address":
            yield f"customer.{field.name}", replace(ORDER, customer=changed(ORDER.customer, field.name))
    for field in fields(Address):
        address = changed(ORDER.shipping.address, field.name)
        yield f"address.{field.name}", replace(ORDER, shipping=replace(ORDER.shipping, address=address))
    yield "no line", replace(ORDER, lines=())
    yield "two lines", replace(ORDER, lines=(*ORDER.lines, *ORDER.lines))


@pytest.mark.parametrize("order", [pytest.param(order, id=name) for name, order in every_change()])
def test_every_other_change_makes_a_new_version(order):
    assert fingerprint(order) != fingerprint()


# Each hash was made by the release whose rules these are. A change here makes every order that is read again
# look changed, and sends it.
@pytest.mark.parametrize(
    ("rules", "known"),
    [
        (0, "1984fb936503d84b287771313c91909c7e85cd2c7d56c2db092fcedffdc4f8e6"),
        (1, "be67c12a2ab9055b3f26528d987139d5e1ebc7a202bc2c32a745a93aa8ea16fe"),
    ],
)
def test_a_hash_holds_from_release_to_release(rules, known):
    assert payload.is_hash_of(known, content(), rules)
    assert not payload.is_hash_of(known, content(note="another"), rules)


def test_the_newest_rules_make_the_hash():
    assert payload.is_hash_of(fingerprint(), content(), payload.newest_rules())
    assert not payload.is_hash_of(fingerprint(), content(), 99), "nobody knows those"


# What the code before the rules hashed of the same goods, by what Odoo up to 17 and newer ones told.
@pytest.mark.parametrize(
    ("told", "now"),
    [
        (("product", None), ("consu", True)),
        (("consu", None), ("consu", False)),
        (("service", None), ("service", False)),
        (("consu", True), ("consu", True)),
        (("consu", False), ("consu", False)),
        ((None, None), (None, None)),
    ],
)
def test_what_was_hashed_before_there_were_rules_is_known_again(told, now):
    old = content(with_line(product_type=told[0], is_storable=told[1]))
    del old["order"]["create_date"], old["items"][0]["is_reward"]
    state = old["order"] | {"state": "sale"}
    kept = old | {"order": {k: v for k, v in state.items() if k not in ("write_date", "locked")}}
    known = hashlib.sha256(orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)).hexdigest()
    new = content(with_line(product_type=now[0], is_storable=now[1], is_reward=False))
    assert payload.is_hash_of(known, new, 0)
    assert not payload.is_hash_of(known, content(with_line(product_type="combo", is_storable=False)), 0)
    assert not payload.is_hash_of(known, new, 1)


def test_what_was_stored_before_a_key_came_has_it_as_null():
    old = content()
    del old["order"]["create_date"], old["items"][0]["is_reward"]
    whole = payload.completed(old)
    assert whole == content(create_date=None)
    assert payload.completed(content()) == content()


def test_the_hash_leaves_the_content_alone():
    known = content(state="done", locked=True)
    before = json.dumps(known)
    payload.content_hash(known)
    assert json.dumps(known) == before


def test_the_test_event_has_no_order():
    sent = payload.test_body(connection_name="Tienda ñ", event_id="evt_9")
    assert sent.decode() == (
        '{"source":"odoo","test":true,"connection_name":"Tienda ñ","event":"order.test","event_id":"evt_9"}'
    )


def test_event_ids_are_unique_and_sort_by_age(monkeypatch):
    times = iter(range(1_795_176_000_000_000_000, 1_795_176_001_000_000_000, 1_000_000))
    monkeypatch.setattr(payload.time, "time_ns", lambda: next(times))
    ids = [payload.event_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert ids == sorted(ids)
    assert {len(i) for i in ids} == {len("evt_") + 32}
