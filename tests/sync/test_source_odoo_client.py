"""OdooSource through the real client against the sandbox's Odoo: every version, over HTTP."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from connections.odoo.client import connect
from odoopoller.sandbox.protocol import Odoo
from odoopoller.sandbox.sales import Line
from odoopoller.sandbox.shop import VERSIONS, Shop
from sync.sources.odoo import WANTED, OdooSource
from tests import fakes

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def make_shop(mock, clock, make_connection):
    """A shop with three orders, one of them cancelled, and a client of it."""

    def make(version, **shop):
        shop = Shop(version, f"shop{version}", clock, **shop)
        shirt = shop.add_product("Camiseta", code="CAM-1", price=9.9)
        for _ in range(3):
            lines = [Line(shop.product_id, quantity=3), Line(shirt, quantity=1)]
            shop.confirm(shop.quotation(shop.customer_id, lines))
        shop.cancel(3)
        fakes.install(mock, Odoo(shop), "https://odoo.example.com")
        connection = make_connection(database=shop.database, username=shop.login, api_key=shop.api_key)
        return shop, connect(connection, None, now=clock(), wanted=WANTED)

    return make


@pytest.mark.parametrize("version", VERSIONS)
def test_a_poll_and_what_it_costs(make_shop, version):
    _, client = make_shop(version)
    source = OdooSource(client)
    changes = source.changes(since=LONG_AGO)
    assert [(change.order_id, change.cancelled) for change in changes] == [(1, False), (2, False), (3, True)]
    calls = client.calls
    source.changes(since=LONG_AGO)
    assert client.calls == calls + 1
    orders = source.read([1, 2, 3])
    assert client.calls - calls - 1 == (1 if version >= 17 else 4)
    assert [line.sku for line in orders[0].lines] == ["TOR-12", "CAM-1"]
    assert orders[0].customer.name == "José Ángel Muñoz"
    assert source.find([orders[0].name]) == {orders[0].name: 1}
    assert (source.newest(2), source.max_id()) == ([2, 1], 3)


@pytest.mark.parametrize("version", [17, 18, 19])
def test_nested_and_classic_reads_agree(make_shop, version):
    shop, client = make_shop(version, modules=frozenset({"delivery"}))
    nested = OdooSource(client).read([1, 2, 3])
    client._server = replace(client.server, major=16)
    shop.calls.clear()
    assert OdooSource(client).read([1, 2, 3]) == nested
    assert shop.calls["sale.order", "search_read"] == 1
