"""What the ledger stores of a person, and how it is taken out. Versions and numbers stay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet

from sync.ledger.known import Key, by_connection, matching
from sync.models import DeliveryAttempt, RetryItem, SeenOrder
from sync.models.ledger import OPEN


@dataclass(frozen=True, slots=True)
class Stored:
    """Rows with something of a person in them, and what their columns become."""

    name: str
    rows: QuerySet[Any]
    values: dict[str, Any]

    def count(self) -> int:
        return self.rows.count()

    def clear(self) -> int:
        return self.rows.update(**self.values)


def stored_of(keys: Iterable[Key]) -> Iterator[Stored]:
    """What is stored of these orders beside what is still owed."""
    mine = by_connection(keys)
    closed = RetryItem.objects.filter(matching(RetryItem, mine), body__isnull=False)
    yield Stored("payloads", closed.exclude(status__in=OPEN), {"body": None})
    told = DeliveryAttempt.objects.filter(matching(DeliveryAttempt, mine))
    answers = told.exclude(answer="", error_detail="")
    yield Stored("answers", answers, {"answer": "", "error_detail": ""})
    seen = SeenOrder.objects.filter(matching(SeenOrder, mine))
    yield Stored("references", seen.exclude(reference=""), {"reference": ""})


def replace_text(model: type[Model], pk: Any, column: str, text: Any) -> None:
    """Write a text of one row of the ledger without the person in it."""
    model._default_manager.filter(pk=pk).update(**{column: text})
