"""Choosing a protocol when one of the two does not work, and other corners of the probe."""

import pytest

from connections.errors import Access, Contract, RemoteError, Temporary
from connections.secrets.fields import Secret
from tests.connections.odoo.shops import URL

VERSION = {"result": {"server_version": "19.0"}}
NOT_FOUND = "<h1>Not Found</h1>"
REFUSED = {"name": "werkzeug.exceptions.Unauthorized", "message": "Invalid apikey"}


def failure(action):
    with pytest.raises(RemoteError) as caught:
        action()
    return type(caught.value), caught.value.code


@pytest.fixture
def server(mock, make_place):
    """Answers in turn for /jsonrpc, one for each path of JSON-2, and the client that meets them."""

    def make(*jsonrpc, json2=None, **connection):
        place = make_place(19)
        mock.reset()
        for answer in jsonrpc:
            mock.post(f"{URL}/jsonrpc", **answer)
        mock.post(f"{URL}/json/2/res.users/context_get", **(json2 or {"json": {"uid": 7}}))
        return place.client(wanted={"sale.order": ("name",)}, **connection)

    return make


@pytest.mark.parametrize(
    ("json2", "expected"),
    [
        ({"status": 429, "body": "slow down"}, (Temporary, "odoo_rate_limited")),
        ({"status": 503, "body": "down"}, (Temporary, "odoo_unavailable")),
        ({"status": 500, "json": {"name": "builtins.MemoryError"}}, (Temporary, "odoo_server_error")),
    ],
)
def test_a_passing_trouble_does_not_change_the_protocol(server, json2, expected):
    client = server({"json": VERSION}, json2=json2)

    assert failure(client.refresh) == expected


@pytest.mark.parametrize(
    ("json2", "expected"),
    [
        ({"status": 401, "json": REFUSED}, (Access, "odoo_access_denied")),
        ({"status": 404, "body": NOT_FOUND}, (Temporary, "odoo_database_down")),
        ({"json": {"uid": False}}, (Contract, "odoo_broken_answer")),
        ({"json": [7]}, (Contract, "odoo_broken_answer")),
    ],
)
def test_where_jsonrpc_is_gone_the_word_of_json2_counts(server, json2, expected):
    client = server({"json": VERSION}, {"status": 404, "body": NOT_FOUND}, json2=json2)

    assert failure(client.refresh) == expected


def test_a_forced_protocol_is_not_changed(server):
    client = server({"json": VERSION}, json2={"status": 401, "json": REFUSED}, protocol="json2")

    assert failure(client.refresh) == (Access, "odoo_access_denied")


def test_a_user_that_may_not_ask_for_fields_has_none(server, mock):
    client = server({"json": VERSION})
    denied = {"name": "odoo.exceptions.AccessError", "message": "You are not allowed"}
    mock.post(f"{URL}/json/2/sale.order/fields_get", status=403, json=denied)

    assert client.refresh().fields == {"sale.order": frozenset()}


def test_fields_that_make_no_sense(server, mock):
    client = server({"json": VERSION})
    mock.post(f"{URL}/json/2/sale.order/fields_get", json=["name"])

    assert failure(client.refresh) == (Contract, "odoo_broken_answer")


def test_a_database_that_comes_back_while_we_ask_about_it_is_not_called_missing(server):
    down = {"error": {"data": {"name": "psycopg2.OperationalError", "message": 'the database "shop" sleeps'}}}
    denied = {"error": {"data": {"name": "odoo.exceptions.AccessDenied", "message": "Access Denied"}}}
    answers = [VERSION, down, denied, {"result": False}]
    client = server(*({"json": answer} for answer in answers), protocol="jsonrpc")

    assert failure(client.refresh) == (Temporary, "odoo_database_down")


def test_without_a_key_nothing_is_asked_of_json2(server, mock):
    client = server({"json": VERSION}, api_key=Secret(""), protocol="json2")

    assert failure(client.refresh) == (Access, "odoo_access_denied")
    assert len(mock.calls) == 1


# --- A page in front of Odoo

PAGE = {"status": 403, "body": "<title>Just a moment...</title>", "content_type": "text/html"}
FIELDS = {"name": {"type": "char"}}


def test_a_path_that_a_page_closes_leaves_the_other_one(server, mock):
    client = server(PAGE)
    mock.get(f"{URL}/web/version", json={"version": "19.0"})
    mock.post(f"{URL}/json/2/sale.order/fields_get", json=FIELDS)

    assert client.refresh().protocol == "json2"


def test_a_page_before_json2_leaves_jsonrpc(server):
    client = server({"json": VERSION}, {"json": {"result": 7}}, {"json": {"result": FIELDS}}, json2=PAGE)

    assert (client.refresh().protocol, client.server.uid) == ("jsonrpc", 7)


@pytest.mark.parametrize("version", [PAGE, {"status": 404, "body": NOT_FOUND}], ids=["page", "not found"])
def test_a_page_everywhere_is_temporary(server, mock, version):
    client = server(PAGE)
    mock.get(f"{URL}/web/version", **version)

    assert failure(client.refresh) == (Temporary, "odoo_web_page")


def test_an_address_without_odoo_stays_one_whatever_else_shows_a_page(server, mock):
    client = server({"status": 404, "body": NOT_FOUND})
    mock.get(f"{URL}/web/version", **PAGE)

    assert failure(client.refresh) == (Contract, "odoo_not_odoo")


@pytest.mark.parametrize(
    ("json2", "expected"),
    [
        (PAGE, (Temporary, "odoo_web_page")),
        ({"status": 401, "json": REFUSED}, (Access, "odoo_access_denied")),
        ({"status": 404, "body": NOT_FOUND}, (Temporary, "odoo_database_down")),
    ],
)
def test_a_page_before_jsonrpc_does_not_hide_what_json2_said(server, mock, json2, expected):
    client = server({"json": VERSION}, PAGE, json2=json2)

    assert failure(client.refresh) == expected


def test_the_users_trouble_on_jsonrpc_is_told(server):
    client = server({"json": VERSION}, {"status": 503, "body": "down"}, json2=PAGE)

    assert failure(client.refresh) == (Temporary, "odoo_unavailable")
