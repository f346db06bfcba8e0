"""Orders that a check found gone, counted over all its pages before anything is announced."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from connections import faultpoints
from sync.models import PollState, QuestionKind, RetryItem, SeenOrder
from sync.orders import Change
from sync.polling import questions
from sync.polling.plausibility import too_many_gone
from sync.polling.turn import Turn
from sync.repair.compare import ENDS, PAGE, Difference, LedgerPage, ledger_side
from sync.repair.repair import cancel_gone, reread

NAMED = 5
BY_READING = ("replaced", "cancelled")  # the source still has something to say of these


@dataclass(slots=True)
class Survey:
    """`covered`: known orders that were looked at; `gone`: of these, those whose end is to be told."""

    covered: int = 0
    undone_since: datetime | None = None  # what was written from this stamp on was taken back
    gone: dict[int, str] = field(default_factory=dict)  # order id: verdict
    hidden: list[SeenOrder] = field(default_factory=list)

    def add(self, page: LedgerPage) -> None:
        self.covered += page.covered
        self.hidden += page.hidden
        self.note_undone(page.undone_since)
        self.add_differences(page.differences)

    def add_differences(self, differences: Iterable[Difference]) -> None:
        self.gone |= {each.order_id: each.verdict for each in differences if each.verdict in ENDS}

    def note_undone(self, stamp: datetime | None) -> None:
        if stamp is not None and (self.undone_since is None or stamp < self.undone_since):
            self.undone_since = stamp

    def to_json(self) -> dict[str, Any]:
        gone = {str(order_id): verdict for order_id, verdict in self.gone.items()}
        undone = self.undone_since.isoformat() if self.undone_since else ""
        return {"covered": self.covered, "undone_since": undone, "gone": gone}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Survey:
        gone = {int(order_id): verdict for order_id, verdict in stored.get("gone", {}).items()}
        undone = stored.get("undone_since")
        return cls(stored.get("covered", 0), datetime.fromisoformat(undone) if undone else None, gone)


def look_again(mine: Turn, survey: Survey) -> None:
    """Keep only what is gone still. Earlier slices found some of it, and an order may be back since.

    What is told by reading is read before anything is told.
    """
    ids = [order_id for order_id, verdict in survey.gone.items() if verdict not in BY_READING]
    for start in range(0, len(ids), PAGE):
        wanted = ids[start : start + PAGE]
        rows = SeenOrder.objects.filter(connection=mine.connection, order_id__in=wanted)
        for order_id in wanted:
            del survey.gone[order_id]
        survey.add_differences(ledger_side(mine, list(rows)).differences)


def announce_gone(mine: Turn, survey: Survey) -> int:
    """Tell the receiver of the orders that are gone; where they are implausibly many ask a person first.

    What a person has confirmed is announced. Returns how many are held back.
    """
    faultpoints.at("announcing", (mine, survey))
    confirmed = questions.confirmed_gone(mine.connection)
    doubtful = survey.gone.keys() - confirmed
    covered = survey.covered - len(survey.gone.keys() & confirmed)
    held = doubtful if too_many_gone(mine.connection, len(doubtful), covered) else set()
    _announce(mine, {each: verdict for each, verdict in survey.gone.items() if each not in held})
    with mine.writing() as now:
        if held:
            detail = {"gone": len(held), "covered": covered, "orders": sorted(held)}
            questions.ask(mine.connection, QuestionKind.DISAPPEARED, detail, now)
        else:
            questions.end(mine.connection, QuestionKind.DISAPPEARED, now)
    return len(held)


def _announce(mine: Turn, gone: dict[int, str]) -> None:
    by_reading = [order_id for order_id, verdict in gone.items() if verdict in BY_READING]
    stamps = SeenOrder.objects.filter(connection=mine.connection, order_id__in=by_reading)
    reread(mine, [Change(*row) for row in stamps.values_list("order_id", "write_date", "state")])
    cancel_gone(mine, [order_id for order_id, verdict in gone.items() if verdict not in BY_READING])


def remember_hidden(mine: Turn, hidden: list[SeenOrder]) -> None:
    """Known orders that our user no longer sees: they are left alone, and a finding names them."""
    found: dict[str, Any] = {}
    if hidden:
        names = [row.order_name for row in hidden[:NAMED]]
        found = {"orders": len(hidden), "names": names, "companies": _companies(hidden[-NAMED:])}
    if mine.state.hidden != found:
        with mine.writing():
            PollState.objects.filter(connection=mine.connection).update(hidden=found)


def _companies(hidden: list[SeenOrder]) -> list[str]:
    """As they were called in what we sent of these orders last: Odoo does not tell us any more."""
    names = set()
    for row in hidden:
        items = RetryItem.objects.filter(
            connection=row.connection_id, order_id=row.order_id, body__isnull=False
        )
        body = items.order_by("-version").values_list("body", flat=True).first()
        name = orjson.loads(bytes(body)).get("order", {}).get("company") if body else None
        names.add(name or (f"#{row.company_id}" if row.company_id else ""))
    return sorted(names - {""})
