"""The test of an Odoo, step by step: what each step says, and where it ends."""

from datetime import timedelta

import pytest

from connections.causes import CAUSES
from connections.odoo.connection_test import odoo_stages
from connections.secrets.fields import Secret

VERSIONS = [16, 17, 18, 19]
LOOK_UP = "The address is known and may be called"
ANSWERS = "An Odoo answers"
SIGN_IN = "The database is there, and takes the user and the key"
WAY_IN = [LOOK_UP, ANSWERS, SIGN_IN]
THERE = [
    "The key belongs to the user",
    "The user may read orders",
    "The user may read the lines of orders",
    "The user may read customers",
    "The user may read products",
    "Every field we need is there",
    "The user sees the orders of everybody",
    "The user sees the right companies",
    "The key will not expire soon",
    "The clocks agree",
    "The newest order can be read",
]


@pytest.fixture(autouse=True)
def known_name(resolver):
    resolver["odoo.example.com"] = [("8.8.8.8", 443)]


def run(place, **values):
    """name -> step."""
    place.client(**values)
    steps = list(odoo_stages(place.connection, now=place.clock()))
    assert steps
    for step in steps:
        assert (step.code == "") is (step.ok is True)
        assert step.code in {"", *CAUSES}
        assert place.connection.api_key.reveal() not in step.detail
    return {str(step.name): step for step in steps}


@pytest.fixture
def place(make_place):
    def make(version=17, **server):
        place = make_place(version, **server)
        place.connection.api_key = Secret(place.shop.api_key)
        return place

    return make


@pytest.mark.parametrize("version", VERSIONS)
def test_a_good_odoo_passes_every_step(place, version):
    place = place(version)
    place.shop.sell()

    steps = run(place)

    assert list(steps) == WAY_IN + THERE
    assert [step.code for step in steps.values() if step.ok is not True] == []
    assert steps[LOOK_UP].detail == "8.8.8.8"
    assert steps[ANSWERS].detail == f"Odoo {version}.0"
    assert steps[SIGN_IN].detail == ("JSON-2" if version == 19 else "JSON-RPC")
    assert steps["The user sees the right companies"].detail == "1 Sandbox Company"
    assert steps["The newest order can be read"].detail.startswith("S0000")
    assert steps["The clocks agree"].detail == "+0 s"


def test_a_name_that_is_not_known_ends_the_test(place, resolver):
    del resolver["odoo.example.com"]

    steps = run(place())

    assert [(name, step.code) for name, step in steps.items()] == [(LOOK_UP, "odoo_dns")]


def test_a_blocked_address_ends_the_test(place, resolver):
    resolver["odoo.example.com"] = [("10.0.0.1", 443)]

    assert run(place())[LOOK_UP].code == "odoo_blocked_address"


def test_behind_a_proxy_the_proxy_asks_for_the_name(place, resolver, settings):
    settings.PROXY_URL = "http://proxy.example:3128"

    assert run(place())[LOOK_UP].detail == "through the proxy"


@pytest.mark.parametrize(
    ("kind", "last", "code"),
    [
        ("down", ANSWERS, "odoo_unreachable"),
        ("hang", ANSWERS, "odoo_timeout"),
        ("html", ANSWERS, "odoo_not_odoo"),
        ("bad_gateway", ANSWERS, "odoo_unavailable"),
        ("pg_down", SIGN_IN, "odoo_database_down"),
    ],
)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_trouble_of_the_server_ends_the_test_where_it_shows(place, version, kind, last, code):
    place = place(version)
    place.shop.faults.set(kind)

    steps = run(place)

    assert list(steps)[-1] == last
    assert (steps[last].ok, steps[last].code) == (False, code)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("values", "code"),
    [({"database": "nosuch"}, "odoo_wrong_database"), ({"api_key": Secret("wrong")}, "odoo_access_denied")],
)
def test_a_wrong_database_or_key_ends_the_test(place, version, values, code):
    steps = run(place(version), **values)

    assert list(steps)[-1] == SIGN_IN
    assert (steps[SIGN_IN].ok, steps[SIGN_IN].code) == (False, code)


@pytest.mark.parametrize("version", VERSIONS)
def test_missing_rights_are_named_one_by_one(place, version):
    place = place(version)
    place.shop.add_user_without_sales(12, "nosales@example.com", key="k12")

    steps = run(place, username="nosales@example.com", api_key=Secret("k12"))

    bad = {name: step.code for name, step in steps.items() if step.ok is False}
    assert bad["The user may read orders"] == "odoo_no_rights"
    assert bad["The user may read the lines of orders"] == "odoo_no_rights"
    assert steps["The user may read customers"].ok
    assert steps["The user may read products"].ok


def test_the_key_of_another_user_is_a_warning(place):
    steps = run(place(19), username="somebody@example.com")

    step = steps["The key belongs to the user"]
    assert (step.ok, step.code, step.detail) == (None, "odoo_other_user", "poller@example.com")


def test_a_field_that_is_missing_is_named(place):
    place = place()
    needed = {"sale.order": ("name", "nosuch", "neither")}

    steps = {str(step.name): step for step in odoo_stages(place.connection, now=place.clock(), needed=needed)}

    step = steps["Every field we need is there"]
    assert (step.ok, step.code, step.detail) == (False, "odoo_unknown_field", "sale.order: neither, nosuch")


@pytest.mark.parametrize(
    ("company_id", "ok", "code", "detail"),
    [
        (None, None, "odoo_several_companies", "1 Sandbox Company, 2 Second"),
        (2, True, "", "1 Sandbox Company, 2 Second"),
        (3, False, "odoo_company_not_visible", "1 Sandbox Company, 2 Second"),
    ],
)
def test_which_companies_the_user_sees(place, company_id, ok, code, detail):
    place = place()
    place.shop.add("res.company", id=2, name="Second", partner_id=1, currency_id=1)
    place.shop.add_user(12, "both@example.com", key="k12", company_ids=(1, 2))

    steps = run(place, username="both@example.com", api_key=Secret("k12"), company_id=company_id)

    step = steps["The user sees the right companies"]
    assert (step.ok, step.code, step.detail) == (ok, code, detail)


def test_what_a_server_does_not_say_is_no_failure(place):
    unknown = {"name": "builtins.AttributeError", "message": "no such method"}
    place = place()
    place.taught.has_clock = False
    place.taught.lessons["res.users.has_group"] = lambda sent: LookupError(unknown)
    place.taught.lessons["res.users.apikeys.search_read"] = lambda sent: LookupError(unknown)

    steps = run(place)

    silent = [name for name, step in steps.items() if step.detail == "this server does not say"]
    assert silent == [
        "The user sees the orders of everybody",
        "The key will not expire soon",
        "The clocks agree",
    ]
    assert all(steps[name].ok for name in silent)


def test_a_clock_that_is_wrong_is_a_warning(place, clock):
    place = place()
    place.clock = lambda: clock() + timedelta(minutes=5)

    step = run(place)["The clocks agree"]

    assert (step.ok, step.code, step.detail) == (None, "odoo_clock_skew", "-300 s")


def test_a_shop_without_orders_is_a_warning(place):
    step = run(place())["The newest order can be read"]

    assert (step.ok, step.code) == (None, "odoo_no_orders")


@pytest.mark.parametrize(
    ("groups", "ok", "code"),
    [
        ({"sales_team.group_sale_salesman"}, None, "odoo_own_documents_only"),
        ({"sales_team.group_sale_salesman", "sales_team.group_sale_salesman_all_leads"}, True, ""),
        (set(), False, "odoo_no_sales_rights"),
    ],
)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_user_that_sees_its_own_orders_only(place, version, groups, ok, code):
    def has_group(sent):
        if version == 19:
            assert sent["ids"] == [7]
            return sent["group_ext_id"] in groups
        places, named = sent
        assert (places[:-1], named) == ([[7]] if version == 18 else [], {"context": {"tz": "UTC"}})
        return places[-1] in groups

    place = place(version)
    place.taught.lessons["res.users.has_group"] = has_group

    step = run(place)["The user sees the orders of everybody"]

    assert (step.ok, step.code) == (ok, code)


@pytest.mark.parametrize(
    ("ends", "ok", "code", "detail"),
    [
        ([False], True, "", ""),
        (["2027-02-18 00:00:00"], True, "", "2027-02-18"),
        (
            ["2027-02-18 00:00:00", "2026-11-25 00:00:00"],
            None,
            "odoo_key_expires_soon",
            "key 1: 2026-11-25",
        ),
        (["some day"], True, "", ""),
    ],
)
def test_a_key_that_ends_soon_is_a_warning(place, ends, ok, code, detail):
    keys = [{"id": n, "name": f"key {n}", "expiration_date": end} for n, end in enumerate(ends)]
    place = place(18)
    place.taught.lessons["res.users.apikeys.search_read"] = lambda sent: keys

    step = run(place)["The key will not expire soon"]

    assert (step.ok, step.code, step.detail) == (ok, code, detail)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_right_that_is_missing_is_asked_for_in_the_versions_own_way(place, version):
    method = "has_access" if version >= 18 else "check_access_rights"
    place = place(version)
    place.taught.lessons[f"res.partner.{method}"] = lambda sent: False

    step = run(place)["The user may read customers"]

    assert (step.ok, step.code, step.detail) == (False, "odoo_no_rights", "res.partner")
