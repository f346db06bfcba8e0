"""Searching, comparing moments, paging, nested reads and rights."""

import pytest

from sandbox.odoo.access import SALES_MODELS
from sandbox.odoo.sales import Line

ONLY_19, UP_TO_18, ALL = {19}, {16, 17, 18}, {16, 17, 18, 19}

# An order stored at 10:00:00.4: the comparison, and the versions that find it.
COMPARISONS = [
    (">", "2026-11-20 10:00:00", UP_TO_18),
    (">=", "2026-11-20 10:00:00", ALL),
    (">=", "2026-11-20 10:00:01", set()),
    ("<", "2026-11-20 10:00:00", set()),
    ("<", "2026-11-20 10:00:01", ALL),
    ("<=", "2026-11-20 10:00:00", ONLY_19),
    ("=", "2026-11-20 10:00:00", ONLY_19),
    ("!=", "2026-11-20 10:00:00", UP_TO_18),
    ("=", "2026-11-20 10:00:00.400000", ALL),
    (">", "2026-11-20 10:00:00.399999", UP_TO_18),
    (">", "2026-11-20 09:59:59.999999", ALL),
    (">=", "2026-11-20 10:00:00.900000", ONLY_19),
    (">", "2026-11-20T09:59:59", ALL),
    (">", "2026-11-20", set()),
    (">=", "2026-11-20", ALL),
    (">", False, set()),
    ("!=", False, ALL),
    ("in", ["2026-11-20 10:00:00"], ONLY_19),
    ("not in", ["2026-11-20 10:00:00"], UP_TO_18),
]


@pytest.mark.parametrize(("operator", "literal", "found_by"), COMPARISONS)
def test_write_date_is_compared_as_each_version_does(shop, call, version, operator, literal, found_by):
    order_id = shop.sell()
    expected = [order_id] if version in found_by else []
    assert call.ids(["write_date", operator, literal]) == expected


@pytest.mark.parametrize("literal", ["garbage", "2026-13-40 10:00:00", 1700000000])
def test_what_is_no_moment_is_an_error(call, version, literal):
    name = call.error("sale.order", "search", [["write_date", ">", literal]])
    assert name.startswith("builtins.ValueError" if version == 19 else "psycopg2.errors.")


def test_a_zone_is_an_error_on_19_only(shop, call, version):
    shop.sell()
    answer = call.answer("sale.order", "search_count", [["write_date", ">=", "2026-11-20T10:00:00Z"]])
    assert ("error" in answer) == (version == 19)


def test_read_back_moments_are_whole_seconds_and_the_order_is_by_microseconds(shop, call, watch):
    first = shop.sell()
    watch.go(0.3)
    second = shop.sell()
    shop.touch(first)
    watch.go(0.1)
    shop.touch(first)
    rows = call("sale.order", "search_read", [], ["write_date"], order="write_date desc, id desc")
    assert [(row["id"], row["write_date"]) for row in rows] == [
        (first, "2026-11-20 10:00:00"),
        (second, "2026-11-20 10:00:00"),
    ]


def test_a_page_smaller_than_a_second_sticks_but_pages_by_id_do_not(shop, call):
    with shop.begin() as tx:
        ids = [shop.sell(tx=tx) for _ in range(7)]
    since = [["write_date", ">=", "2026-11-20 10:00:00"]]
    by_date = {"order": "write_date asc, id asc", "limit": 5}
    assert call("sale.order", "search", since, **by_date) == call("sale.order", "search", since, **by_date)
    page = call("sale.order", "search", since, order="id asc", limit=5)
    assert (
        page + call("sale.order", "search", [*since, ["id", ">", page[-1]]], order="id asc", limit=5) == ids
    )
    assert call("sale.order", "search", since, order="id asc", limit=5, offset=5) == ids[5:]


DOMAINS = [
    ([], [1, 2, 3]),
    ([["state", "=", "sale"]], [1, 2]),
    ([["state", "in", ["sale", "draft"]]], [1, 2, 3]),
    ([["state", "not in", ["sale"]]], [3]),
    ([["state", "!=", "sale"]], [3]),
    (["|", ["id", "=", 1], ["id", "=", 3]], [1, 3]),
    (["!", ["id", "=", 1]], [2, 3]),
    (["&", ["id", ">", 1], ["state", "=", "sale"]], [2]),
    (["|", "&", ["id", ">", 1], ["state", "=", "sale"], ["id", "=", 1], ["id", "<=", 2]], [1, 2]),
    ([["id", "in", [3, 2, 99]]], [2, 3]),
    ([["id", ">=", 2], ["id", "<", 3]], [2]),
    ([["client_order_ref", "=", False]], [1, 3]),
    ([["client_order_ref", "!=", False]], [2]),
    ([["client_order_ref", "ilike", "oc-"]], [2]),
    ([["client_order_ref", "=like", "OC%"]], [2]),
    ([["company_id", "=", 1]], [1, 2, 3]),
    ([["company_id", "in", [2]]], []),
    ([["partner_id", "=", "Ana"]], [2]),
    ([["partner_id.name", "=", "Ana"]], [2]),
    ([["partner_id.country_id.code", "=", "MX"]], [2]),
    ([["order_line.product_uom_qty", ">", 4]], [2]),
    ([["amount_total", ">", 5]], [2]),
]


@pytest.fixture
def three_orders(shop):
    ana = shop.add_partner("Ana", country_id=156)
    shop.sell()
    shop.sell(ana, [Line(shop.product_id, 5)], client_order_ref="OC-1")
    shop.quotation(shop.customer_id, [Line(shop.product_id)])


@pytest.mark.parametrize(("domain", "expected"), DOMAINS)
def test_domains(three_orders, call, domain, expected):
    assert call("sale.order", "search", domain, order="id") == expected
    assert call("sale.order", "search_count", domain) == len(expected)


def test_an_operator_nobody_knows_is_refused(call):
    assert call.error("sale.order", "search", [["id", "child_of", 1]]) == "builtins.ValueError"


def test_orders_sort_through_relations(three_orders, shop, call):
    lines = call("sale.order.line", "search", [], order="order_id desc, id")
    assert lines == [1, 2, 3]
    assert call("sale.order", "search", [], order="partner_id desc, id") == [1, 3, 2]


def test_nested_reading(shop, call, version):
    lines = [Line(shop.product_id, 2), Line(name="Nota", display_type="line_note"), Line(shop.product_id)]
    order_id = shop.sell(lines=lines)
    specification = {
        "name": {},
        "partner_id": {"fields": {"display_name": {}, "country_id": {"fields": {"code": {}}}}},
        "user_id": {},
        "order_line": {
            "fields": {"product_id": {"fields": {"default_code": {}}}},
            "order": "id desc",
            "limit": 2,
        },
    }
    answer = call.answer("sale.order", "web_read", [order_id], specification)
    if version == 16:
        assert answer["error"]["data"]["name"] == "builtins.AttributeError"
        return
    assert answer["result"] == [
        {
            "id": order_id,
            "name": "S00001",
            "partner_id": {"id": 2, "display_name": "José Ángel Muñoz", "country_id": False},
            "user_id": 2,
            "order_line": [
                {"id": 3, "product_id": {"id": 1, "default_code": "TOR-12"}},
                {"id": 2, "product_id": False},
                {"id": 1},
            ],
        }
    ]


def test_length_counts_only_as_far_as_needed(shop, call, version):
    for _ in range(5):
        shop.sell()
    what = {"fields": ["name"]} if version == 16 else {"specification": {"name": {}}}

    def length(**more):
        return call("sale.order", "web_search_read", [], **what, **more)["length"]

    assert [length(), length(limit=9), length(limit=2), length(limit=2, count_limit=4)] == [5, 5, 5, 4]
    assert length(limit=2, count_limit=2) == 2
    assert length(limit=2, offset=4) == 5
    assert length(limit=2, offset=9) == 0


def test_rights(shop, call):
    mine = shop.sell(user_id=9)
    foreign = shop.sell()
    unowned = shop.sell(user_id=False)
    shop.add_user(9, "own@example.com", key="own-key", own_documents=True)
    shop.add_user(10, "none@example.com", key="none-key", denied=SALES_MODELS)
    assert call("sale.order", "search", [], order="id", uid=9, key="own-key") == [mine, unowned]
    assert call.error("sale.order", "read", [foreign], uid=9, key="own-key") == "odoo.exceptions.AccessError"
    assert len(call("sale.order.line", "search", [], uid=9, key="own-key")) == 2
    assert call.error("sale.order", "search", [], uid=10, key="none-key") == "odoo.exceptions.AccessError"
    assert (
        call("sale.order", "check_access_rights", "read", raise_exception=False, uid=10, key="none-key")
        is False
    )
    assert call("res.partner", "search_count", [], uid=10, key="none-key") > 0


def test_companies(shop, call):
    shop.add("res.company", id=2, name="Second", currency_id=1)
    first, second = shop.sell(), shop.sell(company_id=2)
    assert call.ids() == [first]
    shop.poller.company_ids = (1, 2)
    assert call.ids() == [first, second]
    assert call.ids(["company_id", "=", 2]) == [second]
    narrowed = call("sale.order", "search", [], context={"allowed_company_ids": [2]})
    assert narrowed == [second]


def test_writing_through_the_api(shop, call, watch):
    order_id = shop.quotation(shop.customer_id, [Line(shop.product_id)])
    watch.go(3)
    assert call("sale.order", "action_confirm", [order_id]) is True
    assert call("sale.order", "write", [order_id], {"client_order_ref": "X"}) is True
    assert call("sale.order", "action_cancel", [order_id]) is True
    assert call.written(order_id) == "2026-11-20 10:00:03"
    assert call("sale.order", "unlink", [order_id]) is True
    assert call.error("res.partner", "action_confirm", [1]) == "builtins.AttributeError"
