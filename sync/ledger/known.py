"""What is known of orders, and the lock under which it changes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from itertools import chain

from django.db import connection
from django.db.models import BooleanField, Exists, Min, Model, OuterRef
from django.db.models.expressions import RawSQL

from connections.models import Connection
from sync.events import payload
from sync.events.decide import Known, TakenOver
from sync.models import DeliveryAttempt, PollState, RetryItem, SeenOrder, SentOrder, Status
from sync.orders import Change, Order

Key = tuple[int, int]  # connection, order

# What a try may end with after the receiver took it; also a 2xx that could not be read for what it says.
UNANSWERED = (
    "receiver_timeout",
    "receiver_disconnected",
    "receiver_broken_answer",
    "receiver_answer_not_json",
    "receiver_answer_cut",
)
GIVEN_UP = (Status.SUPERSEDED, Status.DISCARDED)
_MATCHING = """id IN (
    SELECT chosen.id FROM (VALUES {pairs}) AS wanted
    JOIN {table} AS chosen ON chosen.connection_id = wanted.column1 AND chosen.order_id = wanted.column2)"""
_MARKS = re.compile("[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
IDS_PER_QUERY = 5000  # SQLite takes 32,766 values in one statement


@dataclass(frozen=True, slots=True)
class Found:
    """One order as just read, ready to be compared: its content as published, and its hash by our rules.

    `content` is None where the order could not be read; `problem` says why. `settled`: its stamp's second was
    over when it was read, so that whatever is written to it later gets another stamp. `held`: not to be sent
    before a person has said so.
    """

    connection: Connection
    order_id: int
    name: str
    reference: str
    state: str
    write_date: datetime
    content: payload.Content | None
    content_hash: str
    before_start: bool = False
    replay: bool = False
    problem: str = ""
    settled: bool = True
    taken_over: TakenOver = TakenOver.NOTHING
    created_at: datetime | None = None
    company_id: int | None = None
    held: bool = False
    notes: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        return (self.connection.pk, self.order_id)

    @property
    def change(self) -> Change:
        return Change(self.order_id, self.write_date, self.state, create_date=self.created_at)

    @classmethod
    def of(
        cls,
        connection: Connection,
        order: Order,
        *,
        sure_until: datetime | None = None,
        before_start: bool = False,
        replay: bool = False,
        taken_over: TakenOver = TakenOver.NOTHING,
        held: bool = False,
    ) -> Found:
        content = payload.content(order, database=connection.database_in_ids)
        return cls(
            connection=connection,
            order_id=order.order_id,
            name=_plain(order.name[:100]),
            reference=_plain(order.client_order_ref[:200]),
            state=order.state,
            write_date=order.write_date,
            content=content,
            content_hash=payload.content_hash(content),
            before_start=before_start,
            replay=replay,
            settled=sure_until is None or order.write_date <= sure_until,
            taken_over=taken_over,
            created_at=order.create_date,
            company_id=order.company_id,
            held=held,
            notes=order.notes,
        )

    def restated(self, known: Known) -> Known:
        """The known hash by the newest rules, where by its own it is the hash of what we read now."""
        if self.content is None or known.hash_rules == payload.newest_rules():
            return known
        same = payload.is_hash_of(known.content_hash, self.content, known.hash_rules)
        return replace(known, content_hash=self.content_hash) if same else known

    @classmethod
    def unreadable(
        cls, connection: Connection, change: Change, reason: str, *, before_start: bool = False
    ) -> Found:
        """An order that Odoo has and that we cannot make sense of: set aside for a person."""
        return cls(
            connection=connection,
            order_id=change.order_id,
            name=f"#{change.order_id}",
            reference="",
            state=change.state,
            write_date=change.write_date,
            content=None,
            content_hash="",
            before_start=before_start,
            problem=reason,
            created_at=change.create_date,
        )


def _plain(text: str) -> str:
    """Marks of direction in a name would turn around whatever stands beside it in a list."""
    return _MARKS.sub("\ufffd", text)


def lock(connection_ids: Iterable[int]) -> set[int]:
    """Take turns on these connections until the transaction ends; returns those that still exist."""
    wanted = sorted(set(connection_ids))
    if not wanted:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_lock_statement(len(wanted)), wanted)
        return {row[0] for row in cursor.fetchall()}


@lru_cache
def _lock_statement(count: int) -> str:
    """Plain, since it is part of every write: Django takes longer to build it than the database to run it."""
    places = ", ".join(["%s"] * count)
    rows = f"SELECT connection_id FROM sync_pollstate WHERE connection_id IN ({places})"  # noqa: S608
    for_update = " FOR UPDATE" if connection.features.has_select_for_update else ""
    return f"{rows} ORDER BY connection_id{for_update}"


def known(keys: Mapping[int, Sequence[int]]) -> dict[Key, Known]:
    """What we remember of these orders: {connection: order ids} -> {(connection, order): Known}."""
    found: dict[Key, Known] = {}
    for chunk in _chunks(keys):
        rows = SeenOrder.objects.filter(matching(SeenOrder, chunk)).values_list(
            "connection_id",
            "order_id",
            "write_date",
            "state",
            "content_hash",
            "version",
            "announced",
            "seeded",
            "hash_rules",
            "created_in_odoo",
            "held",
            "reread",
        )
        found |= {row[:2]: Known(*row[2:]) for row in rows}
    return found


def open_items(keys: Mapping[int, Sequence[int]]) -> dict[Key, int]:
    """The open retry item of each of these orders that has one."""
    mine = RetryItem.objects.open().filter(matching(RetryItem, keys)).order_by()
    rows = mine.values_list("connection_id", "order_id", "pk")
    return {(number, order): pk for number, order, pk in rows}


def first_due(connection_ids: Iterable[int]) -> dict[int, datetime]:
    """When the earliest waiting version of each of these connections is due; without one it is left out."""
    waiting = RetryItem.objects.pending().filter(connection__in=set(connection_ids))
    return dict(waiting.order_by().values_list("connection").annotate(at=Min("next_retry_at")))


def perhaps_announced(keys: Mapping[int, Sequence[int]]) -> set[Key]:
    """Those of these orders of which the receiver may have a version without our knowing.

    A try of them ended without an answer, or one of their versions was given up before any try of it was
    written down: whoever tried it may have died in the middle. Once a later one was sent, that one counts.
    """
    unanswered = DeliveryAttempt.objects.filter(matching(DeliveryAttempt, keys), error_code__in=UNANSWERED)
    given_up = RetryItem.objects.filter(
        matching(RetryItem, keys), status__in=GIVEN_UP, attempts=0, body__isnull=False
    )
    found: set[Key] = set()
    key = {name: OuterRef(name) for name in ("connection", "order_id")}
    settled = SentOrder.objects.filter(**key, version__gte=OuterRef("version"))
    for rows in (unanswered, given_up):
        unsure = rows.exclude(Exists(settled)).order_by()
        found |= set(unsure.values_list("connection_id", "order_id").distinct())
    return found


def wake_deliveries(connection_ids: Iterable[int], now: datetime) -> None:
    """Something may be due for these receivers: let the next tick look."""
    PollState.objects.filter(connection__in=set(connection_ids)).update(deliver_at=now)


def by_connection(keys: Iterable[Key]) -> dict[int, list[int]]:
    grouped: dict[int, list[int]] = {}
    for number, order in keys:
        grouped.setdefault(number, []).append(order)
    return grouped


def matching(model: type[Model], keys: Mapping[int, Sequence[int]]) -> RawSQL:
    """The rows of these orders of these connections; {} matches nothing.

    One condition for all: to build one for each connection takes Django longer than the database to answer.
    A join, because SQLite would walk through the whole table for a list of pairs.
    """
    pairs = [(number, order) for number, ids in keys.items() for order in ids]
    if not pairs:
        return RawSQL("1 = 0", (), output_field=BooleanField())
    condition = _MATCHING.format(table=model._meta.db_table, pairs=", ".join(["(%s, %s)"] * len(pairs)))
    return RawSQL(condition, list(chain.from_iterable(pairs)), output_field=BooleanField())  # noqa: S611


def _chunks(keys: Mapping[int, Sequence[int]]) -> Iterator[dict[int, Sequence[int]]]:
    chunk: dict[int, Sequence[int]] = {}
    size = 0
    for number, ids in keys.items():
        for start in range(0, len(ids), IDS_PER_QUERY):
            part = ids[start : start + IDS_PER_QUERY]
            if size + len(part) > IDS_PER_QUERY:
                yield chunk
                chunk, size = {}, 0
            chunk[number] = part
            size += len(part)
    if chunk:
        yield chunk
