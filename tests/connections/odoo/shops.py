"""An Odoo of the sandbox behind `responses`, and a client of it."""

from dataclasses import replace

import orjson

from connections.models import Connection
from connections.odoo.client import connect
from sandbox.http.answer import html_answer, json_answer
from sandbox.odoo.server import Odoo
from sandbox.odoo.shop import Shop
from tests.doubles import http as http_doubles

URL = "https://odoo.example.com"
WANTED = {
    "sale.order": ("name", "write_date", "locked", "nosuch"),
    "res.partner": ("name", "mobile"),
    "sale.nosuch": ("name",),
}


class Ticking:
    """A clock for pauses: `sleep` moves it, and remembers."""

    def __init__(self):
        self.time, self.slept = 1000.0, []

    def monotonic(self):
        return self.time

    def sleep(self, seconds):
        self.slept.append(round(seconds, 3))
        self.time += seconds


class Taught:
    """An Odoo that answers some calls as it was told: "res.users.has_group" -> function of what was sent.

    Paths below `closed` are not found, as behind a filter of databases. Without `has_clock` no answer is
    dated.
    """

    def __init__(self, odoo):
        self.odoo, self.lessons, self.closed, self.has_clock = odoo, {}, None, True

    def handle(self, method, path, headers, body):
        answer = self._answer(method, path, headers, body)
        if self.has_clock:
            return answer
        return replace(answer, headers={n: v for n, v in answer.headers.items() if n != "Date"})

    def _answer(self, method, path, headers, body):
        if self.closed and path.startswith(self.closed):
            return html_answer("<h1>Not Found</h1>", 404)
        sent = orjson.loads(body or b"{}")
        lesson = self.lessons.get(_name(path, sent))
        if lesson is None:
            return self.odoo.handle(method, path, headers, body)
        if path != "/jsonrpc":
            return json_answer(lesson(sent))
        result = lesson(sent["params"]["args"][5:])
        return json_answer(
            {"error": {"data": result.args[0]}} if isinstance(result, Exception) else {"result": result}
        )


class Place:
    """One server with one shop; `client()` is a new client, as a poll would make it."""

    def __init__(self, mock, clock, version=17, *, shop=None, **server):
        self.clock = clock
        self.ticking = Ticking()
        self.shop = shop or Shop(version, "shop", clock)
        self.odoo = Odoo(self.shop, **server)
        self.taught = Taught(self.odoo)
        self.mock = mock
        http_doubles.install(mock, self.taught, URL)
        self.connection = Connection(
            odoo_url=URL, database="shop", username=self.shop.login, api_key=self.shop.api_key
        )

    def client(self, remembered=None, wanted=WANTED, **values):
        for name, value in values.items():
            setattr(self.connection, name, value)
        pace = {"sleep": self.ticking.sleep, "monotonic": self.ticking.monotonic}
        return connect(self.connection, remembered, now=self.clock(), wanted=wanted, **pace)

    def remembered(self, **values):
        """What a first poll would have learnt."""
        return self.client(**values).server

    def upgrade(self, version):
        """The same shop on a newer Odoo."""
        self.shop = Shop(version, "shop", self.clock)
        self.taught.odoo = self.odoo = Odoo(self.shop)

    def asked(self, action):
        """What `action` asks the server: "version", "sale.order.search_read", "/web/version" ..."""
        before = len(self.mock.calls)
        action()
        return [_asked(call.request) for call in list(self.mock.calls)[before:]]


def _asked(request):
    return _name(request.path_url, orjson.loads(request.body or b"{}"))


def _name(path, sent):
    if path.startswith("/json/2/"):
        return path.removeprefix("/json/2/").replace("/", ".")
    if path != "/jsonrpc":
        return path
    params = sent["params"]
    return ".".join(params["args"][3:5]) if params["method"] == "execute_kw" else params["method"]
