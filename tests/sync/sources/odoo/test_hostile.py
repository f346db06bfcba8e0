"""OdooSource against servers that answer what they should not: one order is set aside, the others flow."""

import json
from collections import Counter
from datetime import UTC, datetime

import orjson
import pytest

from connections.errors import Access, Contract, RemoteError, Temporary
from sync.events import payload
from sync.orders import Change, Order, Unreadable
from sync.sources.odoo.source import OdooSource
from tests.doubles.recorded_odoo import RecordedOdoo
from tests.doubles.spoilt_records import ASKED, BAD, BOTH, SPOILING, nested, spoilt_nested

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

NAN, INFINITY = float("nan"), float("inf")

# What a receiver cannot do without: field, value, what the reason names.
SPOILT_ORDERS = [
    ("name", 7, "name"),
    ("name", ["x"], "name"),
    ("name", True, "name"),
    ("state", "draft; drop", "state"),
    ("state", {"x": 1}, "state"),
    ("write_date", False, "write_date"),
    ("write_date", "yesterday", "write_date"),
    ("write_date", 1795176000, "write_date"),
    ("write_date", "0001-01-01T00:00:00+23:59", "write_date"),
    ("write_date", "9999-12-31 23:59:59", "write_date"),
    ("amount_total", NAN, "amount_total"),
    ("amount_total", INFINITY, "amount_total"),
    ("amount_total", "14.38", "amount_total"),
    ("amount_total", False, "amount_total"),
    ("amount_tax", 10**400, "amount_tax"),
    ("amount_tax", 2**53 + 1, "amount_tax"),
    ("partner_id", "Lucía", "partner_id"),
    ("partner_id", [52], "partner_id"),
    ("partner_id", ["52", "Lucía"], "partner_id"),
    ("partner_id", {}, "partner_id"),
    ("partner_shipping_id", 53, "partner_shipping_id"),
    ("partner_shipping_id", [999_999, "Nobody"], "partner_shipping_id: name"),
    ("order_line", "none", "order_line"),
    ("order_line", {"id": 1}, "order_line"),
    ("order_line", ["53"], "order_line"),
    ("order_line", [53, None], "order_line"),
    ("order_line", [999_999], "line 999999"),
    ("order_line", [2**60], "order_line"),
]
SPOILT_LINES = [
    ("product_uom_qty", NAN, "product_uom_qty"),
    ("product_uom_qty", "2", "product_uom_qty"),
    ("price_unit", None, "price_unit"),
    ("price_unit", 1e300, "price_unit"),
    ("discount", {}, "discount"),
    ("product_id", "screw", "product_id"),
    ("product_id", [999_999, "Gone"], "default_code"),
]
# Nested, a bare id stands where the record should be; the words differ then.
BARE = {
    ("partner_shipping_id", "partner_shipping_id: name"),
    ("order_line", "line 999999"),
    ("product_id", "default_code"),
}
SPOILT_PRODUCTS = [("default_code", 7, "default_code")]
SPOILT = [
    pytest.param(model, record, *spoilt, id=f"{model} {spoilt[0]} {i}")
    for model, record, table in [
        ("sale.order", BAD, SPOILT_ORDERS),
        ("sale.order.line", 54, SPOILT_LINES),
        ("product.product", 62, SPOILT_PRODUCTS),
    ]
    for i, spoilt in enumerate(table)
]


@SPOILING
@pytest.mark.parametrize(("model", "record_id", "field", "value", "reason"), SPOILT)
def test_one_spoilt_record_spoils_one_order(spoil, model, record_id, field, value, reason):
    is_bare = spoil is spoilt_nested and (field, reason) in BARE
    words = "is not an object" if is_bare else reason.split(": ")[-1]
    check_one_unreadable(spoil(model, record_id, field, value), words)


def check_one_unreadable(odoo, words):
    first, bad, last = OdooSource(odoo).read(ASKED)
    assert [first.name, last.name] == ["S00025", "S00031"]
    assert isinstance(bad, Unreadable)
    assert bad.order_id == BAD
    assert words in bad.reason
    assert "Lucía" not in bad.reason


def with_answer(change):
    odoo = RecordedOdoo(19)
    ask = odoo.web_search_read
    odoo.web_search_read = lambda *args, **kwargs: change(ask(*args, **kwargs))
    return odoo


@pytest.mark.parametrize(
    "change",
    [
        lambda found: [*found, {**found[0], "id": 999, "name": "S00999"}],
        lambda found: [*found, *found],
        lambda found: [*found, {**found[0], "name": "a second one"}],
        lambda found: found[::-1],
        lambda found: [{**record, "more": [{"x": {}}]} for record in found],
    ],
    ids=["not asked for", "twice", "twice but different", "other order", "more fields"],
)
def test_what_was_not_asked_for_is_ignored(change):
    truth = OdooSource(RecordedOdoo(19)).read(ASKED)
    assert OdooSource(with_answer(change)).read(ASKED) == truth


@pytest.mark.parametrize(
    "garbage",
    ["S00027", 27, None, [27], {}, {"id": "27"}, {"id": True}, {"id": -27}, {"id": 2**53 + 1}, {"id": NAN}],
)
@BOTH
def test_what_is_no_record_makes_the_missing_order_unreadable(make, garbage):
    odoo = make()
    verb = "web_search_read" if make is nested else "search_read"
    ask = getattr(odoo, verb)
    setattr(
        odoo,
        verb,
        lambda *args, **kwargs: [garbage if r["id"] == BAD else r for r in ask(*args, **kwargs)],
    )
    first, bad, last = OdooSource(odoo).read(ASKED)
    assert (first.order_id, last.order_id) == (25, 31)
    assert bad == Unreadable(BAD, "Odoo answered something that is no record")


@pytest.mark.parametrize("answer", [None, "no", {"records": []}, 7])
@BOTH
def test_an_answer_that_is_no_list_is_an_error(make, answer):
    odoo = make()
    odoo.web_search_read = odoo.search_read = lambda *args, **kwargs: answer
    source = OdooSource(odoo)
    for act in (lambda: source.read(ASKED), lambda: source.changes(since=LONG_AGO), source.max_id):
        with pytest.raises(Contract) as error:
            act()
        assert error.value.code == "odoo_broken_answer"


@BOTH
def test_harmful_characters_are_shown_as_such(make):
    odoo = make()
    odoo.tables["sale.order"][27] |= {
        "name": "S\0 27",
        "note": "<p>\ud83c</p>\x1b[2J",
        "client_order_ref": "a\x85b\u2028",
    }
    odoo.tables["sale.order.line"][54]["name"] = "two\r\nlines\tand a tab\x0b\x7f"
    odoo.tables["product.product"][62]["default_code"] = " A\x1dB \udfff"
    (order,) = OdooSource(odoo).read([27])
    assert (order.name, order.note) == ("S\ufffd 27", "<p>\ufffd</p>\ufffd[2J")
    assert order.client_order_ref == "a\x85b\u2028"
    assert order.lines[1].name == "two\r\nlines\tand a tab\ufffd\ufffd"
    assert order.lines[1].sku == " A\ufffdB \ufffd"
    body = orjson.dumps(payload.content(order, database="db"))
    assert b"\\u0000" not in body
    json.loads(body)


@BOTH
def test_a_line_listed_twice_counts_once(make):
    odoo = make()
    odoo.tables["sale.order"][27]["order_line"] *= 2
    (order,) = OdooSource(odoo).read([27])
    assert [line.line_id for line in order.lines] == [53, 54]


@BOTH
def test_a_customer_nobody_knows_does_not_hold_the_order_back(make):
    odoo = make()
    odoo.tables["sale.order"][27] |= {"partner_id": False, "partner_shipping_id": False}
    (order,) = OdooSource(odoo).read([27])
    assert (order.customer.id, order.customer.name, order.shipping) == (None, "", order.customer)


# --- The feed


def feed(*records, limit=1000, after_id=0):
    odoo = RecordedOdoo(19)
    odoo.search_read = lambda *args, **kwargs: list(records)
    return OdooSource(odoo).changes(since=LONG_AGO, limit=limit, after_id=after_id)


def line(order_id, write_date="2026-11-20 11:21:39", state="sale"):
    return {"id": order_id, "write_date": write_date, "state": state}


def test_the_feed_keeps_its_form():
    found = feed(
        line(9), line(7), line(9), line(3), "x", {}, line("8"), line(2**53 + 1), line(-1), after_id=3
    )
    assert [change.order_id for change in found] == [7, 9]


def test_an_order_with_a_spoilt_date_in_the_feed_is_known_by_its_stamp():
    """Else every poll would read it again."""
    (change,) = feed(line(7) | {"date_order": "9999-01-01 00:00:00"})
    assert change == Change(7, datetime(2026, 11, 20, 11, 21, 39, tzinfo=UTC), "sale", None)


@pytest.mark.parametrize(
    "spoilt", [line(7, False), line(7, "soon"), line(7, state=None), line(7, state="x" * 99)]
)
def test_an_order_with_a_spoilt_line_in_the_feed_is_not_lost(spoilt):
    assert feed(spoilt, line(8)) == [
        Change(7, LONG_AGO, ""),
        Change(8, datetime(2026, 11, 20, 11, 21, 39, tzinfo=UTC), "sale"),
    ]


@pytest.mark.parametrize("records", [(line(5), line(5)), (line(5), line(2)), (line(5), "x")])
def test_a_full_page_is_never_taken_for_the_last_one(records):
    with pytest.raises(Contract) as error:
        feed(*records, limit=2, after_id=3)
    assert error.value.code == "odoo_broken_answer"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-20 11:21:39.999999", datetime(2026, 11, 20, 11, 21, 39, tzinfo=UTC)),
        ("2026-11-20T11:21:39Z", datetime(2026, 11, 20, 11, 21, 39, tzinfo=UTC)),
        ("2026-11-20T05:21:39-06:00", datetime(2026, 11, 20, 11, 21, 39, tzinfo=UTC)),
    ],
)
def test_other_forms_of_a_moment_are_understood(text, moment):
    assert feed(line(5, text)) == [Change(5, moment, "sale")]


# --- Errors of the whole call


class Refusing(RecordedOdoo):
    """Every whole read that touches one of these orders fails; all do when there are none."""

    def __init__(self, error, *bad):
        super().__init__(19)
        self.error, self.bad = error, set(bad)

    def web_search_read(self, model, *, domain, **kwargs):
        found = super().web_search_read(model, domain=domain, **kwargs)
        if not self.bad or self.bad & {record["id"] for record in found}:
            raise self.error
        return found


NO_RIGHTS = Access("odoo_no_rights", "record rule on res.partner")


@pytest.mark.parametrize(
    "error",
    [
        NO_RIGHTS,
        Temporary("odoo_server_error", "KeyError"),
        Temporary("odoo_record_gone"),
        Contract("odoo_broken_answer"),
        Contract("odoo_refused_call"),
        Contract("odoo_unknown_field", "could not convert string to float"),
        Contract("odoo_too_large"),
    ],
    ids=lambda error: error.code,
)
@pytest.mark.parametrize("bad", [(27,), (25, 31), (25, 26, 27, 28)])
def test_orders_that_break_the_call_are_set_aside(error, bad):
    odoo = Refusing(error, *bad)
    ids = list(range(25, 45))
    results = OdooSource(odoo).read(ids)
    assert [result.order_id for result in results] == ids
    assert {result for result in results if isinstance(result, Unreadable)} == {
        Unreadable(order_id, str(error)) for order_id in bad
    }
    assert odoo.calls["web_search_read", "sale.order"] <= 2 + 2 * 5 * len(bad)


def test_a_single_order_that_breaks_the_call_is_set_aside():
    assert OdooSource(Refusing(NO_RIGHTS, 27)).read([27]) == [Unreadable(27, str(NO_RIGHTS))]


def test_the_newest_may_be_broken_too():
    newest = OdooSource(RecordedOdoo(19)).newest(2)
    assert OdooSource(Refusing(NO_RIGHTS, 27, *newest)).read([27]) == [Unreadable(27, str(NO_RIGHTS))]


def test_in_a_shop_with_nothing_else_one_good_order_tells():
    odoo = Refusing(NO_RIGHTS, 25)
    odoo.tables["sale.order"] = {i: odoo.tables["sale.order"][i] for i in (25, 26, 27)}
    bad, *good = OdooSource(odoo).read([25, 26, 27])
    assert bad == Unreadable(25, str(NO_RIGHTS))
    assert [type(order) for order in good] == [Order, Order]


@pytest.mark.parametrize("ids", [[27], list(range(25, 45)), [i for i in range(25, 60) if i not in (48, 49)]])
def test_when_nothing_can_be_read_it_is_not_the_orders(ids):
    odoo = Refusing(NO_RIGHTS)
    with pytest.raises(Access):
        OdooSource(odoo).read(ids)
    assert odoo.calls.total() <= 6


@pytest.mark.parametrize(
    "error",
    [
        Temporary("odoo_timeout"),
        Temporary("odoo_database_down"),
        Temporary("odoo_rate_limited"),
        Access("odoo_access_denied"),
        Contract("odoo_not_odoo"),
    ],
    ids=lambda error: error.code,
)
def test_what_no_order_causes_is_raised_at_once(error):
    odoo = Refusing(error, 27)
    with pytest.raises(RemoteError) as raised:
        OdooSource(odoo).read(ASKED)
    assert raised.value is error
    assert odoo.calls == Counter({("web_search_read", "sale.order"): 1})


@pytest.mark.parametrize("calls_before_it_goes_down", [1, 2, 3, 4])
def test_a_server_that_goes_down_meanwhile_is_told(calls_before_it_goes_down):
    odoo = Refusing(NO_RIGHTS, 26, 27)
    ask, asked = odoo.web_search_read, []

    def answer(*args, **kwargs):
        asked.append(args)
        if len(asked) > calls_before_it_goes_down:
            raise Temporary("odoo_unreachable")
        return ask(*args, **kwargs)

    odoo.web_search_read = answer
    with pytest.raises(Temporary):
        OdooSource(odoo).read(ASKED)
