"""Conservation: every version seen is sent, pending, failed, discarded, superseded or seeded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection as database
from django.db.models import Count, QuerySet, Sum

from connections.models import Connection
from sync.models import RetryItem, SeenOrder, SentOrder, Status

# What is counted apart, by order. An item marked as sent is the same version as its sent order.
_IMBALANCED = """
    WITH counted AS (
        SELECT connection_id, order_id, SUM(n) AS n, MAX(newest) AS newest FROM (
            SELECT connection_id, order_id, COUNT(*) AS n, MAX(version) AS newest
            FROM sync_sentorder {where} GROUP BY connection_id, order_id
            UNION ALL
            SELECT connection_id, order_id, COUNT(*) AS n, MAX(version) AS newest
            FROM sync_retryitem {where_open} GROUP BY connection_id, order_id
        ) AS parts GROUP BY connection_id, order_id
    )
    SELECT seen.connection_id, seen.order_id, seen.order_name, seen.version, COALESCE(counted.n, 0),
           COALESCE(counted.newest, 0)
    FROM sync_seenorder AS seen
    LEFT JOIN counted ON counted.connection_id = seen.connection_id AND counted.order_id = seen.order_id
    WHERE (seen.version <> COALESCE(counted.n, 0) OR seen.version <> COALESCE(counted.newest, 0)) {and_seen}
    UNION ALL
    SELECT counted.connection_id, counted.order_id, '', 0, counted.n, counted.newest
    FROM counted
    LEFT JOIN sync_seenorder AS seen
        ON counted.connection_id = seen.connection_id AND counted.order_id = seen.order_id
    WHERE seen.id IS NULL
    ORDER BY 1, 2
    LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Imbalance:
    """One order whose versions do not add up: `seen` were made, `counted` are accounted for."""

    connection_id: int
    order_id: int
    order_name: str
    seen: int
    counted: int
    newest: int


@dataclass(frozen=True, slots=True)
class Balance:
    """The versions of one connection, by what became of them."""

    connection: Connection
    seen: int
    sent: int
    pending: int
    failed: int
    discarded: int
    superseded: int
    seeded: int

    @property
    def difference(self) -> int:
        parts = (self.sent, self.pending, self.failed, self.discarded, self.superseded, self.seeded)
        return self.seen - sum(parts)


def imbalances(connection_id: int | None = None, *, limit: int = 1000) -> list[Imbalance]:
    """The orders that do not add up, and versions marked as sent without a sent order; [] is good."""
    where, values = ("", []) if connection_id is None else ("WHERE connection_id = %s", [connection_id])
    statement = _IMBALANCED.format(
        where=where,
        where_open=f"{where} {'AND' if where else 'WHERE'} status <> 'sent'",
        and_seen="AND seen.connection_id = %s" if values else "",
    )
    with database.cursor() as cursor:
        cursor.execute(statement, [*values * 3, limit])
        return [Imbalance(*row) for row in cursor.fetchall()]


def balances(connection_id: int | None = None) -> list[Balance]:
    """One line per connection, in a handful of statements."""
    connections = Connection.objects.without_secrets()
    if connection_id is not None:
        connections = connections.filter(pk=connection_id)
    chosen = {} if connection_id is None else {"connection": connection_id}
    seen = dict(
        SeenOrder.objects.filter(**chosen).values_list("connection").annotate(n=Sum("version")).order_by()
    )
    sent = _counts(SentOrder.objects.filter(**chosen).values_list("connection", "seeded"))
    items = _counts(
        RetryItem.objects.filter(**chosen).exclude(status=Status.SENT).values_list("connection", "status")
    )
    return [
        Balance(
            connection=connection,
            seen=seen.get(connection.pk, 0),
            sent=sent.get((connection.pk, False), 0),
            seeded=sent.get((connection.pk, True), 0),
            pending=items.get((connection.pk, Status.PENDING), 0),
            failed=items.get((connection.pk, Status.FAILED), 0),
            discarded=items.get((connection.pk, Status.DISCARDED), 0),
            superseded=items.get((connection.pk, Status.SUPERSEDED), 0),
        )
        for connection in connections
    ]


def _counts(rows: QuerySet[Any, Any]) -> dict[tuple[int, Any], int]:
    return {(connection, kind): n for connection, kind, n in rows.annotate(n=Count("pk")).order_by()}
