"""Master data between polls: shared by processes, gone without harm."""

import logging

import pytest
from django.core.cache import caches

from odoopoller.sandbox.sales import Line
from sync.sources.odoo_masters import LATELY


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

    def sell():
        order_id = world.shop.quotation(world.shop.customer_id, [Line(variant)])
        world.shop.confirm(order_id)
        world.clock.advance(10)
        calls = world.poll().calls
        world.deliver()
        assert world.hook.deliveries[-1].body["items"][0]["variant"] == "Size: 41"
        return calls

    return sell


def test_from_the_second_cycle_with_orders_on_five_calls_are_enough(world, sell):
    assert sell() > 5
    assert sell() == 5
    world.clock.advance(LATELY.total_seconds())
    assert 5 < sell() < 8, "but not the codes of places"
    assert sell() == 5


@pytest.mark.parametrize("broken", [None, "text", {"a": "b"}, 7])
def test_something_else_in_the_cache_costs_calls_and_nothing_more(world, sell, monkeypatch, broken):
    sell()
    for key in list(caches["masters"]._cache):
        caches["masters"]._cache[key] = caches["masters"].pickle_protocol and __import__("pickle").dumps(
            broken
        )
    assert sell() > 5


def test_a_cache_out_of_reach_costs_calls_and_nothing_more(world, sell, monkeypatch, caplog):
    sell()

    def fail(*_, **__):
        raise ConnectionError("redis://:secret@cache")

    monkeypatch.setattr(type(caches["masters"]), "get", fail)
    monkeypatch.setattr(type(caches["masters"]), "set", fail)
    with caplog.at_level(logging.WARNING):
        assert sell() > 5
    assert "master data" in caplog.text and "secret" not in caplog.text
