"""What became of every try: attempts, what was sent, what waits, what needs a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F

from connections import faultpoints
from connections.receiver.backoff import MAX_REFUSALS, next_retry_at
from connections.receiver.delivery import Outcome, Verdict
from core.background.bulk import Row, Table
from sync.events import decide
from sync.ledger.known import by_connection, matching
from sync.models import DeliveryAttempt, RetryItem, SeenOrder, SentOrder, Status

SENT = Table(
    SentOrder,
    (
        "connection_id",
        "order_id",
        "order_name",
        "version",
        "event",
        "event_id",
        "write_date",
        "content_hash",
        "replay",
        "sent_at",
    ),
    unique=("connection_id", "order_id", "version"),
)
ATTEMPTS = Table(
    DeliveryAttempt,
    (
        "connection_id",
        "item_id",
        "order_id",
        "order_name",
        "version",
        "event_id",
        "number",
        "started_at",
        "duration_ms",
        "delivered",
        "status",
        "error_code",
        "error_detail",
        "answer",
    ),
)


@dataclass(frozen=True, slots=True)
class Tried:
    """One try of one owed version, and how it ended."""

    item: RetryItem
    outcome: Outcome


def record(tries: Sequence[Tried], now: datetime) -> None:
    """Write down every try: what was delivered is sent, the rest waits, or needs a person.

    The caller holds `lock` on the connections.
    """
    ATTEMPTS.insert(_attempt(tried) for tried in tries)
    delivered = [tried for tried in tries if tried.outcome.verdict is Verdict.DELIVERED]
    _record_delivered(delivered, now)
    faultpoints.at("flush", delivered)
    _record_undelivered([t for t in tries if t.outcome.verdict is not Verdict.DELIVERED], now)


def _record_delivered(tries: Sequence[Tried], now: datetime) -> None:
    if not tries:
        return
    items = [tried.item for tried in tries]
    RetryItem.objects.filter(pk__in=[item.pk for item in items]).update(
        status=Status.SENT,
        attempts=F("attempts") + 1,
        next_retry_at=None,
        error_code="",
        error_detail="",
        closed_at=now,
    )
    SENT.insert(_sent_row(item, now) for item in items)
    telling = sorted((i for i in items if i.event != decide.UPDATED), key=lambda i: i.version)
    last_announced = {(i.connection_id, i.order_id): decide.announced_by(i.event) for i in telling}
    for word in ("confirmed", "cancelled"):
        keys = by_connection(key for key, told in last_announced.items() if told == word)
        if keys:
            SeenOrder.objects.filter(matching(SeenOrder, keys)).update(announced=word)


def _record_undelivered(tries: Sequence[Tried], now: datetime) -> None:
    if not tries:
        return
    items = [_after_try(tried, now) for tried in tries]
    fields = ["status", "attempts", "refusals", "next_retry_at", "error_code", "error_detail"]
    # Only what still waits: a person may have discarded it, or a newer version replaced it, meanwhile.
    RetryItem.objects.pending().bulk_update(items, fields, batch_size=100)


def _after_try(tried: Tried, now: datetime) -> RetryItem:
    item, outcome = tried.item, tried.outcome
    item.attempts += 1
    item.error_code, item.error_detail = outcome.code, outcome.detail[:500]
    if outcome.verdict is Verdict.REFUSED:
        item.refusals += 1
    if item.refusals >= MAX_REFUSALS:
        item.status, item.next_retry_at = Status.FAILED, None
    else:
        item.next_retry_at = next_retry_at(item.attempts, now, retry_at=outcome.retry_at)
    return item


def _sent_row(item: RetryItem, now: datetime) -> Row:
    return (
        item.connection_id,
        item.order_id,
        item.order_name,
        item.version,
        item.event,
        item.event_id,
        item.write_date,
        item.content_hash,
        item.replay,
        now,
    )


def _attempt(tried: Tried) -> Row:
    item, outcome = tried.item, tried.outcome
    return (
        item.connection_id,
        item.pk,
        item.order_id,
        item.order_name,
        item.version,
        item.event_id,
        item.attempts + 1,
        outcome.started_at,
        outcome.duration_ms,
        outcome.verdict is Verdict.DELIVERED,
        outcome.status,
        outcome.code,
        outcome.detail[:500],
        outcome.answer,
    )


def release_held(connection_ids: Iterable[int], now: datetime) -> int:
    """A receiver works again: what its outage held up goes out without waiting for its next try."""
    held = RetryItem.objects.pending().filter(connection__in=set(connection_ids), refusals=0)
    return held.filter(next_retry_at__gt=now).update(next_retry_at=now)
