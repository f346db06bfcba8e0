"""The test of the Odoo side: one question after the other, each answered in words a person can act on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from connections.errors import Contract, RemoteError, on_side
from connections.http import guard
from connections.http.client import ODOO_LIMITS
from connections.models import Connection
from connections.odoo import account
from connections.odoo.client import SOURCE_LANGUAGE, OdooClient, connect, missing_language
from connections.odoo.server_info import Wanted

SKEW = timedelta(seconds=60)
EXPIRY_WARNING = timedelta(days=14)
SHOWN = 5  # names or addresses in one line
HAS_ACCESS_SINCE = 18

NEEDED: Wanted = {
    "sale.order": ("name", "state", "date_order", "write_date", "partner_id", "order_line", "amount_total"),
    "sale.order.line": ("name", "product_id", "product_uom_qty", "price_unit", "price_subtotal"),
    "res.partner": ("name", "email", "phone", "street", "city", "zip", "country_id", "vat"),
    "product.product": ("default_code", "barcode", "product_tmpl_id"),
}
MAY_READ: Mapping[str, Any] = {
    "sale.order": _("The user may read orders"),
    "sale.order.line": _("The user may read the lines of orders"),
    "res.partner": _("The user may read customers"),
    "product.product": _("The user may read products"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """The answer to one question. `ok` None is a warning; `code` is a word of `connections/causes`."""

    name: Any
    ok: bool | None
    code: str = ""
    detail: str = ""
    seconds: float = 0.0


class Finding(Exception):
    """A question was answered, and the answer is not good; `ok` None makes it a warning."""

    def __init__(self, code: str, detail: str = "", *, ok: bool | None = None) -> None:
        super().__init__(code)
        self.code, self.detail, self.ok = code, detail, ok


def odoo_stages(
    connection: Connection, *, now: datetime, needed: Wanted = NEEDED, seconds: float = inf
) -> Iterator[Step]:
    """Each step comes when it is done; none raises. After one that everything hangs on, no more follow.

    `seconds` is how long all calls together may take.
    """
    # In no language: one that is missing is a finding of its own, and hides no other.
    client = connect(connection, None, now=now, wanted=needed, language="", seconds=seconds)
    for name, question in _way_in(connection, client):
        step = _ask(name, question)
        yield step
        if step.ok is False:
            return
    for name, question in _what_is_there(connection, client, now, needed):
        yield _ask(name, question)


Question = Callable[[], str]


def _ask(name: Any, question: Question) -> Step:
    started = time.monotonic()
    ok: bool | None = True
    code, detail = "", ""
    try:
        detail = question()
    except Finding as finding:
        ok, code, detail = finding.ok, finding.code, finding.detail
    except RemoteError as error:
        ok, code, detail = False, error.code, error.detail
    return Step(name, ok, code, detail, round(time.monotonic() - started, 3))


def _way_in(connection: Connection, client: OdooClient) -> Iterator[tuple[Any, Question]]:
    yield _("The address is known and may be called"), lambda: _look_up(connection.odoo_url)
    yield _("An Odoo answers"), lambda: _version(client)
    yield _("The database is there, and takes the user and the key"), lambda: _sign_in(client)


def _what_is_there(
    connection: Connection, client: OdooClient, now: datetime, needed: Wanted
) -> Iterator[tuple[Any, Question]]:
    yield _("The key belongs to the user"), lambda: _whose_key(client, connection.username)
    for model in needed:
        name = MAY_READ.get(model, model)
        yield name, lambda model=model: _may_read(client, model)  # type: ignore[misc]
    yield _("Every field we need is there"), lambda: _fields(client, needed)
    if connection.language:
        yield _("The language is installed"), lambda: _language(client, connection.language)
    yield _("The user sees the orders of everybody"), lambda: _everybodys_orders(client)
    yield _("The user sees the right companies"), lambda: _companies(client, connection.company_id)
    yield _("The key will not expire soon"), lambda: _expiry(client, now)
    yield _("The clocks agree"), lambda: _clock(client)
    yield _("The newest order can be read"), lambda: _newest(client, connection.company_id)


def _look_up(url: str) -> str:
    if settings.PROXY_URL:
        return str(_("through the proxy"))
    parts = urlsplit(url)
    host, plain = parts.hostname or "", parts.scheme == "http"
    ODOO_LIMITS.begin_call()
    try:
        found = guard.resolve(host, parts.port or 443)
        guard.check_addresses(host, found, plain=plain)
    except RemoteError as error:
        raise on_side("odoo", error) from None
    return ", ".join(list(dict.fromkeys(str(target[0]) for *_rest, target in found))[:SHOWN])


def _version(client: OdooClient) -> str:
    version, _major = client.version()
    return f"Odoo {version}"


def _sign_in(client: OdooClient) -> str:
    return {"jsonrpc": "JSON-RPC", "json2": "JSON-2"}[client.server.protocol]


def _whose_key(client: OdooClient, username: str) -> str:
    me = client.read("res.users", ids=[client.server.uid], fields=["login"])
    login = me[0].get("login") if me else None
    if login != username:
        raise Finding("odoo_other_user", account.shown(login))
    return username


def _may_read(client: OdooClient, model: str) -> str:
    if client.server.major >= HAS_ACCESS_SINCE:
        allowed = client.call(model, "has_access", ids=[], operation="read")
    else:
        allowed = client.call(model, "check_access_rights", operation="read", raise_exception=False)
    if allowed is not True:
        raise Finding("odoo_no_rights", model, ok=False)
    return ""


def _fields(client: OdooClient, needed: Wanted) -> str:
    missing = [
        f"{model}: {', '.join(lacking)}"
        for model, names in needed.items()
        if (lacking := sorted(set(names) - client.server.fields[model]))
    ]
    if missing:
        raise Finding("odoo_unknown_field", "; ".join(missing), ok=False)
    return ""


def _language(client: OdooClient, language: str) -> str:
    installed = client.languages()
    if language not in (SOURCE_LANGUAGE, *installed):
        error = missing_language(language, installed)
        raise Finding(error.code, error.detail, ok=False)
    return language


def _everybodys_orders(client: OdooClient) -> str:
    try:
        rights = account.sales_rights(client)
    except Contract:
        return str(_("this server does not say"))
    if rights is account.SalesRights.NONE:
        raise Finding("odoo_no_sales_rights", ok=False)
    if rights is account.SalesRights.OWN:
        raise Finding("odoo_own_documents_only")
    return ""


def _companies(client: OdooClient, company_id: int | None) -> str:
    ids = account.company_ids(client)
    named = client.read("res.company", ids=ids[:SHOWN], fields=["display_name"])[:SHOWN]
    names = ", ".join(f"{_number(company)} {account.shown(company.get('display_name'))}" for company in named)
    if company_id is not None and company_id not in ids:
        raise Finding("odoo_company_not_visible", names, ok=False)
    if company_id is None and len(ids) > 1:
        raise Finding("odoo_several_companies", names)
    return names


def _expiry(client: OdooClient, now: datetime) -> str:
    """Since 18 a key has an end, for most users after 90 days at most."""
    try:
        ends = account.key_ends(client)
    except RemoteError:
        return str(_("this server does not say"))
    if not ends:
        return ""
    at, name = ends[0]
    if at < now + EXPIRY_WARNING:
        raise Finding("odoo_key_expires_soon", f"{name}: {at:%Y-%m-%d}")
    return f"{at:%Y-%m-%d}"


def _clock(client: OdooClient) -> str:
    if client.server_time is None:
        return str(_("this server does not say"))
    ahead = (client.server_time - client.now()).total_seconds()
    if abs(ahead) > SKEW.total_seconds():
        raise Finding("odoo_clock_skew", f"{round(ahead):+d} s")
    return f"{round(ahead):+d} s"


def _newest(client: OdooClient, company_id: int | None) -> str:
    domain: list[Sequence[Any]] = [["state", "in", ["sale", "done"]]]
    if company_id is not None:
        domain.append(["company_id", "=", company_id])
    fields = ["name", "write_date"]
    found = client.search_read("sale.order", domain=domain, fields=fields, order="id desc", limit=1)
    if not found:
        raise Finding("odoo_no_orders")
    return f"{account.shown(found[0].get('name'))}, {account.shown(found[0].get('write_date'))} UTC"


def _number(record: Mapping[str, Any]) -> int | str:
    return record["id"] if type(record.get("id")) is int else "?"
