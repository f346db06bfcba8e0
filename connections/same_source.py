"""Two connections that send the same orders to the same receiver: each arrives twice, under two ids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from urllib.parse import urlsplit

from django.db.models import Count
from django.utils.translation import gettext as _

from connections.models import Connection

PORTS = {"http": 80, "https": 443}
COLUMNS = ("name", "enabled", "odoo_url", "database", "company_id", "webhook_url", "events")
SHOWN = 5

Way = tuple[object, ...]  # from one database to one receiver


def doubles_of(connection: Connection) -> list[Connection]:
    """The enabled ones that send what this one sends, or would send if it were enabled."""
    others = Connection.objects.enabled().filter(database=connection.database).exclude(pk=connection.pk)
    way = _way(connection)
    return [o for o in others.only(*COLUMNS) if _way(o) == way and _share_orders(o, connection)]


def doubles() -> Iterator[tuple[Connection, list[Connection]]]:
    """Each enabled connection that has any, with those. Most have a database of a name of its own."""
    enabled, ways = Connection.objects.enabled(), dict[Way, list[Connection]]()
    names = enabled.order_by().values("database").annotate(count=Count("pk")).filter(count__gt=1)
    for connection in enabled.filter(database__in=names.values("database")).only(*COLUMNS).order_by("name"):
        ways.setdefault(_way(connection), []).append(connection)
    for same in ways.values():
        for connection in same:
            others = [o for o in same if o is not connection and _share_orders(o, connection)]
            if others:
                yield connection, others


def named(others: Iterable[Connection]) -> str:
    names = [connection.name for connection in others]
    return ", ".join(names[:SHOWN]) + (" …" if len(names) > SHOWN else "")


def warning(connection: Connection) -> str:
    """A sentence for who saves it; "" where nothing arrives twice."""
    others = doubles_of(connection) if connection.enabled else []
    if not others:
        return ""
    return _(
        "“%(name)s” sends the same orders to the same receiver as: %(others)s. Each arrives twice, under two "
        "connection ids: switch one of them off, or give each a company or a receiver of its own."
    ) % {"name": connection.name, "others": named(others)}


def _share_orders(one: Connection, other: Connection) -> bool:
    """No company is all of them."""
    companies = {one.company_id, other.company_id}
    return (None in companies or len(companies) == 1) and not set(one.events).isdisjoint(other.events)


def _way(connection: Connection) -> Way:
    receiver = urlsplit(connection.webhook_url)
    path = (receiver.path.rstrip("/"), receiver.query)
    return (
        *_host_and_port(connection.odoo_url),
        connection.database,
        *_host_and_port(connection.webhook_url),
        *path,
    )


def _host_and_port(url: str) -> tuple[str, int | None]:
    """However it is written: in capitals, with the usual port, or with the letters of its country."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    with suppress(UnicodeError):
        host = host.encode("idna").decode()
    port = parts.port or PORTS.get(parts.scheme)
    return host, None if port in PORTS.values() else port
