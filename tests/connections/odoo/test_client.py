"""The client against the sandbox's Odoo: verbs, what is remembered, keys, pauses, secrets."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connections.errors import Access, Contract, Permanent, RemoteError, Temporary
from connections.odoo.server_info import Server, Target
from connections.secrets.fields import Secret
from sandbox.odoo.access import ApiKey
from tests.connections.odoo.shops import URL, WANTED

VERSIONS = [16, 17, 18, 19]
FIELDS = {16: {"name", "write_date"}, 17: {"name", "write_date", "locked"}}
CONFIRMED = [["state", "in", ["sale", "done"]]]


def newest(client):
    return client.search_read("sale.order", domain=CONFIRMED, fields=["name"], order="id desc", limit=1)


def failure(action):
    with pytest.raises(RemoteError) as caught:
        action()
    return type(caught.value), caught.value.code


# --- Verbs


@pytest.mark.parametrize("protocol", ["jsonrpc", "json2"])
@pytest.mark.parametrize("version", VERSIONS)
def test_every_verb_says_the_same_over_every_protocol(make_place, version, protocol):
    if protocol == "json2" and version < 19:
        protocol = "auto"
    place = make_place(version)
    first, second = place.shop.sell(), place.shop.sell()
    client = place.client(protocol=protocol)

    names = [
        record["name"] for record in client.search_read("sale.order", domain=[], fields=["name"], order="id")
    ]
    assert [record["id"] for record in newest(client)] == [second]
    assert client.search_read("sale.order", domain=[], fields=["name"], offset=1)[0]["id"] == first
    assert client.read("sale.order", ids=[first, 9999], fields=["name"]) == [{"id": first, "name": names[0]}]
    assert client.search_count("sale.order", domain=CONFIRMED) == 2
    assert set(client.fields_get("sale.order", ["name", "nosuch"])) == {"name"}
    if version >= 17:
        nested = client.web_search_read(
            "sale.order",
            domain=[["id", "=", first]],
            specification={"name": {}, "partner_id": {"fields": {"name": {}}}},
            limit=1,
        )
        assert nested[0]["partner_id"]["name"] == "José Ángel Muñoz"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_knows_calls_the_servers_clock_and_how_long_it_took(make_place, version, clock):
    client = make_place(version).client()

    newest(client)

    before = client.calls
    newest(client)
    assert client.calls == before + 1
    assert client.server_time == clock()
    assert 0 < client.call_seconds < 30
    assert client.now() == clock()


# --- What is learnt and remembered


@pytest.mark.parametrize("version", VERSIONS)
def test_the_first_use_asks_what_the_server_is_and_the_next_poll_does_not(make_place, version):
    place = make_place(version)
    client = place.client()
    assert client.known is None

    first = place.asked(lambda: newest(client))

    assert first[0] == "version"
    assert first[-1] == "sale.order.search_read"
    assert client.changed
    assert client.server.fields == {
        "sale.order": FIELDS[min(version, 17)],
        "res.partner": {"name"} if version == 19 else {"name", "mobile"},
        "sale.nosuch": frozenset(),
    }
    assert (client.server.version, client.server.major) == (f"{version}.0", version)
    assert client.server.protocol == ("json2" if version == 19 else "jsonrpc")

    again = place.client(Server.from_json(client.server.to_json()))
    assert place.asked(lambda: newest(again)) == ["sale.order.search_read"]
    assert not again.changed


def test_what_is_remembered_holds_for_a_day_and_for_the_same_connection(make_place, clock):
    place = make_place()
    remembered = place.remembered()

    assert place.client(remembered).known == remembered
    assert place.client(remembered, wanted=WANTED | {"uom.uom": ("name",)}).known is None
    assert place.client(replace(remembered, identity="another")).known is None
    assert place.client(remembered, api_key=Secret("another")).known is None
    clock.advance(hours=24)
    assert place.client(remembered, api_key=Secret(place.shop.api_key)).known is None


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"protocol": "xmlrpc"},
        {"uid": None},
        {"probed_at": "2026-11-20T12:00:00"},
        {"fields": []},
        {"fields": {"sale.order": 5}},
        {"probed_at": "yesterday"},
        {"probed_at": None},
        {"surplus": 1},
    ],
)
def test_what_another_version_wrote_down_is_asked_afresh(data):
    whole = Server(
        "jsonrpc", "17.0", 17, 7, {"sale.order": frozenset({"name"})}, "x", datetime(2026, 11, 20, tzinfo=UTC)
    )

    assert Server.from_json(whole.to_json()) == whole
    assert Server.from_json(whole.to_json() | data if data else {}) is None


def test_after_an_upgrade_the_server_is_looked_at_anew(make_place, clock):
    place = make_place(18)
    old = place.remembered()
    place.upgrade(19)
    clock.advance(hours=1)
    client = place.client(old)
    shirt = ["name", "mobile"]

    assert failure(lambda: client.search_read("res.partner", domain=[], fields=shirt)) == (
        Contract,
        "odoo_unknown_field",
    )
    fresh = client.refresh()

    assert fresh.differs(old)
    assert (fresh.major, fresh.protocol, fresh.fields["res.partner"]) == (19, "json2", {"name"})
    assert place.asked(client.refresh) == []  # not again within minutes


# What a client that remembers 18 may ask a 19 in vain.
CONTRADICTED = {
    "odoo_unknown_field": lambda client: client.search_read("res.partner", domain=[], fields=["mobile"]),
    "odoo_unknown_method": lambda client: client.call("res.partner", "nosuch"),
    "odoo_refused_call": lambda client: client.search_count("res.nosuch", domain=[]),
    "odoo_bad_call": lambda client: client.call("res.partner", "search_count", nosuch=1),
}


@pytest.mark.parametrize("code", CONTRADICTED)
def test_an_upgrade_minutes_after_a_probe_is_looked_at_at_once_and_once(make_place, clock, code):
    place = make_place(18)
    old = place.remembered()
    place.upgrade(19)
    clock.advance(minutes=1)
    client = place.client(old)
    assert place.asked(client.refresh) == []  # nothing speaks against what is remembered

    assert failure(lambda: CONTRADICTED[code](client)) == (Contract, code)
    assert place.asked(client.refresh)[0] == "version"
    assert (client.server.major, client.changed) == (19, True)
    failure(lambda: CONTRADICTED[code](client))
    assert place.asked(client.refresh) == [], "once for all that this client does"


@pytest.mark.parametrize("kind", ["html", "garbage", "rate_limit", "error_500"])
def test_what_tells_nothing_of_the_version_asks_for_no_other_look(make_place, clock, kind):
    place = make_place(18)
    client = place.client(place.remembered())
    place.shop.faults.set(kind, count=1)
    failure(lambda: newest(client))
    assert place.asked(client.refresh) == []


def test_when_the_old_protocol_is_gone_the_new_one_is_found(make_place, clock):
    place = make_place(19)
    old = place.remembered(protocol="jsonrpc")
    place.mock.reset()
    place.mock.post(f"{URL}/jsonrpc", status=404, body="<html>gone</html>")
    place.mock.get(f"{URL}/web/version", json={"version": "22.0", "version_info": [22, 0]})
    place.mock.post(f"{URL}/json/2/res.users/context_get", json={"uid": 7})
    for model in WANTED:
        place.mock.post(f"{URL}/json/2/{model}/fields_get", json={"name": {"type": "char"}})
    clock.advance(hours=1)
    client = place.client(replace(old, identity=place.client(protocol="auto")._identity))

    assert failure(lambda: newest(client)) == (Contract, "odoo_not_odoo")
    assert client.refresh().differs(old)
    assert (client.server.protocol, client.server.version) == ("json2", "22.0")


# --- Keys and users


@pytest.mark.parametrize("version", [16, 17, 18])
def test_a_user_with_a_new_number_is_found_again(make_place, version):
    place = make_place(version)
    stale = replace(place.remembered(), uid=99)
    client = place.client(stale)

    assert place.asked(lambda: newest(client)) == [
        "sale.order.search_read",
        "authenticate",
        "sale.order.search_read",
    ]
    assert (client.server.uid, client.changed) == (7, True)
    assert place.asked(lambda: newest(client)) == ["sale.order.search_read"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_removed_key_is_refused_after_one_question(make_place, version):
    place = make_place(version)
    remembered = place.remembered()
    place.shop.users.revoke(place.shop.api_key)
    client = place.client(remembered)

    asked = place.asked(lambda: failure(lambda: newest(client)))

    assert failure(lambda: newest(client)) == (Access, "odoo_access_denied")
    assert asked == ["sale.order.search_read"] + ["authenticate"] * (version < 19)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "wrong",
    [{"username": "nobody@example.com"}, {"api_key": Secret("wrong")}, {"api_key": Secret("")}],
    ids=["user", "key", "no key"],
)
def test_wrong_credentials(make_place, version, wrong):
    place = make_place(version)
    if version == 19 and "username" in wrong:
        wrong |= {"protocol": "jsonrpc"}  # JSON-2 knows us by the key alone

    assert failure(lambda: newest(place.client(**wrong))) == (Access, "odoo_access_denied")


def test_a_password_is_taken_where_a_key_is_not(make_place):
    place = make_place(19)
    place.shop.poller.keys.clear()

    client = place.client(api_key=Secret("sandbox-password-shop"))

    assert newest(client) == []
    assert client.server.protocol == "jsonrpc"
    assert failure(lambda: newest(place.client(protocol="json2"))) == (Access, "odoo_access_denied")


def test_a_password_of_strange_letters_cannot_be_a_key_but_works(make_place):
    place = make_place(19)
    place.shop.poller.password = "contraseña €"

    client = place.client(api_key=Secret("contraseña €"))

    assert newest(client) == []
    assert client.server.protocol == "jsonrpc"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_user_without_rights_on_orders(make_place, version):
    place = make_place(version)
    place.shop.add_user_without_sales(12, "nosales@example.com", key="key of nosales")
    client = place.client(username="nosales@example.com", api_key=Secret("key of nosales"))

    assert failure(lambda: newest(client)) == (Access, "odoo_no_rights")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_model_that_is_not_there(make_place, version):
    client = make_place(version).client()

    assert failure(lambda: client.search_count("sale.nosuch", domain=[])) == (Contract, "odoo_unknown_model")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_method_that_is_not_there(make_place, version):
    client = make_place(version).client()

    assert failure(lambda: client.call("sale.order", "nosuch")) == (Contract, "odoo_unknown_method")


# --- Troubles of the server


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("down", (Temporary, "odoo_unreachable")),
        ("hang", (Temporary, "odoo_timeout")),
        ("rate_limit", (Temporary, "odoo_rate_limited")),
        ("error_500", (Temporary, "odoo_server_error")),
        ("bad_gateway", (Temporary, "odoo_unavailable")),
        ("html", (Contract, "odoo_not_odoo")),
        ("garbage", (Contract, "odoo_broken_answer")),
        ("pg_down", (Temporary, "odoo_database_down")),
    ],
)
@pytest.mark.parametrize("fresh", [True, False], ids=["first poll", "later poll"])
def test_a_trouble_has_the_same_word_in_the_first_poll_and_later(make_place, version, kind, expected, fresh):
    place = make_place(version)
    client = place.client(None if fresh else place.remembered())
    place.shop.faults.set(kind)

    assert failure(lambda: newest(client)) == expected


def test_a_rate_limit_says_until_when(make_place, clock):
    place = make_place()
    client = place.client(place.remembered())
    place.shop.faults.set("rate_limit", retry_after="7")

    with pytest.raises(Temporary) as caught:
        newest(client)

    assert caught.value.retry_at == clock() + timedelta(seconds=7)


@pytest.mark.parametrize("version", VERSIONS)
def test_when_the_database_is_back_the_next_call_works(make_place, version):
    place = make_place(version)
    client = place.client(place.remembered())
    place.shop.faults.fail_next(1, "pg_down")

    assert failure(lambda: newest(client)) == (Temporary, "odoo_database_down")
    assert newest(client) == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("listed", [True, False])
def test_a_wrong_database_is_told_from_one_that_is_down_and_still_tried_again(make_place, version, listed):
    place = make_place(version, list_databases=listed)

    assert failure(lambda: newest(place.client(database="nosuch"))) == (Temporary, "odoo_wrong_database")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_database_without_odoo_in_it(make_place, version):
    place = make_place(version, bare_databases=["empty"])

    assert failure(lambda: newest(place.client(database="empty"))) == (Temporary, "odoo_wrong_database")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_database_that_was_dropped_after_the_probe(make_place, version):
    place = make_place(version)
    client = place.client(place.remembered())
    place.odoo.shops["other"] = place.odoo.shops.pop("shop")

    assert failure(lambda: newest(client)) == (Temporary, "odoo_wrong_database")


def test_a_filter_of_databases_that_stops_json2_leads_to_jsonrpc(make_place, clock):
    place = make_place(19)
    old = place.remembered()
    place.taught.closed = "/json/2/"
    clock.advance(hours=1)
    client = place.client(old)

    assert failure(lambda: newest(client)) == (Temporary, "odoo_database_down")
    assert client.server.protocol == "jsonrpc"
    assert newest(client) == []


def test_an_address_that_is_no_odoo(mock, make_place):
    place = make_place()
    mock.reset()
    mock.post(f"{URL}/jsonrpc", status=404, body="<html>a web shop</html>")
    mock.get(f"{URL}/web/version", status=404, body="<html>a web shop</html>")

    assert failure(lambda: newest(place.client())) == (Contract, "odoo_not_odoo")


@pytest.mark.parametrize(
    ("version", "major"),
    [("saas~18.2", 18), ("saas~17.4+e", 17), ("17.0+e", 17), ("14.0", 14), ("18.0-20260101", 18)],
)
def test_versions_are_read_in_all_their_forms(mock, make_place, version, major):
    mock.reset()
    place = make_place(17)
    mock.reset()
    mock.post(f"{URL}/jsonrpc", json={"result": {"server_version": version}})

    assert place.client().version()[1] == major


@pytest.mark.parametrize("result", [{}, [], None, {"server_version": 17}, {"server_version": "master"}])
def test_a_version_that_is_none(mock, make_place, result):
    place = make_place(17)
    mock.reset()
    mock.post(f"{URL}/jsonrpc", json={"result": result})
    mock.get(f"{URL}/web/version", json={})

    assert failure(place.client().version) == (Contract, "odoo_broken_answer")


def test_the_plan_of_odoo_online_is_named(mock, make_place):
    place = make_place()
    mock.post("https://shop.odoo.com/jsonrpc", status=403, body="<html>no</html>")
    mock.get("https://shop.odoo.com/web/version", status=403, body="<html>no</html>")

    assert failure(place.client(odoo_url="https://shop.odoo.com").version) == (
        Access,
        "odoo_plan_without_api",
    )


# --- Pauses


def test_calls_are_spread_by_the_limit_of_the_connection(make_place):
    place = make_place()
    remembered = place.remembered(odoo_calls_per_second=2)
    place.ticking.slept.clear()
    client = place.client(remembered)

    for _ in range(3):
        newest(client)
    place.ticking.time += 10
    newest(client)

    assert place.ticking.slept == [0.5, 0.5]


def test_no_limit_is_no_pause(make_place):
    place = make_place()
    place.remembered()

    assert place.ticking.slept == []


# --- Secrets


@pytest.mark.parametrize("protocol", ["jsonrpc", "json2"])
def test_a_key_that_the_server_quotes_is_not_shown(mock, make_place, protocol):
    place = make_place(19)
    client = place.client(place.remembered(protocol=protocol))
    mock.reset()
    told = {
        "name": "builtins.TypeError",
        "message": f"bad call with {place.shop.api_key}",
        "debug": "Traceback",
    }
    mock.post(f"{URL}/jsonrpc", json={"error": {"code": 0, "data": told}})
    mock.post(f"{URL}/json/2/sale.order/search_read", json=told, status=500)

    with pytest.raises(Permanent) as caught:
        newest(client)

    assert "bad call with ***" in caught.value.detail
    assert place.shop.api_key not in f"{caught.value}{caught.value!r}"


def test_the_key_is_masked_wherever_a_target_is_printed(connection):
    assert connection.api_key not in f"{Target.of(connection)} {Target.of(connection)!r}"


def test_a_second_key_of_the_same_user_works(make_place):
    place = make_place(19)
    place.shop.poller.keys.append(ApiKey("second", scope="rpc"))

    assert newest(place.client(api_key=Secret("second"))) == []
