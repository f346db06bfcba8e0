"""What is known of orders, and the lock under which it changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_

from django.db.models import Min, Q

from connections.models import Connection
from sync import payload
from sync.deciding import Known
from sync.models import DeliveryAttempt, PollState, RetryItem, SeenOrder
from sync.orders import Change, Order

Key = tuple[int, int]  # connection, order

# What a try may end with after the receiver took it.
UNANSWERED = ("receiver_timeout", "receiver_disconnected", "receiver_broken_answer")
IDS_PER_QUERY = 5000  # SQLite takes 32,766 values in one statement


@dataclass(frozen=True, slots=True)
class Found:
    """One order as just read, ready to be compared: its content as published, and the hash of it.

    `content` is None where the order could not be read; `problem` says why. `settled`: its stamp's second was
    over when it was read, so that whatever is written to it later gets another stamp.
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

    @property
    def key(self) -> Key:
        return (self.connection.pk, self.order_id)

    @classmethod
    def of(
        cls,
        connection: Connection,
        order: Order,
        *,
        sure_until: datetime | None = None,
        before_start: bool = False,
        replay: bool = False,
    ) -> Found:
        content = payload.content(order, database=connection.database)
        return cls(
            connection=connection,
            order_id=order.order_id,
            name=order.name[:100],
            reference=order.client_order_ref[:200],
            state=order.state,
            write_date=order.write_date,
            content=content,
            content_hash=payload.content_hash(content),
            before_start=before_start,
            replay=replay,
            settled=sure_until is None or order.write_date <= sure_until,
        )

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
        )


def lock(connection_ids: Iterable[int]) -> set[int]:
    """Take turns on these connections until the transaction ends; returns those that still exist."""
    rows = PollState.objects.filter(connection__in=set(connection_ids)).order_by("connection")
    return set(rows.select_for_update().values_list("connection", flat=True))


def known(keys: Mapping[int, Sequence[int]]) -> dict[Key, Known]:
    """What we remember of these orders: {connection: order ids} -> {(connection, order): Known}."""
    found: dict[Key, Known] = {}
    for chunk in _chunks(keys):
        rows = SeenOrder.objects.filter(matching(chunk)).values_list(
            "connection_id",
            "order_id",
            "write_date",
            "state",
            "content_hash",
            "version",
            "announced",
            "seeded",
        )
        found |= {row[:2]: Known(*row[2:]) for row in rows}
    return found


def open_items(keys: Mapping[int, Sequence[int]]) -> dict[Key, int]:
    """The open retry item of each of these orders that has one."""
    rows = RetryItem.objects.open().filter(matching(keys)).values_list("connection_id", "order_id", "pk")
    return {(connection, order): pk for connection, order, pk in rows}


def first_due(connection_ids: Iterable[int]) -> dict[int, datetime]:
    """When the earliest waiting version of each of these connections is due; without one it is left out."""
    waiting = RetryItem.objects.pending().filter(connection__in=set(connection_ids))
    return dict(waiting.order_by().values_list("connection").annotate(at=Min("next_retry_at")))


def perhaps_told(keys: Mapping[int, Sequence[int]]) -> set[Key]:
    """Those of these orders of which a try ended without an answer: the receiver may have it all the same."""
    unanswered = DeliveryAttempt.objects.filter(matching(keys), error_code__in=UNANSWERED)
    return set(unanswered.values_list("connection_id", "order_id").distinct())


def wake_deliveries(connection_ids: Iterable[int], now: datetime) -> None:
    """Something may be due for these receivers: let the next tick look."""
    PollState.objects.filter(connection__in=set(connection_ids)).update(deliver_at=now)


def by_connection(keys: Iterable[Key]) -> dict[int, list[int]]:
    grouped: dict[int, list[int]] = {}
    for connection, order in keys:
        grouped.setdefault(connection, []).append(order)
    return grouped


def matching(keys: Mapping[int, Sequence[int]]) -> Q:
    """The rows of these orders of these connections; {} matches nothing."""
    places = [Q(connection=c, order_id__in=list(ids)) for c, ids in keys.items() if ids]
    return reduce(or_, places) if places else Q(pk__in=[])


def _chunks(keys: Mapping[int, Sequence[int]]) -> Iterator[dict[int, Sequence[int]]]:
    chunk: dict[int, Sequence[int]] = {}
    size = 0
    for connection, ids in keys.items():
        for start in range(0, len(ids), IDS_PER_QUERY):
            part = ids[start : start + IDS_PER_QUERY]
            if size + len(part) > IDS_PER_QUERY:
                yield chunk
                chunk, size = {}, 0
            chunk[connection] = part
            size += len(part)
    if chunk:
        yield chunk
