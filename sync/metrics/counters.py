"""Counters for monitors: rows are added up before they age out, so that the sums only grow.

What happened since is added from the rows themselves, so the sums are right at any moment, whichever process
on whichever host is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import (
    Case,
    CharField,
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    QuerySet,
    Sum,
    Value,
    When,
)

from core.background.bulk import Table
from sync.models import DeliveryAttempt, LogKind, MonitorCount, MonitorMark, SentOrder, SyncLog

SETTLED = timedelta(seconds=30)  # ids are given before rows show: what is younger may get an elder brother
AT_ONCE = 100_000  # ids in one transaction, a second or two; the rest has its turn a minute later
BUCKETS = (1, 2, 5, 10, 30, 60, 120, 300, 900, 3600, 14_400, 86_400)  # seconds
LATER = "+Inf"
COUNTS = Table(
    MonitorCount,
    ("name", "connection_id", "label", "number", "total"),
    unique=("name", "connection_id", "label"),
    update=("number", "total"),
)

Key = tuple[str, int, str]  # name, connection, label
Sums = dict[Key, tuple[int, float]]  # how many, seconds in all


def _polls(rows: QuerySet[Any]) -> Sums:
    took = ExpressionWrapper(F("finished_at") - F("started_at"), output_field=DurationField())
    groups = rows.filter(kind=LogKind.POLL).values("connection", "error_code").order_by()
    sums: Sums = {}
    for row in groups.annotate(
        n=Count("pk"),
        took=Sum(took),
        found=Sum("orders_found"),
        sent=Sum("orders_sent"),
        failed=Sum("orders_failed"),
        skipped=Sum("orders_skipped"),
    ):
        connection = row["connection"]
        sums["polls", connection, row["error_code"] or "ok"] = (row["n"], row["took"].total_seconds())
        for kind in ("found", "sent", "failed", "skipped"):
            _add(sums, ("orders", connection, kind), (row[kind], 0.0))
    return sums


def _attempts(rows: QuerySet[Any]) -> Sums:
    groups = rows.values("connection", "delivered", "error_code").order_by()
    sums: Sums = {}
    for row in groups.annotate(n=Count("pk"), ms=Sum("duration_ms")):
        label = "delivered" if row["delivered"] else row["error_code"] or "unknown"
        _add(sums, ("attempts", row["connection"], label), (row["n"], row["ms"] / 1000))
    return sums


def _lags(rows: QuerySet[Any]) -> Sums:
    """From written in Odoo to delivered, of versions that the poller itself sent."""
    lag = ExpressionWrapper(F("sent_at") - F("write_date"), output_field=DurationField())
    own = rows.filter(seeded=False, replay=False, sent_at__isnull=False).exclude(event_id="")
    steps = [When(lag__lte=timedelta(seconds=s), then=Value(str(s))) for s in BUCKETS]
    bucket = Case(*steps, default=Value(LATER), output_field=CharField())
    groups = own.annotate(lag=lag).annotate(bucket=bucket).values("connection", "bucket").order_by()
    return {
        ("lag", row["connection"], row["bucket"]): (row["n"], row["all"].total_seconds())
        for row in groups.annotate(n=Count("pk"), all=Sum("lag"))
    }


SOURCES: dict[str, tuple[type[Any], str, Callable[[QuerySet[Any]], Sums]]] = {
    "synclog": (SyncLog, "finished_at", _polls),
    "attempt": (DeliveryAttempt, "started_at", _attempts),
    "sentorder": (SentOrder, "sent_at", _lags),
}


def count(now: datetime) -> int:
    """Add up what has settled since the last time; returns how many rows that were."""
    return sum(_count(name, now) for name in SOURCES)


@transaction.atomic
def _count(name: str, now: datetime) -> int:
    model, moment, sums_of = SOURCES[name]
    MonitorMark.objects.get_or_create(table=name)
    mark = MonitorMark.objects.select_for_update().get(table=name)
    last = _last_settled(model.objects.filter(pk__gt=mark.last_id), moment, now)
    if last is None:
        return 0
    settled = model.objects.filter(pk__gt=mark.last_id, pk__lte=last)
    _store(sums_of(settled))
    number = int(settled.count())
    mark.last_id = last
    mark.save()
    return number


def _last_settled(fresh: QuerySet[Any], moment: str, now: datetime) -> int | None:
    """The id up to which to count. Asked by id alone: an index of moments leads through the whole ledger."""
    first = fresh.order_by("pk").values_list("pk", flat=True).first()
    if first is None:
        return None
    settled = fresh.filter(**{f"{moment}__lte": now - SETTLED}).order_by("-pk").values_list("pk", flat=True)
    beyond = first + AT_ONCE
    # Rows without a moment (seeded ones) do not tell their age; a settled one after them does.
    return settled.filter(pk__lt=beyond).first() or (
        beyond - 1 if settled.filter(pk__gte=beyond).first() else None
    )


def sums(now: datetime) -> Sums:
    """Everything up to this moment."""
    found: Sums = {}
    for row in MonitorCount.objects.all():
        _add(found, (row.name, row.connection_id, row.label), (row.number, row.total))
    marks = dict(MonitorMark.objects.values_list("table", "last_id"))
    for name, (model, _, sums_of) in SOURCES.items():
        newest = model.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        # With both ends SQLite walks these ids; with one it walks a whole index for the sake of its order.
        fresh = model.objects.filter(pk__gt=marks.get(name, 0), pk__lte=newest)
        for key, values in sums_of(fresh).items():
            _add(found, key, values)
    return found


def _store(found: Sums) -> None:
    """In a few statements however many there are. The caller holds the mark: nobody else counts the same."""
    names = {name for name, _, _ in found}
    stored = MonitorCount.objects.filter(name__in=names).values_list(*COUNTS.columns)
    before = {(name, connection, label): values for name, connection, label, *values in stored}
    rows: list[tuple[Any, ...]] = []
    for key, (number, total) in found.items():
        if number or key not in before:
            number_before, total_before = before.get(key, (0, 0.0))
            rows.append((*key, number_before + number, total_before + total))
    COUNTS.insert(rows)


def _add(found: Sums, key: Key, values: tuple[int, float]) -> None:
    number, total = found.get(key, (0, 0.0))
    found[key] = (number + values[0], total + values[1])
