"""Erase a person: their data in stored payloads, answers and texts. What the ledger counts stays.

Odoo and the receivers are other systems: who is still written there comes back with the next change of an
order. So is a backup.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.db import models
from django.db.models import Q, QuerySet

from connections.models import Connection
from sync import ledger
from sync.erasure.customers import CHUNK
from sync.erasure.persons import Person
from sync.ledger.personal_data import replace_text, stored_of
from sync.models import ConnectionTest, DeliveryAttempt, RetryItem, SeenOrder, SentOrder
from sync.models.ledger import OPEN

# Columns that may hold what a customer, a receiver or a colleague wrote, in whichever table.
TEXTS = {
    "answer",
    "change_message",
    "detail",
    "discard_reason",
    "error",
    "error_detail",
    "object_repr",
    "order_name",
    "paused_reason",
    "reason",
    "reference",
    "result",
}
LEDGER = (SeenOrder, RetryItem, SentOrder, DeliveryAttempt)
JSONS = {"differences", "stages"}

logger = logging.getLogger("poller.ledger")


@dataclass
class Erased:
    """What was touched, in rows by what they are; `orders` and `owed` are (connection id, order name).

    `owed` are kept with their payloads, since they have to be delivered yet.
    """

    counts: dict[str, int] = field(default_factory=dict)
    orders: list[tuple[int, str]] = field(default_factory=list)
    owed: list[tuple[int, str]] = field(default_factory=list)


def erase(
    person: Person,
    *,
    by: str,
    now: datetime,
    connection: Connection | None = None,
    discard_owed: bool = False,
    dry_run: bool = False,
) -> Erased:
    """Forget this person wherever it is stored. May be stopped at any moment and run again.

    What is still owed is left alone, unless `discard_owed` gives it up, on record, so that nothing is lost
    in silence. `checkledger` balances as before.
    """
    chosen = Q() if connection is None else Q(connection=connection)
    items = list(_with_person(person, RetryItem.objects.filter(chosen, body__isnull=False)))
    keys = sorted({(item.connection_id, item.order_id) for item in items})
    owed = [item for item in items if item.status in OPEN]
    done = Erased(orders=_order_names(items), owed=[] if discard_owed else _order_names(owed))
    if discard_owed:
        done.counts["discarded"] = len(owed) if dry_run else _discard(owed, by=by, now=now)
        done.counts["payloads"] = len(owed) if dry_run else 0
    done.counts["texts"] = sum(_texts(person, chosen, dry_run=dry_run))
    done.counts["previews"] = _previews(person, chosen, dry_run=dry_run)
    for stored in chain.from_iterable(map(stored_of, _chunks(keys))):
        changed = stored.count() if dry_run else stored.clear()
        done.counts[stored.name] = done.counts.get(stored.name, 0) + changed
    if not dry_run:
        logger.info("A person was erased on request", extra={"by": by, **done.counts})
    return done


def _with_person(person: Person, items: QuerySet[RetryItem]) -> Iterator[RetryItem]:
    rows = items.only("connection_id", "order_id", "order_name", "status", "body").order_by("pk")
    for item in rows.iterator(chunk_size=CHUNK):
        if person.is_of(bytes(item.body or b"")):
            item.body = None
            yield item


def _discard(owed: list[RetryItem], *, by: str, now: datetime) -> int:
    done = 0
    for chunk in _chunks(owed):
        items = RetryItem.objects.filter(pk__in=[item.pk for item in chunk])
        done += ledger.discard(items, by=by, reason="Erased on request", now=now)
    return done


def _previews(person: Person, chosen: Q, *, dry_run: bool) -> int:
    rows = ConnectionTest.objects.filter(chosen, preview__isnull=False)
    found = [test.pk for test in rows if person.is_of(bytes(test.preview or b""))]
    return len(found) if dry_run else ConnectionTest.objects.filter(pk__in=found).update(preview=None)


def _texts(person: Person, chosen: Q, *, dry_run: bool) -> Iterator[int]:
    for model in tables():
        fields = model._meta.local_concrete_fields
        columns = {f.name for f in fields}
        values = {f.name for f in fields if isinstance(f, models.JSONField)}
        rows = model._default_manager.filter(chosen if "connection" in columns else Q())
        for column in sorted((columns - values) & TEXTS | values & JSONS):
            perhaps = rows if column in JSONS else person.perhaps_in(rows, column)
            yield _replace(person, perhaps, column, dry_run=dry_run)


def tables() -> list[type[models.Model]]:
    """Ours, and the history of the admin."""
    ours = (apps.get_app_config(name).get_models() for name in ("connections", "core", "sync"))
    return [*chain.from_iterable(ours), LogEntry]


def _replace(person: Person, rows: QuerySet[Any], column: str, *, dry_run: bool) -> int:
    stored = rows.order_by("pk").values_list("pk", column).iterator(chunk_size=CHUNK)
    found = [(pk, person.without(value)) for pk, value in stored if person.is_in(value)]
    limit = getattr(rows.model._meta.get_field(column), "max_length", None)
    write = replace_text if rows.model in LEDGER else _replace_text
    for pk, fresh in found if not dry_run else ():
        short = fresh[:limit] if isinstance(fresh, str) else fresh
        write(rows.model, pk, column, short)
    return len(found)


def _replace_text(model: type[models.Model], pk: Any, column: str, text: Any) -> None:
    model._default_manager.filter(pk=pk).update(**{column: text})


def _chunks(rows: list[Any]) -> Iterator[list[Any]]:
    return (rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK))


def _order_names(items: Iterable[RetryItem]) -> list[tuple[int, str]]:
    return list(dict.fromkeys((item.connection_id, item.order_name) for item in items))
