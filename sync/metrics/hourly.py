"""How much is delivered and how fast: from hours counted once and from short stretches of an index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Count, F
from django.db.models.functions import TruncHour

from sync.events.decide import CONFIRMED
from sync.models import DeliveredHour, RetryItem, SentOrder

HOUR = timedelta(hours=1)
HOURS_SHOWN = 7 * 24
SETTLED = timedelta(minutes=5)  # after an hour's end nothing more is written into it
LAG_LOOKS_BACK = timedelta(hours=24)
LAG_SAMPLE = 2000  # newest deliveries


@dataclass(frozen=True, slots=True)
class Lag:
    """From written in Odoo to delivered, in seconds, of the newest `orders` confirmations."""

    orders: int
    median: float
    p95: float


def hour_of(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def count_hours(now: datetime) -> int:
    """Count the hours of the last week that are over and were not counted; returns how many."""
    hours = [hour for hour in _week(now) if hour + HOUR + SETTLED <= now]
    known = set(DeliveredHour.objects.filter(hour__in=hours).values_list("hour", flat=True))
    rows = [DeliveredHour(hour=hour, delivered=_delivered(hour)) for hour in hours if hour not in known]
    DeliveredHour.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def per_hour(now: datetime) -> list[tuple[datetime, int]]:
    """Deliveries of each hour of the last week, oldest first, the hour under way last."""
    hours = _week(now)
    counted = dict(DeliveredHour.objects.filter(hour__gte=hours[0]).values_list("hour", "delivered"))
    rest = next((hour for hour in hours if hour not in counted), hours[-1])
    late = SentOrder.objects.filter(sent_at__gte=rest).order_by()
    hourly = late.annotate(hour=TruncHour("sent_at", tzinfo=UTC)).values_list("hour")
    counted |= dict(hourly.annotate(n=Count("pk")))
    return [(hour, counted.get(hour, 0)) for hour in hours]


def lag(now: datetime) -> Lag | None:
    """Of orders confirmed since their connection began; None when nothing was delivered lately."""
    newest = SentOrder.objects.filter(
        sent_at__gte=now - LAG_LOOKS_BACK,
        event=CONFIRMED,
        replay=False,
        connection__poll_state__started_at__lte=F("write_date"),
    )
    rows = newest.order_by("-sent_at").values_list("write_date", "sent_at")[:LAG_SAMPLE]
    seconds = sorted(max(0.0, (sent - written).total_seconds()) for written, sent in rows if sent)
    return Lag(len(seconds), _share(seconds, 0.5), _share(seconds, 0.95)) if seconds else None


def oldest_undelivered() -> RetryItem | None:
    """Of what is sent by itself; what needs a person is another matter."""
    waiting = RetryItem.objects.pending().order_by("id").select_related("connection")
    shown = ("order_name", "order_id", "created_at", "next_retry_at", "connection__name")
    return waiting.only(*shown).first()


def _week(now: datetime) -> list[datetime]:
    last = hour_of(now)
    return [last - HOUR * n for n in range(HOURS_SHOWN - 1, -1, -1)]


def _delivered(hour: datetime) -> int:
    return SentOrder.objects.filter(sent_at__gte=hour, sent_at__lt=hour + HOUR).order_by().count()


def _share(ordered: Sequence[float], share: float) -> float:
    """The value below which this share of them lies."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def sent_since(connection_id: int, since: datetime) -> int:
    """How many orders of a connection went out since then."""
    return SentOrder.objects.filter(connection=connection_id, sent_at__gte=since).count()
