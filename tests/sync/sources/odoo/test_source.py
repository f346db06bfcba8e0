"""OdooSource against recorded servers: the feed, whole orders in one call or in four, the mapping's rules."""

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from connections.errors import Contract
from sync.orders import Change, NamedOrder, Order, SeveralOrders
from sync.sources.odoo.source import WANTED, OdooSource
from tests.doubles.recorded_odoo import RECORDINGS, VERSIONS, RecordedOdoo, Server, cases, recorded

NESTING = [17, 18, 19]
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def classic(major):
    """The same records, but the source is told the server cannot nest."""
    odoo = RecordedOdoo(major)
    odoo.server = Server(16, odoo.server.fields, odoo.server.identity)
    return odoo


def read(odoo, *order_ids):
    return OdooSource(odoo).read(order_ids)


def read_one(odoo, case, major=19):
    (order,) = read(odoo, cases(major)[case])
    return order


# --- One call or four


@pytest.mark.parametrize("major", NESTING)
def test_the_double_nests_as_the_recorded_server_did(major):
    """What makes the other tests of this file worth something."""
    (path,) = (RECORDINGS / f"v{major}").glob("execute_kw-??-web-search-read-nested.json")
    specification = json.loads(path.read_text())["request"]["json"]["params"]["args"][6]["specification"]
    truth = {order["id"]: order for order in recorded(major, "web-search-read-nested")["records"]}
    odoo = RecordedOdoo(major)
    ids = sorted(truth.keys() & odoo.tables["sale.order"].keys())
    found = odoo.web_search_read("sale.order", domain=[["id", "in", ids]], specification=specification)
    assert len(found) >= 30
    assert found == [truth[i] for i in ids]


@pytest.mark.parametrize("major", NESTING)
def test_one_call_gives_what_the_classic_calls_give(major):
    nested, batched = RecordedOdoo(major), classic(major)
    orders = read(nested, *cases(major).values())
    assert orders == read(batched, *cases(major).values())
    assert len(orders) >= 31
    assert all(isinstance(order, Order) for order in orders)
    assert nested.calls == {("web_search_read", "sale.order"): 1}


def test_the_classic_calls_are_four_and_what_is_needed():
    odoo = RecordedOdoo(16)
    case = cases(16)
    read(odoo, case["plain_partner"])
    assert sum(odoo.calls.values()) == 4
    odoo.calls.clear()
    read(odoo, *case.values())
    assert odoo.calls == Counter(
        [("search_read", "sale.order")]
        + [
            ("read", model)
            for model in WANTED.keys()
            | {"product.template.attribute.value", "res.country.state", "res.country"}
            if model != "sale.order"
        ]
    )


@pytest.mark.parametrize("odoo", [RecordedOdoo(19), classic(19)], ids=["nested", "classic"])
def test_nothing_to_read_makes_no_call(odoo):
    assert read(odoo) == []
    assert not odoo.calls


@pytest.mark.parametrize("major", VERSIONS)
def test_orders_come_as_asked_once_and_without_the_gone(major):
    case = cases(major)
    asked = [case["eur"], 999_999, case["plain_partner"], case["eur"], case["draft"], case["sent"]]
    assert [order.order_id for order in read(RecordedOdoo(major), *asked)] == [
        case["eur"],
        case["plain_partner"],
    ]


# --- The feed


@pytest.mark.parametrize("major", VERSIONS)
def test_the_feed_holds_what_is_confirmed_or_cancelled(major):
    odoo = RecordedOdoo(major)
    changes = OdooSource(odoo).changes(since=LONG_AGO)
    case = cases(major)
    assert {change.order_id for change in changes} == set(case.values()) - {case["draft"], case["sent"]}
    assert [change for change in changes if change.cancelled] == [
        change for change in changes if change.order_id == case["cancelled_after_confirm"]
    ]
    assert odoo.calls == {("search_read", "sale.order"): 1}


def asked(odoo, **arguments):
    """What the server is asked by the feed."""
    seen = []
    odoo.search_read = lambda model, **call: seen.append(call) or []
    OdooSource(odoo, arguments.pop("company_id", None)).changes(**arguments)
    return seen[0]


def test_the_feeds_one_question():
    mexico = timezone(timedelta(hours=-6))
    since = datetime(2026, 11, 20, 5, 21, 39, 999_999, tzinfo=mexico)
    assert asked(RecordedOdoo(19), since=since, after_id=30, limit=500, company_id=2) == {
        "domain": [
            ["company_id", "=", 2],
            ["state", "in", ["sale", "done", "cancel"]],
            ["write_date", ">=", "2026-11-20 11:21:39"],
            ["id", ">", 30],
        ],
        "fields": ["write_date", "state", "date_order"],
        "order": "id",
        "limit": 500,
    }


def test_everything_open_asks_for_delivery_where_the_server_knows_of_it():
    odoo = RecordedOdoo(19)
    assert asked(odoo, since=LONG_AGO, only_open=True)["domain"][:2] == [
        ["state", "in", ["sale", "done"]],
        ["delivery_status", "!=", "full"],
    ]
    bare = RecordedOdoo(19)
    bare.server.fields["sale.order"] -= {"delivery_status"}
    assert asked(bare, since=LONG_AGO, only_open=True)["domain"][:2] == [
        ["state", "in", ["sale", "done"]],
        ["write_date", ">=", "2020-01-01 00:00:00"],
    ]


@pytest.mark.parametrize("major", VERSIONS)
def test_everything_open_leaves_out_the_delivered_and_the_cancelled(major):
    open_ids = {c.order_id for c in OdooSource(RecordedOdoo(major)).changes(since=LONG_AGO, only_open=True)}
    case = cases(major)
    assert open_ids == set(case.values()) - {
        case[name] for name in ("draft", "sent", "cancelled_after_confirm", "delivered")
    }


def test_pages_by_id_meet_every_order_once():
    source = OdooSource(RecordedOdoo(19))
    ids, page = [], source.changes(since=LONG_AGO, limit=5)
    while page:
        ids += [change.order_id for change in page]
        page = source.changes(since=LONG_AGO, limit=5, after_id=ids[-1])
    assert ids == [change.order_id for change in source.changes(since=LONG_AGO)]


def test_the_boundarys_second_is_in_the_feed():
    source = OdooSource(RecordedOdoo(19))
    change = source.changes(since=LONG_AGO)[-1]
    later = source.changes(since=change.write_date)
    assert change in later
    assert change not in source.changes(since=change.write_date + timedelta(seconds=1))


# --- Other questions


def test_newest_come_first():
    source = OdooSource(RecordedOdoo(19))
    case = cases(19)
    newest = source.newest(3)
    assert len(newest) == 3
    dates = [order.date_order for order in source.read(newest)]
    assert dates == sorted(dates, reverse=True)
    everything = source.newest(1000)
    assert case["cancelled_after_confirm"] not in everything
    assert case["locked"] in everything
    assert everything[:3] == newest


def test_names_are_looked_up():
    source = OdooSource(RecordedOdoo(19))
    ids = source.find(["S00031", "S00025", "S99999", "S00048", "s00026"])
    assert ids == {"S00031": 31, "S00025": 25}
    assert list(ids) == ["S00031", "S00025"]


@pytest.mark.parametrize("major", VERSIONS)
def test_a_name_of_two_orders_is_told_and_not_taken(major):
    odoo = RecordedOdoo(major)
    orders = odoo.tables["sale.order"]
    orders[40]["name"] = orders[31]["name"]
    with pytest.raises(SeveralOrders) as told:
        OdooSource(odoo).find(["S00030", orders[31]["name"]])
    assert list(told.value.orders) == [orders[31]["name"]]
    first, second = told.value.orders[orders[31]["name"]]
    assert [first, second] == [
        NamedOrder(
            order_id=number,
            name=orders[31]["name"],
            state=orders[number]["state"],
            company=orders[number]["company_id"][1],
            date_order=datetime.fromisoformat(orders[number]["date_order"] + "+00:00"),
            customer=orders[number]["partner_id"][1],
        )
        for number in (31, 40)
    ]


@pytest.mark.parametrize("odd", [7, ["x"], None, {"id": 1}, [1, 5], "2026-99-99"])
def test_what_tells_them_apart_may_be_odd(odd):
    odoo = RecordedOdoo(19)
    for number in (31, 40):
        odoo.tables["sale.order"][number] |= {"name": "S1", "partner_id": odd, "date_order": odd}
        odoo.tables["sale.order"][number]["company_id"] = [1, "Ours"]
    with pytest.raises(SeveralOrders) as told:
        OdooSource(odoo).find(["S1"])
    shown = [(o.order_id, o.company, o.date_order, o.customer) for o in told.value.orders["S1"]]
    assert shown == [(31, "Ours", None, ""), (40, "Ours", None, "")]


@pytest.mark.parametrize("company_id", [1, 2])
def test_only_the_companys_orders(company_id):
    odoo = RecordedOdoo(19)
    odoo.tables["sale.order"][40]["company_id"] = [2, "Other"]
    source = OdooSource(odoo, company_id)
    ours = {o["id"] for o in odoo.tables["sale.order"].values() if o["company_id"][0] == company_id}
    quotations = {o["id"] for o in odoo.tables["sale.order"].values() if o["state"] in ("draft", "sent")}
    assert {change.order_id for change in source.changes(since=LONG_AGO)} == ours - quotations
    assert set(source.newest(1000)) == set(source.confirmed_ids(limit=1000)) <= ours
    assert set(source.find(["S00040", "S00041"])) == ({"S00041"} if company_id == 1 else {"S00040"})
    assert source.max_id() == max(ours)


def test_confirmed_ids_page():
    source = OdooSource(RecordedOdoo(19))
    ids = source.confirmed_ids(limit=1000)
    assert ids == sorted(source.newest(1000))
    assert source.confirmed_ids(after_id=ids[3], limit=4) == ids[4:8]


@pytest.mark.parametrize("major", VERSIONS)
def test_what_is_not_wholly_delivered(major):
    source = OdooSource(RecordedOdoo(major))
    case = cases(major)
    due = source.undelivered(since=LONG_AGO, limit=1000)
    assert due == source.changes(since=LONG_AGO, only_open=True)
    assert case["delivered"] not in {change.order_id for change in due}
    assert source.undelivered(since=LONG_AGO, after_id=due[1].order_id, limit=2) == due[2:4]
    assert source.undelivered(since=datetime(2030, 1, 1, tzinfo=UTC), limit=9) == []


def test_states_are_told_of_any_order():
    odoo = RecordedOdoo(19)
    case = cases(19)
    wanted = {case["draft"]: "draft", case["sent"]: "sent", case["cancelled_after_confirm"]: "cancel"}
    seen = OdooSource(odoo).sightings(dict.fromkeys([*wanted, 999_999])).seen
    assert {order_id: sight.state for order_id, sight in seen.items()} == wanted
    assert odoo.calls.total() == 2  # one search, and one read for what it did not find
    odoo.calls.clear()
    assert OdooSource(odoo).sightings({}).seen == {}
    assert not odoo.calls


def test_an_empty_shop():
    odoo = RecordedOdoo(19)
    odoo.tables["sale.order"].clear()
    source = OdooSource(odoo)
    assert (source.max_id(), source.newest(30), source.find(["S1"])) == (0, [], {})
    assert (source.changes(since=LONG_AGO), source.confirmed_ids(limit=9)) == ([], [])


# --- Versions and modules


@pytest.mark.parametrize(
    ("major", "unit", "locked", "state"),
    [
        (16, "product_uom", None, "done"),
        (17, "product_uom", True, "sale"),
        (19, "product_uom_id", True, "sale"),
    ],
)
def test_what_versions_call_differently(major, unit, locked, state):
    odoo = RecordedOdoo(major)
    assert unit in odoo.server.fields["sale.order.line"]
    order = read_one(odoo, "locked", major)
    assert (order.locked, order.state, order.lines[0].uom) == (locked, state, "Units")


def give(odoo, model, record_id=None, **values):
    """Set these fields: on one record, or on all."""
    for record in odoo.tables[model].values():
        if record_id is None or record["id"] == record_id:
            record.update(values)
    odoo.refresh()


def take(odoo, model, *names):
    for record in odoo.tables[model].values():
        for name in names:
            record.pop(name, None)
    odoo.refresh()


BOTH = pytest.mark.parametrize("make", [RecordedOdoo, classic], ids=["nested", "classic"])


@BOTH
def test_what_modules_add(make):
    odoo = make(19)
    give(odoo, "sale.order.line", is_delivery=True)
    give(odoo, "product.product", is_storable=True)
    (line,) = read_one(odoo, "plain_partner").lines
    assert (line.is_delivery, line.is_storable, line.product_type) == (True, True, "consu")


@BOTH
def test_what_a_server_does_not_have_is_none(make):
    odoo = make(19)
    take(odoo, "sale.order", "warehouse_id", "commitment_date", "locked", "origin", "user_id", "company_id")
    take(odoo, "sale.order.line", "sequence", "product_uom_id", "is_downpayment")
    take(odoo, "product.product", "type", "product_template_attribute_value_ids")
    order = read_one(odoo, "plain_partner")
    assert [order.warehouse, order.commitment_date, order.locked] == [None] * 3
    assert [order.origin, order.salesperson, order.company] == [None] * 3
    (line,) = order.lines
    assert [line.sequence, line.uom, line.is_downpayment, line.product_type, line.variant] == [None] * 5


@BOTH
def test_fields_that_went_with_an_upgrade_are_asked_for_no_more(make):
    odoo = make(19)
    known = odoo.server.fields | {"res.partner": odoo.server.fields["res.partner"] | {"mobile"}}
    odoo.server = replace(odoo.server, fields=known)
    assert read_one(odoo, "plain_partner").name == "S00025"
    assert odoo.refreshed == 1


@pytest.mark.parametrize(
    ("model", "code"), [("res.partner", "odoo_unknown_model"), ("sale.order", "odoo_unknown_field")]
)
def test_a_server_without_what_we_need_is_told(model, code):
    odoo = RecordedOdoo(19)
    if code == "odoo_unknown_model":
        odoo.tables[model] = {1: {}}
    else:
        take(odoo, model, "amount_total")
    odoo.refresh()
    with pytest.raises(Contract) as refusal:
        read(odoo, 25)
    assert refusal.value.code == code
    assert model in refusal.value.detail


# --- The mapping's rules


@BOTH
@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("plain_partner", ["TOR-HEX-12"]),
        ("html_note", ["7501055300068"]),  # no code: the barcode
        ("noname_shipping", [" SKU 001 / A "]),  # blanks belong to a code
        ("archived_product", ["OLD-1", "TOR-HEX-12"]),
        ("combo", ["COMBO-1", "7501055300068", "GIFT-🎁"]),
        ("no_lines", []),
        ("only_notes", []),
        ("only_zero", []),
    ],
)
def test_codes(make, case, expected):
    assert [line.sku for line in read_one(make(19), case).lines] == expected


@BOTH
def test_without_code_and_barcode_the_templates_code_counts(make):
    odoo = make(19)
    give(odoo, "product.product", 57, default_code=False, barcode=False)
    give(odoo, "product.template", 39, default_code="TEMPLATE")
    assert [line.sku for line in read_one(odoo, "html_note").lines] == ["TEMPLATE"]
    give(odoo, "product.template", 39, default_code=False)
    assert [line.sku for line in read_one(odoo, "html_note").lines] == [""]


@BOTH
def test_a_line_without_product_keeps_its_text(make):
    odoo = make(19)
    give(odoo, "sale.order.line", 51, product_id=False, name="By hand")
    (line,) = read_one(odoo, "plain_partner").lines
    assert (line.product_id, line.sku, line.name, line.variant, line.barcode) == (None, "", "By hand", "", "")


@BOTH
def test_variants_are_named_in_the_servers_order(make):
    variants = [line.variant for line in read_one(make(19), "chinese").lines]
    assert variants == ["", "Color ES: Rojo, Talla: S", "Color ES: Azul marino, Talla: L"]


@BOTH
def test_lines_come_by_sequence_then_number(make):
    odoo = make(19)
    give(odoo, "sale.order.line", 58, sequence=30)
    assert [line.line_id for line in read_one(odoo, "chinese").lines] == [59, 60, 58]


@BOTH
def test_quantities_and_prices_are_passed_on(make):
    odoo = make(19)
    lines = read_one(odoo, "eur").lines
    assert [(line.quantity, line.unit_price, line.discount_percent) for line in lines] == [
        (3.0, 46.05578700000001, 0.0),
        (7.0, 20.637120000000003, 33.33),
    ]
    negative = read_one(odoo, "negative").lines
    assert min(line.quantity for line in negative) == -1.0
    assert min(line.unit_price for line in negative) < 0


@BOTH
def test_parties(make):
    order = read_one(make(19), "parent_vat")
    company = "Grupo Ferretero del Norte, S.A. de C.V."
    assert (order.customer.name, order.customer.company_name) == ("Lucía Treviño", company)
    assert (order.customer.address.state, order.customer.address.state_code) == ("Nuevo León (MX)", "NLE")
    assert (order.customer.address.country, order.customer.address.country_code) == ("Mexico", "MX")
    assert (order.shipping.name, order.shipping.company_name) == ("Almacén 3 (Apodaca)", company)
    assert read_one(make(19), "eur").customer.company_name == ""  # it is the company
    assert read_one(make(19), "archived_partner").customer.name == "Cliente archivado"
    assert read_one(make(19), "noname_shipping").shipping.name == ""


@BOTH
@pytest.mark.parametrize(
    ("values", "attribute", "expected"),
    [
        ({"vat": False}, "tax_id", "GFN850101AB1"),
        ({"vat": "OWN"}, "tax_id", "OWN"),
        ({"phone": "", "mobile": "+52 1"}, "phone", "+52 1"),
        ({"phone": False, "mobile": False}, "phone", ""),
        ({"phone": "1", "mobile": "2"}, "phone", "1"),
        ({"ref": "C-7"}, "reference", "C-7"),
        ({"commercial_company_name": False}, "company_name", "Grupo Ferretero del Norte, S.A. de C.V."),
    ],
)
def test_what_stands_in_for_what_a_contact_lacks(make, values, attribute, expected):
    odoo = make(18)
    give(odoo, "res.partner", cases_partner(18, "child"), **values)
    assert getattr(read_one(odoo, "parent_vat", 18).customer, attribute) == expected


def cases_partner(major, name):
    return json.loads((RECORDINGS / f"v{major}" / "cases.json").read_text())["partners"][name]


@BOTH
def test_a_person_may_name_a_company_that_is_no_partner(make):
    odoo = make(19)
    give(odoo, "res.partner", cases_partner(19, "plain"), commercial_company_name="Typed by hand")
    assert read_one(odoo, "plain_partner").customer.company_name == "Typed by hand"


@BOTH
def test_without_a_delivery_address_goods_go_to_the_customer(make):
    odoo = make(19)
    give(odoo, "sale.order", 27, partner_shipping_id=False)
    order = read_one(odoo, "parent_vat")
    assert order.shipping == order.customer


@BOTH
def test_dates_and_names(make):
    odoo = make(19)
    order = read_one(odoo, "commitment")
    assert order.commitment_date == datetime(2026, 12, 24, 10, 30, tzinfo=UTC)
    assert (order.currency, order.warehouse, order.company) == (
        "USD",
        "YourCompany",
        "My Company (San Francisco)",
    )
    assert (order.origin, read_one(odoo, "salesperson_other").salesperson) == ("", "")
    assert OdooSource(odoo).changes(since=LONG_AGO, after_id=order.order_id - 1, limit=1) == [
        Change(order.order_id, order.write_date, "sale", order.date_order)
    ]
