"""Which rows a run is made of: those that a person chose, without those that another run has in hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from sync.models import RetryItem, RowState, Run, RunKind, RunRow, SeenOrder, SentOrder, Status
from sync.models.ledger import OPEN

Rows = QuerySet[Any]

STATES: dict[str, tuple[str, ...]] = {
    "failed": (Status.FAILED,),
    "pending": (Status.PENDING,),
    "open": tuple(OPEN),
    "discarded": (Status.DISCARDED,),
}


@dataclass(frozen=True)
class Choice:
    """Which rows a person means. `state` is a word of STATES; times are of being owed, or of being sent."""

    kind: str
    connections: tuple[int, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    cause: str = ""
    state: str = "failed"

    def rows(self) -> Rows:
        """Retry items, or sent orders for RESEND; oldest first, without what another run has in hand."""
        found = self._sent() if self.kind == RunKind.RESEND else self._owed()
        if self.connections:
            found = found.filter(connection__in=self.connections)
        return found.exclude(Exists(in_hand())).order_by("id")

    def _owed(self) -> Rows:
        items = RetryItem.objects.filter(status__in=STATES[self.state])
        if self.cause:
            items = items.filter(error_code=self.cause)
        return _between(items, "created_at", self.since, self.until)

    def _sent(self) -> Rows:
        """Of each order the version that was sent last; one that a newer version waits for is left out."""
        newest = SeenOrder.objects.filter(
            connection=OuterRef("connection"), order_id=OuterRef("order_id"), version=OuterRef("version")
        )
        sent = SentOrder.objects.filter(Exists(newest), seeded=False)
        return _between(sent, "sent_at", self.since, self.until)


def in_hand(kind: str = "", row: Any = None) -> QuerySet[RunRow]:
    """Rows of this order that a run under way, of this kind if one is given, has not come to yet.

    Of the order of `row`, or of the row of an outer query. An order is sent again whatever its version.
    """
    unfinished = Run.objects.unfinished().filter(**({"kind": kind} if kind else {}))
    columns = ["connection", "order_id", *([] if kind == RunKind.RESEND else ["version"])]
    same = {name: OuterRef(name) if row is None else getattr(row, name) for name in columns}
    return RunRow.objects.filter(**same, state=RowState.WAITING, run__in=unfinished.values("pk"))


def _between(rows: Rows, column: str, since: datetime | None, until: datetime | None) -> Rows:
    wanted = Q()
    if since:
        wanted &= Q(**{f"{column}__gte": since})
    if until:
        wanted &= Q(**{f"{column}__lt": until})
    return rows.filter(wanted)
