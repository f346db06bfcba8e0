"""The daily life: the same seed gives the same day, and late commits come late."""

import pytest

from sandbox.odoo.daily_life import Life
from sandbox.odoo.shop import Shop
from tests.sandbox.conftest import Caller, Watch


def live(version, seconds, seed=1, per_minute=20.0):
    watch = Watch()
    life = Life(Shop(version, "shop", watch), per_minute, seed)
    life.seed_orders(5)
    for _ in range(seconds):
        watch.go(1)
        life.run_due()
    return life


def history(life):
    rows = life.shop.world.rows("sale.order")
    return [(row["id"], row["state"], row["write_date"], row["amount_total"]) for row in rows]


@pytest.mark.parametrize("version", [16, 17, 18, 19])
def test_a_day_has_everything_and_can_be_repeated(version):
    life = live(version, 600)
    assert history(life) == history(live(version, 600))
    assert history(life) != history(live(version, 600, seed=2))
    states = {row["state"] for row in life.shop.world.rows("sale.order")}
    assert states == ({"sale", "cancel", "done"} if version == 16 else {"sale", "cancel"})
    assert 150 < len(history(life)) < 260
    texts = [row["name"] for row in life.shop.world.rows("sale.order.line")]
    assert any(text.endswith("(revisado)") for text in texts)


def test_commits_overtake_each_other():
    life = live(17, 600)
    order = list(life.shop.world.tables["sale.order"])
    assert order != sorted(order), "no transaction committed after a later one"


def test_seeded_orders_lie_in_the_past_and_differ(version, watch):
    life = Life(Shop(version, "shop", watch))
    life.seed_orders(30)
    rows = list(life.shop.world.rows("sale.order"))
    assert max(row["write_date"] for row in rows) < watch()
    assert len({row["write_date"] for row in rows}) == 30
    assert life.run_due() == 0


def test_a_late_commit_on_demand(shop, watch):
    life = Life(shop)
    call = Caller(shop)
    life.confirm_late(20)
    life.confirm_now()
    assert call.ids() == [2]
    watch.go(20)
    life.run_due()
    assert call.ids() == [1, 2]
    assert call.written(1) == "2026-11-20 10:00:00"


def test_goods_and_customers_have_the_odd_cases(shop):
    life = Life(shop)
    life.confirm_now(200)
    call = Caller(shop)
    lines = call("sale.order.line", "search_read", [], ["display_type", "discount", "product_uom_qty"])
    assert {line["display_type"] for line in lines} == {False, "line_section", "line_note"}
    assert {0.0, 33.33} < {line["discount"] for line in lines}
    products = call("product.product", "search_read", [], ["default_code", "type"])
    assert {False, " SKU 001 / A "} < {product["default_code"] for product in products}
    addresses = call("res.partner", "search_read", [["type", "=", "delivery"]], ["name", "vat"])
    assert False in {address["name"] for address in addresses}
    assert all(address["vat"] for address in addresses)
