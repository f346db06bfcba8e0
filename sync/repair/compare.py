"""Compare orders of a source with the ledger: what differs, order by order, in pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connections.models import Connection
from sync import ledger
from sync.events.decide import Known
from sync.models import SeenOrder
from sync.orders import Change, Sight
from sync.polling import questions
from sync.polling.turn import Turn

PAGE = 1000
# What a receiver has to be told of as an end. `cancelled` is what the source says itself.
GONE = ("deleted", "extra", "moved", "replaced")
ENDS = (*GONE, "cancelled")
CHANGED = ("missing", "stale", "cancelled")
FOLLOWED = ("sale", "done", "cancel")  # states that a source tells of


@dataclass(frozen=True, slots=True)
class Difference:
    """One order that Odoo and the ledger do not agree on.

    missing: confirmed in Odoo, never seen here; stale: written at another moment; cancelled: in Odoo, not
    here; deleted: here, gone from Odoo; extra: confirmed here, a quotation in Odoo; moved: in another company
    now; replaced: Odoo gave its number to another order.
    """

    verdict: str
    change: Change
    name: str = ""

    @property
    def order_id(self) -> int:
        return self.change.order_id

    def to_json(self) -> dict[str, object]:
        return {"order_id": self.order_id, "order": self.name, "verdict": self.verdict}


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """The fate of a page of known orders that were looked up by id."""

    rows: Sequence[SeenOrder]
    differences: list[Difference]
    matching: int  # the very same order is there: number and moment of its making
    hidden: list[SeenOrder]
    # An order stands as it stood before, or its number was given again: what was written since this stamp
    # was taken back.
    undone_since: datetime | None

    @property
    def covered(self) -> int:
        """Orders whose end would be news."""
        return sum(row.state != "cancel" for row in self.rows) - len(self.hidden)


def odoo_side(mine: Turn, page: list[Change]) -> tuple[list[Difference], int]:
    """The differences, and the number of the page's orders that the receiver knows as confirmed."""
    connection = mine.connection.pk
    known = ledger.known({connection: [change.order_id for change in page]})
    names = _names_of_page(mine.connection, page)
    differences = []
    for change in page:
        before = known.get((connection, change.order_id))
        verdict = _difference_of(change, before, mine.start.is_before(change.order_id, change.date_order))
        if verdict:
            differences.append(Difference(verdict, change, names.get(change.order_id, "")))
    covered = sum(not (known_one.cancelled or known_one.seeded) for known_one in known.values())
    return differences, covered


def _difference_of(change: Change, known: Known | None, before_start: bool) -> str:
    if known is not None and known.is_another(change.create_date):
        return "replaced"
    if known is not None and known.held:
        return ""
    if known is None or known.seeded:
        return "" if change.cancelled or before_start else "missing"
    if change.cancelled and not known.cancelled:
        return "cancelled"
    written = known.write_date.replace(microsecond=0)
    return "stale" if (change.write_date, change.cancelled) != (written, known.cancelled) else ""


def ledger_side(mine: Turn, rows: Sequence[SeenOrder]) -> LedgerPage:
    """Look known orders up by id and tell their fate. Raises RemoteError."""
    sightings = mine.source.sightings({row.order_id: row.company_id for row in rows})
    asked = questions.asked_gone(mine.connection)  # seen before: until a person answers they stand as they do
    differences, matching = [], 0
    undone: list[datetime] = []
    for row in rows:
        if row.order_id in sightings.hidden:
            continue
        sight = sightings.seen.get(row.order_id)
        matching += sight is not None and _is_same(row, sight)
        if sight is not None and _is_undone(row, sight) and row.order_id not in asked:
            undone.append(row.write_date)
        verdict = _fate(row, sight, mine.connection.company_id)
        if verdict:
            differences.append(Difference(verdict, _change(row, sight), row.order_name))
    hidden = [row for row in rows if row.order_id in sightings.hidden]
    return LedgerPage(rows, differences, matching, hidden, min(undone, default=None))


def health_state(mine: Turn, rows: Sequence[SeenOrder]) -> list[Change]:
    """Those of these orders that the feed shows, as they are now. Raises RemoteError."""
    sightings = mine.source.sightings({row.order_id: row.company_id for row in rows})
    return [
        _change(row, sight)
        for row in rows
        if (sight := sightings.seen.get(row.order_id)) is not None
        and _is_same(row, sight)
        and _is_here(sight, mine.connection.company_id)
        and sight.state in FOLLOWED
        and sight.write_date is not None
    ]


def _fate(row: SeenOrder, sight: Sight | None, company_id: int | None) -> str:
    if row.state == "cancel":
        # Its end was told. Only one that is confirmed again, as it may be after a restore, is news.
        back = sight is not None and sight.state in ("sale", "done") and _is_same(row, sight)
        return "stale" if back and _is_here(sight, company_id) else ""
    if sight is None:
        return "deleted"
    if _is_another(row, sight):  # a quotation has nothing to say yet
        return "replaced" if sight.state in FOLLOWED else "deleted"
    if not _is_here(sight, company_id):
        return "moved"
    if sight.state not in ("sale", "done"):
        return "cancelled" if sight.state == "cancel" else "extra"
    return "stale" if _is_older(row, sight) else ""


def _is_same(row: SeenOrder, sight: Sight) -> bool:
    return row.created_in_odoo is not None and row.created_in_odoo == sight.create_date


def _is_another(row: SeenOrder, sight: Sight) -> bool:
    return None not in (row.created_in_odoo, sight.create_date) and row.created_in_odoo != sight.create_date


def _is_undone(row: SeenOrder, sight: Sight) -> bool:
    return row.state != "cancel" and (_is_older(row, sight) or _is_another(row, sight))


def _is_older(row: SeenOrder, sight: Sight) -> bool:
    """A stamp never goes back by itself. An end that we found out ourselves has a stamp of our own clock."""
    if row.state == "cancel" or sight.write_date is None or _is_another(row, sight):
        return False
    return sight.write_date < row.write_date.replace(microsecond=0)


def _is_here(sight: Sight | None, company_id: int | None) -> bool:
    """In the company that the connection reads; of one that is not named nothing is concluded."""
    return sight is None or company_id is None or sight.company_id in (None, company_id)


def _change(row: SeenOrder, sight: Sight | None) -> Change:
    if sight is None:
        return Change(row.order_id, row.write_date, "cancel")
    at = sight.write_date or row.write_date
    return Change(row.order_id, at, sight.state, create_date=sight.create_date)


def ledger_pages(
    connection: Connection,
    since: datetime | None,
    *,
    after_id: int = 0,
    up_to_id: int | None = None,
    **which: Any,
) -> Iterator[list[SeenOrder]]:
    """Known orders that the receiver was told of, of the ids in (after_id, up_to_id]; None is all of them."""
    mine = SeenOrder.objects.filter(connection=connection, seeded=False, held=False, **which)
    if since is not None:
        mine = mine.filter(write_date__gte=since)
    if up_to_id is not None:
        mine = mine.filter(order_id__lte=up_to_id)
    while True:
        rows = list(mine.filter(order_id__gt=after_id).order_by("order_id")[:PAGE])
        if not rows:
            return
        yield rows
        after_id = rows[-1].order_id


def _names_of_page(connection: Connection, page: list[Change]) -> dict[int, str]:
    ids = [change.order_id for change in page]
    rows = SeenOrder.objects.filter(connection=connection, order_id__in=ids)
    return dict(rows.values_list("order_id", "order_name"))
