"""The server as a function: faults, several databases, JSON-2, and the double behind requests."""

import json

import pytest
import requests
import responses

from sandbox.odoo.server import Odoo
from sandbox.odoo.shop import Shop
from tests.doubles import http as http_doubles
from tests.sandbox.conftest import Caller

URL = "http://odoo.test:8069"


@pytest.fixture
def version():
    return 19


FAULTS = [
    ("rate_limit", 429),
    ("error_500", 500),
    ("bad_gateway", 502),
    ("html", 200),
]


@pytest.mark.parametrize(("kind", "status"), FAULTS)
def test_a_fault_answers_instead_of_the_call(shop, call, kind, status):
    shop.faults.set(kind, retry_after="17")
    answer = call.raw("sale.order", "search", [])
    assert answer.status == status
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.headers.get("Retry-After") == ("17" if kind == "rate_limit" else None)
    assert shop.calls == {("fault", kind): 1}


def test_faults_of_the_wire(shop, call):
    shop.faults.set("down")
    assert call.raw("sale.order", "search", []).dropped
    shop.faults.set("hang")
    assert call.raw("sale.order", "search", []).delay_seconds >= 60
    shop.faults.set("garbage")
    with pytest.raises(json.JSONDecodeError):
        json.loads(call.raw("sale.order", "search", []).body)
    shop.faults.clear()
    shop.faults.latency_seconds = 0.25
    assert call.raw("sale.order", "search", []).delay_seconds == 0.25


def test_a_fault_for_the_next_calls_only(shop, call):
    shop.faults.fail_next(2, "pg_down")
    assert call.error("sale.order", "search", []) == "psycopg2.OperationalError"
    assert call.error("sale.order", "search", []) == "psycopg2.OperationalError"
    assert call("sale.order", "search", []) == []


def test_an_unknown_fault_is_refused(shop):
    with pytest.raises(ValueError, match="rate_limit"):
        shop.faults.set("nosuch")


def test_calls_are_counted_per_method(shop, call):
    call("sale.order", "search", [])
    call("sale.order", "search", [])
    call.json2("sale.order/search_count", {"domain": []})
    assert shop.calls == {("sale.order", "search"): 2, ("sale.order", "search_count"): 1}


def test_the_database_decides_between_shops(watch):
    one, two = Shop(19, "one", watch), Shop(19, "two", watch)
    two.sell()
    odoo = Odoo([one, two])
    caller = Caller(two)
    caller.odoo = odoo
    one.faults.set("error_500")
    assert caller.ids() == [1]
    assert caller.json2("sale.order/search", {"domain": []}, **{"X-Odoo-Database": "two"}) == (200, [1])
    without = odoo.handle("POST", "/json/2/sale.order/search", {"Content-Type": "application/json"}, b"{}")
    assert (without.status, without.headers["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_a_server_has_one_version(watch):
    with pytest.raises(ValueError, match="one version"):
        Odoo([Shop(17, "a", watch), Shop(18, "b", watch)])
    odoo = Odoo(Shop(17, "a", watch))
    odoo.add(Shop(17, "b", watch))
    with pytest.raises(ValueError, match="17"):
        odoo.add(Shop(18, "c", watch))


@pytest.mark.parametrize("old", [16, 17, 18])
def test_json2_and_the_version_page_are_new_in_19(watch, old):
    odoo = Odoo(Shop(old, "shop", watch))
    for method, path in (
        ("POST", "/json/2/sale.order/search"),
        ("GET", "/web/version"),
        ("GET", "/json/version"),
    ):
        answer = odoo.handle(method, path, {"Content-Type": "application/json"}, b"{}")
        assert (answer.status, answer.headers["Content-Type"]) == (404, "text/html;charset=utf-8")


BAD_CALLS = [
    ("object", "nosuch", ["shop"], "builtins.NameError"),
    ("db", "nosuch", [], "builtins.Exception"),
    ("object", "execute_kw", ["shop", 7, "sandbox-key-shop", "sale.order", "read"], "builtins.TypeError"),
    ("object", "execute", ["shop", 7, "sandbox-key-shop", "sale.order", "search"], "builtins.TypeError"),
]


@pytest.mark.parametrize(("service", "method", "args", "name"), BAD_CALLS)
def test_calls_that_make_no_sense(call, service, method, args, name):
    params = {"service": service, "method": method, "args": args}
    body = json.dumps({"jsonrpc": "2.0", "params": params}).encode()
    answer = call.odoo.handle("POST", "/jsonrpc", {"content-type": "application/json"}, body)
    assert (answer.status, json.loads(answer.body)["error"]["data"]["name"]) == (200, name)


def test_any_bad_argument_is_answered(call):
    assert call.error("sale.order", "search", 5).startswith("builtins.")
    status, body = call.json2("sale.order/search", {"domain": 5})
    assert (status, body["name"].partition(".")[0]) == (500, "builtins")


# --- behind requests --------------------------------------------------------------------------------


@pytest.fixture
def web(shop):
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        http_doubles.install(mock, Odoo(shop), URL)
        yield mock


def test_the_double_answers_requests(web, shop):
    headers = {"Authorization": f"bearer {shop.api_key}"}
    answer = requests.post(
        f"{URL}/json/2/sale.order/search_count", json={"domain": []}, headers=headers, timeout=5
    )
    assert (answer.status_code, answer.json()) == (200, 0)
    assert answer.headers["Date"] == "Fri, 20 Nov 2026 10:00:00 GMT"
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize(
    ("kind", "error"),
    [("down", requests.exceptions.ConnectionError), ("hang", requests.exceptions.ReadTimeout)],
)
def test_the_double_fails_as_requests_does(web, shop, kind, error):
    shop.faults.set(kind)
    with pytest.raises(error):
        requests.get(f"{URL}/web/version", timeout=(3, 20))


def test_the_double_knows_the_callers_patience(web, shop):
    shop.faults.latency_seconds = 10
    assert requests.get(f"{URL}/web/version", timeout=20).status_code == 200
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(f"{URL}/web/version", timeout=(30, 5))
