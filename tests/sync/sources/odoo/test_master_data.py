"""Master data between polls: shared by processes, gone without harm."""

import logging
from datetime import timedelta

import pytest
from django.core.cache import caches

from sandbox.odoo.sales import Line
from sync.sources.odoo import master_data
from sync.sources.odoo.master_data import LATELY
from sync.sources.odoo.source import OdooSource
from tests.doubles.recorded_odoo import RecordedOdoo, cases

# --- The source


class Memory:
    """A store of master data."""

    def __init__(self):
        self.kept = {}

    def load(self, server):
        return dict(self.kept.get(server, {}))

    def save(self, server, kept):
        self.kept[server] = kept


def test_a_poll_asks_for_master_data_once_in_some_minutes():
    odoo, ids, store = RecordedOdoo(16), list(cases(16).values()), Memory()
    first = OdooSource(odoo, store=store, lately=LATELY).read(ids)
    assert len(odoo.calls) == 8
    assert {order.customer.address.state_code for order in first} >= {"CMX"}
    odoo.calls.clear()
    odoo.time += LATELY - timedelta(seconds=1)
    assert OdooSource(odoo, store=store, lately=LATELY).read(ids) == first
    assert sum(odoo.calls.values()) == 4


def with_variant(odoo):
    """An order of a variant, and an attribute value of it."""
    lines, products = odoo.tables["sale.order.line"], odoo.tables["product.product"]
    for order_id in cases(16).values():
        for line in odoo.tables["sale.order"][order_id]["order_line"]:
            product = lines[line]["product_id"] and products[lines[line]["product_id"][0]]
            if product and product["product_template_attribute_value_ids"]:
                return order_id, product["product_template_attribute_value_ids"][0]
    raise AssertionError("no recorded order has a variant")


def test_what_was_renamed_is_seen_after_some_minutes_and_by_a_deep_check_at_once():
    odoo, store = RecordedOdoo(16), Memory()
    order_id, value_id = with_variant(odoo)
    values = odoo.tables["product.template.attribute.value"]

    def seen(**how):
        (order,) = OdooSource(odoo, store=store, **how).read([order_id])
        return next(line.variant for line in order.lines if line.variant)

    assert "Renamed" not in seen(lately=LATELY)
    values[value_id]["name"] = "Renamed"
    assert "Renamed" not in seen(lately=LATELY)
    assert "Renamed" in seen() and "Renamed" in seen(lately=LATELY), "what one has read the other uses"
    values[value_id]["name"] = "Once more"
    odoo.time += LATELY
    assert "Once more" in seen(lately=LATELY)


def test_what_is_kept_stays_within_bounds_and_is_still_true(monkeypatch):
    monkeypatch.setattr(master_data, "MOST", 3)
    odoo, store = RecordedOdoo(16), Memory()
    for order in OdooSource(odoo).read(list(cases(16).values())):
        assert OdooSource(odoo, store=store, lately=LATELY).read([order.order_id]) == [order]
        assert all(len(kept) <= 3 for kept in store.kept.values())
    assert [len(kept) for kept in store.kept.values()] == [3]


def test_what_is_too_old_to_be_used_is_not_kept_either():
    odoo, store = RecordedOdoo(16), Memory()
    source = OdooSource(odoo, store=store, lately=LATELY)
    source.read(list(cases(16).values()))
    odoo.time += timedelta(hours=1)
    OdooSource(odoo, store=store).read([with_variant(odoo)[0]])
    kept = store.kept[odoo.server.identity]
    places = {"res.country.state", "res.country"}
    assert {model for model, _ in kept} > places
    assert all(at == odoo.time for (model, _), (at, _) in kept.items() if model not in places)


# --- Polls


@pytest.fixture
def world(make_world):
    world = make_world(16)
    world.poll()
    world.clock.advance(60)
    return world


@pytest.fixture
def sell(world):
    """One more order of a variant, without a code, for a company's contact; returns the calls of its poll."""
    variant = world.shop.add_variants("Boots", {"Size": ["41", "42"]})[0]
    company = world.shop.add_partner("Norte", is_company=True, vat="MX1", country_id=156, state_id=493)
    contact = world.shop.add_partner("Ana", parent_id=company, country_id=156, state_id=493)

    def sell():
        order_id = world.shop.quotation(contact, [Line(variant)])
        world.shop.confirm(order_id)
        world.clock.advance(10)
        calls = world.poll().calls
        world.deliver()
        body = world.hook.deliveries[-1].body
        assert (body["items"][0]["variant"], body["customer"]["tax_id"]) == ("Size: 41", "MX1")
        return calls

    return sell


def test_from_the_second_cycle_with_orders_on_five_calls_are_enough(world, sell):
    assert sell() == 10
    assert sell() == 5
    world.clock.advance(LATELY.total_seconds())
    assert sell() == 8, "but not the codes of places"
    assert sell() == 5


@pytest.mark.parametrize("broken", [None, "text", b"gAAAA", {"a": "b"}, 7])
def test_something_else_in_the_cache_costs_calls_and_nothing_more(world, sell, monkeypatch, broken):
    sell()
    monkeypatch.setattr(type(caches["masters"]), "get", lambda *_: broken)
    assert sell() > 5


def test_the_cache_holds_nothing_to_read(world, sell):
    sell()
    [kept] = caches["masters"]._cache.values()
    assert b"gAAAA" in kept and b'"' not in kept, "no quoted word: the whole of it is one token"


def test_a_cache_out_of_reach_costs_calls_and_nothing_more(world, sell, monkeypatch, caplog):
    sell()

    def fail(*_, **__):
        raise ConnectionError("redis://:secret@cache")

    monkeypatch.setattr(type(caches["masters"]), "get", fail)
    monkeypatch.setattr(type(caches["masters"]), "set", fail)
    with caplog.at_level(logging.WARNING):
        assert sell() > 5
    assert "master data" in caplog.text and "secret" not in caplog.text


def test_a_server_that_names_things_at_length_fills_no_cache(world, sell, monkeypatch):
    monkeypatch.setattr("sync.sources.odoo.master_data_cache.MOST_BYTES", 50)
    sell()
    assert not caches["masters"]._cache
    assert sell() > 5
