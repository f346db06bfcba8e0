"""Compare orders of a shop with the ledger: what differs, order by order, in pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from connections.models import Connection
from sync import ledger
from sync.deciding import Known
from sync.models import SeenOrder
from sync.orders import Change
from sync.turns import Turn

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Difference:
    """One order that Odoo and the ledger do not agree on.

    missing: confirmed in Odoo, never seen here; stale: written again since; cancelled: in Odoo, not here;
    deleted: here, gone from Odoo; extra: confirmed here, a quotation in Odoo.
    """

    verdict: str
    change: Change
    name: str = ""

    def to_json(self) -> dict[str, object]:
        return {"order_id": self.change.order_id, "order": self.name, "verdict": self.verdict}


def odoo_side(mine: Turn, page: list[Change]) -> list[Difference]:
    connection = mine.connection.pk
    known = ledger.known({connection: [change.order_id for change in page]})
    names = _names(mine.connection, page)
    differences = []
    for change in page:
        before = known.get((connection, change.order_id))
        verdict = _verdict(change, before, mine.start.is_before(change.order_id, change.date_order))
        if verdict:
            differences.append(Difference(verdict, change, names.get(change.order_id, "")))
    return differences


def _verdict(change: Change, known: Known | None, before_start: bool) -> str:
    if known is None or known.seeded:
        return "" if change.cancelled or before_start else "missing"
    if change.cancelled and not known.cancelled:
        return "cancelled"
    written = known.write_date.replace(microsecond=0)
    return "stale" if (change.write_date, change.cancelled) != (written, known.cancelled) else ""


def ledger_side(mine: Turn, rows: list[SeenOrder]) -> list[Difference]:
    """What became of orders that Odoo did not list. Raises Access where we may no longer see one of them."""
    states = mine.source.states([row.order_id for row in rows])
    differences = []
    for row in rows:
        state = states.get(row.order_id)
        verdict = {None: "deleted", "sale": "", "done": "", "cancel": "cancelled"}.get(state, "extra")
        if verdict:
            change = Change(row.order_id, row.write_date, state or "cancel")
            differences.append(Difference(verdict, change, row.order_name))
    return differences


def ledger_pages(
    connection: Connection, since: datetime, *, after_id: int = 0, up_to_id: int | None = None
) -> Iterator[list[SeenOrder]]:
    """Orders not known as cancelled, of the ids in (after_id, up_to_id]."""
    mine = SeenOrder.objects.filter(connection=connection, write_date__gte=since, seeded=False)
    if up_to_id is not None:
        mine = mine.filter(order_id__lte=up_to_id)
    while True:
        rows = list(mine.exclude(state="cancel").filter(order_id__gt=after_id).order_by("order_id")[:PAGE])
        if not rows:
            return
        yield rows
        after_id = rows[-1].order_id


def _names(connection: Connection, page: list[Change]) -> dict[int, str]:
    ids = [change.order_id for change in page]
    rows = SeenOrder.objects.filter(connection=connection, order_id__in=ids)
    return dict(rows.values_list("order_id", "order_name"))
