"""Orders of one name, out of the ledger: what tells them apart."""

from __future__ import annotations

from typing import Any

import orjson
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from connections.models import Connection
from core.console.output import cell
from sync.ledger.known import by_connection, matching
from sync.models import RetryItem, SeenOrder

SHOWN = 10


def namesakes(items: QuerySet[RetryItem]) -> list[str]:
    """A line for each order of these items, where they are of several; a few more are only counted."""
    pairs = items.order_by().values_list("connection_id", "order_id").distinct()
    keys = sorted(pairs[: SHOWN + 1])
    if len(keys) < 2:
        return []
    shown = by_connection(keys[:SHOWN])
    connections = dict(Connection.objects.filter(pk__in=shown).values_list("pk", "name"))
    orders = SeenOrder.objects.filter(matching(SeenOrder, shown)).order_by("connection_id", "order_id")
    lines = [_cells(order, connections) for order in orders]
    return [*lines, _("and more")] if len(keys) > SHOWN else lines


def _cells(order: SeenOrder, connections: dict[int, str]) -> str:
    words = {
        "order": order.order_name,
        "order_id": order.order_id,
        "connection": connections.get(order.connection_id, ""),
        **_content(order),
    }
    told = _(
        "%(order)s, Odoo id %(order_id)s, “%(connection)s”, company: %(company)s, date: %(date)s, "
        "customer: %(customer)s"
    )
    return cell(told % words)


def _content(order: SeenOrder) -> dict[str, str]:
    """What its newest body says, where there still is one."""
    mine = RetryItem.objects.filter(connection=order.connection_id, order_id=order.order_id)
    body = mine.exclude(body=None).order_by("-version").values_list("body", flat=True).first()
    told: Any = _parsed(bytes(body)) if body else {}
    inner, customer = told.get("order"), told.get("customer")
    about = inner if isinstance(inner, dict) else {}
    who = customer if isinstance(customer, dict) else {}
    found = {"company": about.get("company"), "date": about.get("date_order"), "customer": who.get("name")}
    return {name: str(value or "-") for name, value in found.items()}


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
