"""One box that finds an order or a connection by whatever a person has in hand. Every look-up is by index."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from django.contrib import admin
from django.core.cache.backends.dummy import DummyCache
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Upper
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from unfold import sites as theme

from connections.models import Connection
from core.admin.base import SECRETS_OF_CONNECTION, badge, moment, page
from core.admin.plain_values import holds_nul
from sync.admin.labels import ORDER_STATES
from sync.admin.overview import may_search
from sync.ledger.names import Sought, rows_of
from sync.models import RetryItem, SeenOrder, SentOrder

# The theme's own search would keep what it found, pickled and for whatever rights one has by then.
theme.cache = DummyCache("theme", {})

SHOWN = 25
SHOPS_OF_A_NAME = 5000
LONGEST = 200  # characters of a question
BIGGEST_ID = 2**63 - 1
EXTERNAL_ID = re.compile(r"^odoo_(.+)_(\d{1,18})$")
EVENT_ID = re.compile(r"^evt_\w{1,60}$")


@dataclass
class SearchResult:
    orders: list[SeenOrder] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)

    @property
    def only(self) -> Any:
        """The one thing that was found, if it is one."""
        everything = [*self.orders, *self.connections]
        return everything[0] if len(everything) == 1 else None


def find(request: HttpRequest) -> HttpResponse:
    """Straight to what was meant, or a short list."""
    if not may_search(request):
        raise PermissionDenied
    question = " ".join(request.GET.get("q", "").split())[:LONGEST]
    found = look_up(request, question) if question and not holds_nul([question]) else SearchResult()
    if found.only is not None:
        return HttpResponseRedirect(page(found.only))
    context = {
        **admin.site.each_context(request),
        "title": _("Search"),
        "question": question,
        "orders": [_result_of_order(row) for row in found.orders[:SHOWN]],
        "more": len(found.orders) > SHOWN,
        "connections": [_connection(row) for row in found.connections[:SHOWN]],
    }
    return TemplateResponse(request, "admin/orders/search_results.html", context)


def look_up(request: HttpRequest, question: str) -> SearchResult:
    may, found = request.user.has_perm, SearchResult()
    sees_orders, sees_shops = may("sync.view_seenorder"), may("connections.view_connection")
    if sees_shops and (shops := _shops_called(question)) and not (sees_orders and _by_name(question)):
        return SearchResult(connections=shops)  # “Tienda 7” is that shop, not an order 7 of some Tienda
    if sees_orders:
        found.orders = orders(question)
    if sees_shops and not EVENT_ID.match(question):
        found.connections = list(connections(question)[: SHOWN + 1])
    return found


def _shops_called(question: str) -> list[Connection]:
    called = Connection.objects.without_secrets().filter(name__iexact=question)
    return list(called.order_by("pk")[: SHOWN + 1])


def orders(question: str) -> list[SeenOrder]:
    """Newest first, one more than is shown. A word too much may name the shop: “S00042 lugo”."""
    for exact in (_by_id, _by_name, _by_name_in_shop, _by_beginning):
        rows = exact(question)
        if rows:
            return rows
    return []


def connections(question: str) -> QuerySet[Any]:
    fields = ("name", "external_id", "database", "ids_database", "odoo_url")
    wanted = Q()
    for name in fields:
        wanted |= Q(**{f"{name}__icontains": question})
    return Connection.objects.without_secrets().filter(wanted).order_by("name")


def _newest(*rows: QuerySet[SeenOrder]) -> list[SeenOrder]:
    """Of each apart: together the database would use no index."""
    found: dict[int, SeenOrder] = {}
    for each in rows:
        shown = each.select_related("connection").defer(*SECRETS_OF_CONNECTION)
        found |= {row.pk: row for row in shown.order_by("-seen_at")[: SHOWN + 1]}
    return sorted(found.values(), key=lambda row: row.seen_at, reverse=True)[: SHOWN + 1]


def _by_id(question: str) -> list[SeenOrder]:
    if EVENT_ID.match(question):
        for model in (RetryItem, SentOrder):
            key = model._default_manager.filter(event_id=question).values("connection", "order_id").first()
            if key:
                return _newest(
                    SeenOrder.objects.filter(connection=key["connection"], order_id=key["order_id"])
                )
    if parts := EXTERNAL_ID.match(question):
        shops = Connection.objects.with_ids_of(parts[1]).values("pk")
        return _newest(SeenOrder.objects.filter(connection__in=shops, order_id=int(parts[2])))
    return []


def _by_name(question: str) -> list[SeenOrder]:
    return _newest(SeenOrder.objects.filter(_by_any_name(question)), _once_named(question))


def _by_name_in_shop(question: str) -> list[SeenOrder]:
    """The two are looked for one by one: together the database would read whole shops."""
    words = question.split(" ")
    for name, shop in ((words[0], words[1:]), (words[-1], words[:-1])):
        both = (SeenOrder.objects.filter(_by_any_name(name)), _once_named(name)) if shop else ()
        found = [row for rows in both for row in rows.values_list("pk", "connection")[:SHOPS_OF_A_NAME]]
        shops = set(connections(" ".join(shop)).values_list("pk", flat=True)) if found else set()
        chosen = [pk for pk, connection in found if connection in shops]
        if chosen:
            return _newest(SeenOrder.objects.filter(pk__in=chosen[: SHOWN + 1]))
    return []


def _by_beginning(question: str) -> list[SeenOrder]:
    """“S0004” finds S00042. Where letters sort in another way than by code, some are not found."""
    if len(question) < 3:
        return []
    begin, end = question.upper(), question.upper() + "\uffff"
    return _newest(SeenOrder.objects.filter(order_name__upper__gte=begin, order_name__upper__lt=end))


def _by_any_name(name: str) -> Q:
    """A whole name or reference however it is written, the number in a name, or the id in Odoo."""
    wanted = Q(order_name__upper=Upper(Value(name)))
    wanted |= Q(reference__upper=Upper(Value(name))) & ~Q(reference="")
    if (number := _number(name)) is not None:
        wanted |= Q(order_id=number) | Q(order_name__upper=f"S{number:05d}")
    return wanted


def _once_named(name: str) -> QuerySet[SeenOrder]:
    """Orders of which some version has this name: in Odoo it can be changed."""
    names = {name, name.upper()}
    if (number := _number(name)) is not None:
        names.add(f"S{number:05d}")
    return SeenOrder.objects.filter(pk__in=rows_of(SeenOrder, Sought(names=sorted(names))))


def _number(text: str) -> int | None:
    known = text.isascii() and text.isdigit() and int(text) <= BIGGEST_ID
    return int(text) if known else None


def _result_of_order(row: SeenOrder) -> dict[str, Any]:
    return {
        "address": page(row),
        "name": row.order_name,
        "number": row.order_id,
        "reference": row.reference,
        "connection": row.connection.name,
        "state": badge(
            ORDER_STATES.get(row.state, row.state), "warning" if row.state == "cancel" else "success"
        ),
        "seen": moment(row.seen_at),
    }


def _connection(row: Connection) -> dict[str, Any]:
    return {"address": page(row), "name": row.name, "database": row.database, "url": row.odoo_url}
