"""From what was read to what is owed: new versions, seeds, and what a newer version replaces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from connections import faultpoints
from connections.models import Connection
from core.background.bulk import Row, Table
from sync.events import decide, payload
from sync.events.decide import Known, Plan
from sync.ledger.known import Found, Key, by_connection, known, open_items, perhaps_announced, wake_deliveries
from sync.ledger.last_versions import endings
from sync.models import PollState, RetryItem, SeenOrder, SentOrder, Status
from sync.orders import Change

_STAMPED = ("state", "write_date", "seen_at")
_SEEN = (
    *_STAMPED,
    "order_name",
    "reference",
    "content_hash",
    "hash_rules",
    "version",
    "announced",
    "seeded",
    "created_in_odoo",
    "company_id",
    "held",
    "reread",
    "notes",
)
_KEY = ("connection_id", "order_id")
_VERSION = ("order_name", "version", "event", "event_id", "write_date", "content_hash")

SEEN = Table(SeenOrder, (*_KEY, *_SEEN), unique=_KEY, update=_SEEN)
STAMPS = Table(SeenOrder, (*_KEY, *_STAMPED), unique=_KEY, update=_STAMPED)
SEEDS = Table(SentOrder, (*_KEY, *_VERSION, "seeded"))
ITEMS = Table(
    RetryItem,
    (
        *_KEY,
        *_VERSION,
        "replay",
        "body",
        "status",
        "next_retry_at",
        "error_code",
        "error_detail",
        "created_at",
    ),
)


@dataclass(slots=True)
class _Entry:
    """What one batch writes."""

    seen: list[Row] = field(default_factory=list)
    seeds: list[Row] = field(default_factory=list)
    items: list[RetryItem] = field(default_factory=list)
    superseded: list[int] = field(default_factory=list)
    rereads: set[int] = field(default_factory=set)  # connections


def owe(batch: Sequence[Found], now: datetime) -> list[RetryItem]:
    """Record what was read; returns the versions that are owed from now on, in the order they were given.

    The caller holds `lock` on the connections.
    """
    if not batch:
        return []
    keys = by_connection(found.key for found in batch)
    remembered, owed = known(keys), open_items(keys)
    replaced = [found for found in batch if _is_another(found, remembered.get(found.key))]
    ended = by_connection(found.key for found in batch if found.state == "cancel" or found in replaced)
    perhaps = perhaps_announced(ended) if ended else set()
    ends = _endings(replaced, now) if replaced else {}
    entry = _Entry()
    for found in batch:
        before, item = remembered.get(found.key), owed.get(found.key)
        told = found.key in perhaps
        if found.key in ends and before is not None:
            before, item, waits = _end(entry, ends[found.key], before, item, perhaps_announced=told, now=now)
            if waits:
                continue
            told = False
        _enter(entry, found, before, item, perhaps_announced=told, now=now)
    _write(entry, now)
    return entry.items


def _is_another(found: Found, before: Known | None) -> bool:
    return before is not None and before.is_another(found.created_at)


def _endings(replaced: Sequence[Found], now: datetime) -> dict[Key, Found]:
    connections = {found.connection.pk: found.connection for found in replaced}
    return endings((found.key for found in replaced), connections, now)


def _end(
    entry: _Entry,
    ending: Found,
    before: Known,
    open_item: int | None,
    *,
    perhaps_announced: bool,
    now: datetime,
) -> tuple[Known, int | None, bool]:
    """The number of an order was given to another: end the old one, then the new one begins.

    Returns what is known of the number after that, what still waits of it, and whether the new order has to
    wait: the receiver must hear of the end first, so that versions of one id never cross.
    """
    if before.cancelled:  # a check or a poll has found its end before the number was given again
        waits = open_item is not None and RetryItem.objects.pending().filter(pk=open_item).exists()
        if waits and not before.reread:
            _wait(entry, ending, Plan(announced=before.announced), before.version, now)
        return replace(before, content_hash=""), open_item, waits
    plan = decide.plan(
        before,
        cancelled=True,
        content_hash=ending.content_hash,
        owed=open_item is not None,
        perhaps_announced=perhaps_announced,
        wanted=ending.connection.events,
    )
    if plan.supersede and open_item is not None:
        entry.superseded.append(open_item)
        open_item = None
    version = _version(before, plan)
    if plan.event:
        entry.items.append(_retry_item(ending, plan.event, version, now))
        _wait(entry, ending, plan, version, now)
    after = replace(before, state="cancel", content_hash="", announced=plan.announced, version=version)
    return after, open_item, bool(plan.event)


def _wait(entry: _Entry, ending: Found, plan: Plan, version: int, now: datetime) -> None:
    """Read the order that has the number now once the receiver knows of the end of the one before."""
    entry.seen.append(_seen(ending, plan, version, now, reread=True))
    entry.rereads.add(ending.connection.pk)


def note(connection: Connection, changes: Iterable[Change], now: datetime) -> None:
    """Remember the new stamps of orders that are known from before the start; nothing is sent."""
    STAMPS.insert(
        (connection.pk, change.order_id, change.state, change.write_date, now) for change in changes
    )


def seed(batch: Sequence[Found], now: datetime) -> None:
    """Register orders from before the start, so that a person can choose to send them."""
    remembered = known(by_connection(found.key for found in batch))
    fresh = [found for found in batch if found.key not in remembered]
    SEEN.insert(_seen(found, Plan(seed=True), 1, now) for found in fresh)
    faultpoints.at("owing", fresh)
    SEEDS.insert(_seed(found) for found in fresh)


def _enter(
    entry: _Entry,
    found: Found,
    before: Known | None,
    open_item: int | None,
    *,
    perhaps_announced: bool,
    now: datetime,
) -> None:
    if found.content is None and before is not None and before.write_date == found.write_date:
        return  # as unreadable as when we saw it last
    if (found.held and before is None) or (before is not None and before.held and not found.replay):
        entry.seen.append(_held(found, before, now))
        return
    cancelled = found.state == "cancel"
    if before is not None:
        before = found.restated(before)
        before = decide.recognised(
            before, write_date=found.write_date, cancelled=cancelled, content_hash=found.content_hash
        )
    plan = decide.plan(
        before,
        cancelled=cancelled,
        content_hash=found.content_hash,
        owed=open_item is not None,
        perhaps_announced=perhaps_announced,
        wanted=found.connection.events,
        before_start=found.before_start,
        replay=found.replay,
        taken_over=found.taken_over,
    )
    if plan is decide.IGNORE:
        return
    if plan.supersede and open_item is not None:
        entry.superseded.append(open_item)
    version = _version(before, plan)
    entry.seen.append(_seen(found, plan, version, now))
    if plan.event:
        entry.items.append(_retry_item(found, plan.event, version, now))
    elif (plan.seed or plan.imported) and before is None:
        entry.seeds.append(_seed(found, seeded=plan.seed))


def _version(before: Known | None, plan: Plan) -> int:
    last = before.version if before else 0
    return last + 1 if plan.event or ((plan.seed or plan.imported) and before is None) else last


def _held(found: Found, before: Known | None, now: datetime) -> Row:
    """Known, and nothing made of it: without a hash it differs from whatever is read once it may be sent."""
    empty = replace(found, content_hash="")
    return _seen(empty, Plan(), before.version if before else 0, now, held=found.state != "cancel")


def _seen(
    found: Found, plan: Plan, version: int, now: datetime, *, held: bool = False, reread: bool = False
) -> Row:
    # Odoo's stamps are whole seconds. One with a microsecond on top equals none of them: read it again.
    stamp = found.write_date if found.settled else found.write_date.replace(microsecond=1)
    return (
        found.connection.pk,
        found.order_id,
        found.state,
        stamp,
        now,
        found.name,
        found.reference,
        found.content_hash,
        payload.newest_rules(),
        version,
        plan.announced,
        plan.seed,
        found.created_at,
        found.company_id,
        held,
        reread,
        "\n".join(found.notes),
    )


def _retry_item(found: Found, event: str, version: int, now: datetime) -> RetryItem:
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
        database=found.connection.database_in_ids,
        event=event,
        event_id=item.event_id,
        version=version,
        replay=found.replay,
        order_id=found.order_id,
        occurred_at=found.write_date,
    )
    return item


def _seed(found: Found, *, seeded: bool = True) -> Row:
    """Not sent by us: known from before the start, or else delivered by another poller."""
    event = decide.CONFIRMED
    version = (found.name, 1, event, "", found.write_date, found.content_hash)
    return (found.connection.pk, found.order_id, *version, seeded)


def _write(entry: _Entry, now: datetime) -> None:
    if entry.superseded:
        replaced = RetryItem.objects.open().filter(pk__in=entry.superseded)
        replaced.update(status=Status.SUPERSEDED, next_retry_at=None, closed_at=now)
    SEEN.insert(entry.seen)
    faultpoints.at("owing", entry.seen)
    SEEDS.insert(entry.seeds)
    for item, pk in zip(entry.items, ITEMS.insert_objects(entry.items), strict=True):
        item.pk = pk
        item._state.adding = False
    if entry.rereads:
        PollState.objects.filter(connection__in=entry.rereads).update(has_rereads=True)
    if entry.items:
        wake_deliveries((item.connection_id for item in entry.items), now)
