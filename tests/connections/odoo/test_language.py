"""The context of every call: UTC, and the language of a connection with what is read; one that is missing."""

import orjson
import pytest

from connections.errors import Contract, RemoteError
from connections.odoo import account
from connections.odoo.connection_test import odoo_stages
from sync.sources.odoo.fields import REQUIRED
from tests.connections.odoo.shops import Place

VERSIONS = [16, 17, 18, 19]
UTC = {"tz": "UTC"}
SPAIN = [["code", "=", "ES"]]


def contexts(place, action):
    """The name and the context of every call of a method that `action` makes."""
    before = len(place.mock.calls)
    action()
    return [_context(call.request) for call in list(place.mock.calls)[before:]]


def _context(request):
    sent = orjson.loads(request.body or b"{}")
    if request.path_url.startswith("/json/2/"):
        return request.path_url.removeprefix("/json/2/").replace("/", "."), sent.get("context")
    params = sent["params"]
    if params["method"] != "execute_kw":
        return params["method"], None
    return ".".join(params["args"][3:5]), params["args"][6].get("context")


def ask_everything(client):
    client.search_read("res.country", domain=SPAIN, fields=["name"])
    client.read("res.country", ids=[68], fields=["name"])
    client.search_count("sale.order", domain=[])
    client.fields_get("sale.order", ["name"])
    account.look(client)
    if client.server.major >= 17:
        client.web_search_read("res.country", domain=SPAIN, specification={"name": {}})


@pytest.fixture
def speaking(make_place):
    """A shop that knows Spanish, and a connection that may name a language."""

    def make(version, language="", protocol="auto"):
        place = make_place(version)
        place.shop.languages.translate("es_MX", "res.country", 68, name="España")
        place.connection.language, place.connection.protocol = language, protocol
        return place

    return make


@pytest.mark.parametrize("protocol", ["jsonrpc", "json2"])
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("language", ["", "es_MX"])
def test_every_call_is_in_utc_and_every_read_in_the_language(speaking, version, protocol, language):
    if protocol == "json2" and version < 19:
        pytest.skip("JSON-2 came with 19")
    place = speaking(version, language, protocol)
    sent = contexts(place, lambda: ask_everything(place.client()))
    of_methods = [(name, context) for name, context in sent if name not in ("version", "authenticate")]
    assert len(of_methods) > 6
    for name, context in of_methods:
        reads = name.endswith((".read", "search_read"))
        assert context == (UTC | {"lang": "es_MX"} if reads and language else UTC), name
    assert all(context is None for name, context in sent if name in ("version", "authenticate"))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("language", "name"), [("", "Spain"), ("es_MX", "España"), ("en_US", "Spain")])
def test_names_come_in_the_language_whatever_the_users_is(speaking, version, language, name):
    place = speaking(version, language)
    place.shop.poller.lang = "es_MX"
    client = place.client()
    assert client.search_read("res.country", domain=SPAIN, fields=["name"])[0]["name"] == name
    assert client.read("res.country", ids=[68], fields=["name"])[0]["name"] == name


@pytest.mark.parametrize("version", VERSIONS)
def test_one_that_is_not_installed_is_refused_before_anything_is_read_in_another(speaking, version):
    place = speaking(version, "fr_FR")
    client = place.client()
    for _ in range(2):  # it is no better the second time
        with pytest.raises(Contract) as refused:
            client.read("res.country", ids=[68], fields=["name"])
        assert (refused.value.code, refused.value.detail) == (
            "odoo_language_missing",
            "fr_FR; the server has: en_US, es_MX",
        )


@pytest.mark.parametrize("version", [18, 19])
def test_a_list_that_is_refused_says_why(speaking, version):
    place = speaking(version, "fr_FR")
    place.shop.sell()
    with pytest.raises(Contract) as refused:
        place.client().search_read("sale.order", domain=[], fields=["write_date"])
    assert refused.value.code == "odoo_language_missing"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_list_that_is_answered_asks_nothing(speaking, version):
    place = speaking(version, "es_MX")
    client = place.client()
    client.version()

    def feed():
        client.search_read("sale.order", domain=[], fields=["write_date"])

    feed()
    assert place.asked(feed) == ["sale.order.search_read"]


def test_what_is_refused_for_another_reason_stays_so(speaking):
    place = speaking(18, "es_MX")
    error = {"name": "odoo.exceptions.UserError", "message": "not on Sundays"}
    place.taught.lessons["sale.order.search_read"] = lambda sent: RemoteError(error)
    with pytest.raises(Contract) as refused:
        place.client().search_read("sale.order", domain=[], fields=["name"])
    assert (refused.value.code, refused.value.detail) == ("odoo_refused_call", "UserError: not on Sundays")


@pytest.mark.parametrize("version", VERSIONS)
def test_it_is_asked_for_once(speaking, version):
    place = speaking(version, "es_MX")
    client = place.client()

    def read():
        client.read("res.country", ids=[68], fields=["name"])

    read()
    assert place.asked(read) == ["res.country.read"]


@pytest.mark.parametrize("language", ["", "en_US"])
def test_the_source_needs_no_asking(speaking, language):
    place = speaking(16, language)
    client = place.client()
    asked = place.asked(lambda: client.read("res.country", ids=[68], fields=["name"]))
    assert "res.lang.get_installed" not in asked


def test_what_cannot_be_asked_is_left_to_the_server(speaking):
    place = speaking(18, "fr_FR")
    refused = RemoteError({"name": "odoo.exceptions.AccessError", "message": "no"})
    place.taught.lessons["res.lang.get_installed"] = lambda sent: refused
    with pytest.raises(RemoteError) as caught:
        place.client().read("res.country", ids=[68], fields=["name"])
    assert (caught.value.code, caught.value.detail) == (
        "odoo_refused_call",
        "UserError: Invalid language code: fr_FR",
    )


def test_an_answer_that_is_no_list_is_no_list(speaking):
    place = speaking(18, "es_MX")
    place.taught.lessons["res.lang.get_installed"] = lambda sent: 7
    with pytest.raises(Contract) as caught:
        place.client().languages()
    assert caught.value.code == "odoo_broken_answer"


def steps(place, language):
    place.connection.language = language
    return {str(s.name): s for s in odoo_stages(place.connection, now=place.clock(), needed=REQUIRED)}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_test_of_a_connection_says_it_and_goes_on(mock, clock, resolver, settings, version):
    settings.ALLOWED_NETWORKS = ["127.0.0.0/8"]
    resolver["odoo.example.com"] = [("127.0.0.1", 443)]
    place = Place(mock, clock, version)
    place.shop.sell()
    place.shop.languages.translate("es_MX", "res.country", 68, name="España")
    name = "The language is installed"
    assert name not in steps(place, "")
    good = steps(place, "es_MX")
    assert (good[name].ok, good[name].detail) == (True, "es_MX")
    assert steps(place, "en_US")[name].ok
    bad = steps(place, "fr_FR")
    assert (bad[name].ok, bad[name].code) == (False, "odoo_language_missing")
    assert bad[name].detail == "fr_FR; the server has: en_US, es_MX"
    assert [step.name for step in bad.values() if step.ok is False] == [name] and len(bad) == len(good)


def test_a_language_is_part_of_what_is_remembered_and_none_changes_nothing(speaking):
    place = speaking(17)
    none, identity = place.client(), place.connection.identity
    place.connection.language = "es_MX"
    assert place.client()._identity != none._identity
    place.connection.language = ""
    assert place.connection.identity == identity
