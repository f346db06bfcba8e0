"""From what was read to what is owed: new versions, seeds, and what a newer version replaces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from connections.models import Connection
from sync import deciding, payload
from sync.deciding import Known, Plan
from sync.ledger.facts import Found, by_connection, known, open_items, perhaps_told, wake_deliveries
from sync.models import RetryItem, SeenOrder, SentOrder, Status
from sync.orders import Change

SEEN_FIELDS = (
    "order_name",
    "reference",
    "state",
    "write_date",
    "content_hash",
    "version",
    "announced",
    "seeded",
    "seen_at",
)


@dataclass(slots=True)
class _Entry:
    """What one batch writes."""

    seen: list[SeenOrder] = field(default_factory=list)
    seeds: list[SentOrder] = field(default_factory=list)
    items: list[RetryItem] = field(default_factory=list)
    superseded: list[int] = field(default_factory=list)


def owe(batch: Sequence[Found], now: datetime) -> list[RetryItem]:
    """Record what was read; returns the versions that are owed from now on, in the order they were given.

    The caller holds `lock` on the connections.
    """
    if not batch:
        return []
    keys = by_connection(found.key for found in batch)
    remembered, owed = known(keys), open_items(keys)
    ended = by_connection(found.key for found in batch if found.state == "cancel")
    perhaps = perhaps_told(ended) if ended else set()
    entry = _Entry()
    for found in batch:
        before, item = remembered.get(found.key), owed.get(found.key)
        _enter(entry, found, before, item, perhaps_told=found.key in perhaps, now=now)
    _write(entry, now)
    return entry.items


def note(connection: Connection, changes: Iterable[Change], now: datetime) -> None:
    """Remember the new stamps of orders that are known from before the start; nothing is sent."""
    rows = [
        SeenOrder(
            connection=connection,
            order_id=change.order_id,
            state=change.state,
            write_date=change.write_date,
            seen_at=now,
        )
        for change in changes
    ]
    _upsert_seen(rows, ("state", "write_date", "seen_at"))


def seed(batch: Sequence[Found], now: datetime) -> None:
    """Register orders from before the start, so that a person can choose to send them."""
    remembered = known(by_connection(found.key for found in batch))
    fresh = [found for found in batch if found.key not in remembered]
    _upsert_seen([_seen(found, Plan(seed=True), 1, now) for found in fresh], SEEN_FIELDS)
    SentOrder.objects.bulk_create([_seed(found) for found in fresh])


def _enter(
    entry: _Entry,
    found: Found,
    before: Known | None,
    open_item: int | None,
    *,
    perhaps_told: bool,
    now: datetime,
) -> None:
    if found.content is None and before is not None and before.write_date == found.write_date:
        return  # as unreadable as when we saw it last
    plan = deciding.plan(
        before,
        cancelled=found.state == "cancel",
        content_hash=found.content_hash,
        owed=open_item is not None,
        perhaps_told=perhaps_told,
        wanted=found.connection.events,
        before_start=found.before_start,
        replay=found.replay,
    )
    if plan is deciding.IGNORE:
        return
    if plan.supersede and open_item is not None:
        entry.superseded.append(open_item)
    version = _version(before, plan)
    entry.seen.append(_seen(found, plan, version, now))
    if plan.event:
        entry.items.append(_item(found, plan.event, version, now))
    elif plan.seed and before is None:
        entry.seeds.append(_seed(found))


def _version(before: Known | None, plan: Plan) -> int:
    last = before.version if before else 0
    return last + 1 if plan.event or (plan.seed and before is None) else last


def _seen(found: Found, plan: Plan, version: int, now: datetime) -> SeenOrder:
    return SeenOrder(
        connection=found.connection,
        order_id=found.order_id,
        order_name=found.name,
        reference=found.reference,
        state=found.state,
        # Odoo's stamps are whole seconds. One with a microsecond on top equals none of them: read it again.
        write_date=found.write_date if found.settled else found.write_date.replace(microsecond=1),
        content_hash=found.content_hash,
        version=version,
        announced=plan.announced,
        seeded=plan.seed,
        seen_at=now,
    )


def _item(found: Found, event: str, version: int, now: datetime) -> RetryItem:
    item = RetryItem(
        connection=found.connection,
        order_id=found.order_id,
        order_name=found.name,
        version=version,
        event=event,
        event_id=payload.event_id(),
        write_date=found.write_date,
        content_hash=found.content_hash,
        replay=found.replay,
        next_retry_at=now,
        created_at=now,
    )
    if found.content is None:
        item.status, item.next_retry_at = Status.FAILED, None
        item.error_code, item.error_detail = "odoo_unreadable_order", found.problem[:500]
        return item
    item.body = payload.event_body(
        found.content,
        connection_external_id=found.connection.external_id,
        database=found.connection.database,
        event=event,
        event_id=item.event_id,
        version=version,
        replay=found.replay,
        order_id=found.order_id,
        occurred_at=found.write_date,
    )
    return item


def _seed(found: Found) -> SentOrder:
    return SentOrder(
        connection=found.connection,
        order_id=found.order_id,
        order_name=found.name,
        version=1,
        event=deciding.CONFIRMED,
        event_id="",
        write_date=found.write_date,
        content_hash=found.content_hash,
        seeded=True,
    )


def _write(entry: _Entry, now: datetime) -> None:
    if entry.superseded:
        replaced = RetryItem.objects.open().filter(pk__in=entry.superseded)
        replaced.update(status=Status.SUPERSEDED, next_retry_at=None, closed_at=now)
    _upsert_seen(entry.seen, SEEN_FIELDS)
    SentOrder.objects.bulk_create(entry.seeds)
    RetryItem.objects.bulk_create(entry.items)
    if entry.items:
        wake_deliveries((item.connection_id for item in entry.items), now)


def _upsert_seen(rows: list[SeenOrder], fields: Sequence[str]) -> None:
    SeenOrder.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["connection", "order_id"], update_fields=fields
    )
