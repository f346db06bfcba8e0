"""OdooSource through the real client against the sandbox's Odoo: every version, over HTTP."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from connections.odoo.client import connect
from sandbox.odoo.sales import Line
from sandbox.odoo.server import Odoo
from sandbox.odoo.shop import VERSIONS, Shop
from sync.sources.odoo.source import PROBED, OdooSource
from tests.doubles import http as http_doubles

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
        http_doubles.install(mock, Odoo(shop), "https://odoo.example.com")
        connection = make_connection(database=shop.database, username=shop.login, api_key=shop.api_key)
        return shop, connect(connection, None, now=clock(), wanted=PROBED)

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


@pytest.mark.parametrize("version", VERSIONS)
def test_when_an_order_was_made_and_for_whom(make_shop, version):
    shop, client = make_shop(version)
    shop.add("res.company", id=2, name="Other Company")
    shop.poller.company_ids = (1, 2)
    shop.edit_order(2, company_id=2)
    first, second, _ = OdooSource(client).read([1, 2, 3])
    assert first.create_date == shop.order(1)["create_date"].replace(microsecond=0)
    assert [(order.company_id, order.company) for order in (first, second)] == [
        (1, "Sandbox Company"),
        (2, "Other Company"),
    ]


def rewards(client):
    """Of the lines of order 1, by id."""
    (order,) = OdooSource(client).read([1])
    return [line.is_reward for line in sorted(order.lines, key=lambda line: line.line_id)]


@pytest.mark.parametrize("version", VERSIONS)
def test_lines_that_a_promotion_made(make_shop, version):
    shop, client = make_shop(version, modules=frozenset({"sale_loyalty"}))
    free = Line(shop.product_id, price=0.0, more={"is_reward_line": True})
    shop.add_line(1, free)
    assert rewards(client) == [False, False, True]


@pytest.mark.parametrize("version", VERSIONS)
def test_where_nobody_tells_of_promotions_lines_are_not_said_to_be_none(make_shop, version):
    _, client = make_shop(version)
    assert rewards(client) == [None, None]


@pytest.mark.parametrize(
    ("version", "modules", "expected"),
    [
        (17, {"sale_loyalty"}, [False, False, True]),
        (18, set(), [None, None, True]),
        (19, set(), [None, None, True]),
        (16, set(), [None, None, None]),  # it has no such discounts
    ],
)
def test_the_discount_on_a_whole_order(make_shop, version, modules, expected):
    """A line whose product is the one that its company keeps for discounts."""
    shop, client = make_shop(version, modules=frozenset(modules))
    discount = shop.add_product("Discount", kind="service")
    with shop.begin() as tx:
        tx.write("res.company", 1, {"sale_discount_product_id": discount})
    shop.add_line(1, Line(discount, price=-0.5))
    assert rewards(client) == expected
