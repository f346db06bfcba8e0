"""An Odoo server as a function: request in, answer out. `/jsonrpc`, `/json/2`, and the version pages."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime

import orjson

from sandbox.http.answer import Answer, Run, json_answer
from sandbox.odoo.html_pages import NOT_FOUND, page, trouble
from sandbox.odoo.json2 import Json2
from sandbox.odoo.jsonrpc import JsonRpc
from sandbox.odoo.shop import Shop

_SERVERS = {16: "Werkzeug/2.0.2 Python/3.10.13", 17: "Werkzeug/2.0.2 Python/3.10.13"}
_SERVER = "Werkzeug/3.0.1 Python/3.12.1"
_COOKIE = {"Set-Cookie": "session_id=sandbox; Max-Age=604800; HttpOnly; Path=/"}


class Odoo:
    """One Odoo server with one or more databases of one version.

    `list_databases=False` refuses `db.list`; `bare_databases` exist in PostgreSQL and hold no Odoo.
    `handle()` never sleeps: how long to wait is in the answer.
    """

    def __init__(
        self, shops: Shop | Iterable[Shop], *, list_databases: bool = True, bare_databases: Iterable[str] = ()
    ) -> None:
        given = [shops] if isinstance(shops, Shop) else list(shops)
        if len({shop.version for shop in given}) != 1:
            raise ValueError("an Odoo server has at least one database, and all of one version")
        self.shops = {shop.database: shop for shop in given}
        self._clock = given[0].world.clock
        self._jsonrpc = JsonRpc(self.shops, frozenset(bare_databases), list_databases)
        self._json2 = Json2(self.shops, frozenset(bare_databases))

    @property
    def version(self) -> int:
        """Of its databases; they are upgraded together."""
        return self._jsonrpc.version

    def add(self, shop: Shop) -> None:
        """One more database on this server. Raises ValueError for another version."""
        if shop.version != self.version:
            raise ValueError(f"this server plays Odoo {self.version}, not {shop.version}")
        self.shops[shop.database] = shop

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer one HTTP request. Header names may come in any case."""
        lowered = {name.lower(): value for name, value in headers.items()}
        route = path.partition("?")[0]
        database, run = self._route(method, route, lowered, body)
        shop = self.shops.get(database) or self._only_shop()
        if shop is None:
            return self._dress(run(pg_down=False), 0.0)
        kind = shop.faults.take()
        if kind:
            shop.calls["fault", kind] += 1
        answer = trouble(kind, shop.faults) or run(pg_down=kind == "pg_down")
        return self._dress(answer, shop.faults.latency_seconds)

    def _only_shop(self) -> Shop | None:
        return next(iter(self.shops.values())) if len(self.shops) == 1 else None

    def _route(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[str, Run]:
        if path == "/jsonrpc":
            return self._jsonrpc.prepare(method, headers, body)
        if self.version >= 19 and path.startswith("/json/2/"):
            return self._json2.prepare(method, path, headers, body)
        answer = self._page(method, path, body)
        return "", lambda pg_down: answer

    def _page(self, method: str, path: str, body: bytes) -> Answer:
        if method == "POST" and path == "/web/webclient/version_info":
            request_id = orjson.loads(body or b"{}").get("id")
            version = self._jsonrpc.version_info()
            return json_answer({"jsonrpc": "2.0", "id": request_id, "result": version}, headers=_COOKIE)
        if self.version >= 19 and method == "GET" and path in ("/web/version", "/json/version"):
            info = self._jsonrpc.version_info()
            short = {"version_info": info["server_version_info"], "version": info["server_version"]}
            return json_answer(short, headers=_COOKIE)
        if self.version >= 19 and method == "POST" and path.startswith("/json/1/"):
            return page(400, "Session expired (invalid CSRF token)")
        return NOT_FOUND

    def _dress(self, answer: Answer, latency_seconds: float) -> Answer:
        headers = {
            "Server": _SERVERS.get(self.version, _SERVER),
            "Date": http_date(self._clock()),
            **answer.headers,
        }
        delay = answer.delay_seconds or latency_seconds
        return Answer(answer.status, answer.body, headers, delay, answer.dropped)


def http_date(moment: datetime) -> str:
    """RFC 9110, whole seconds, as in the `Date` header."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)
