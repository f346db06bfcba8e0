"""A shop, its server, and somebody who calls it."""

import json
import socket
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.odoo.server import Odoo
from sandbox.odoo.shop import Shop

START = datetime(2026, 11, 20, 10, 0, 0, 400_000, tzinfo=UTC)


class Caller:
    """Calls one shop over /jsonrpc with the shop's own key."""

    def __init__(self, shop):
        self.shop = shop
        self.odoo = Odoo(shop)

    def raw(self, model, method, *args, uid=7, key=None, **kwargs):
        call = [self.shop.database, uid, key or self.shop.api_key, model, method, list(args), kwargs]
        params = {"service": "object", "method": "execute_kw", "args": call}
        body = json.dumps({"jsonrpc": "2.0", "method": "call", "params": params, "id": 1}).encode()
        return self.odoo.handle("POST", "/jsonrpc", {"Content-Type": "application/json"}, body)

    def answer(self, *args, **kwargs):
        return json.loads(self.raw(*args, **kwargs).body)

    def __call__(self, *args, **kwargs):
        return self.answer(*args, **kwargs)["result"]

    def error(self, *args, **kwargs):
        return self.answer(*args, **kwargs)["error"]["data"]["name"]

    def ids(self, *domain):
        return self("sale.order", "search", list(domain), order="id")

    def written(self, order_id):
        [row] = self("sale.order", "read", [order_id], ["write_date"])
        return row["write_date"]

    def json2(self, path, body, **headers):
        """Status and JSON of a JSON-2 call with the shop's key."""
        given = {"Content-Type": "application/json", "Authorization": f"bearer {self.shop.api_key}"} | headers
        answer = self.odoo.handle("POST", f"/json/2/{path}", given, json.dumps(body).encode())
        return answer.status, json.loads(answer.body)


class Watch:
    """A clock that stands still until it is told to go on."""

    def __init__(self, now=START):
        self.now = now

    def __call__(self):
        return self.now

    def go(self, seconds):
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture(params=[16, 17, 18, 19])
def version(request):
    return request.param


@pytest.fixture
def shop(version, watch):
    return Shop(version, "shop", watch)


@pytest.fixture
def call(shop):
    return Caller(shop)


@pytest.fixture
def free_port_in_use():
    """A loopback port that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]
