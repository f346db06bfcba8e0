"""What of the ledger ages out: tries, the bytes of what is closed, and the way of what was sent."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from sync.models import DeliveryAttempt, RetryItem, Status

CLOSED = (Status.SENT, Status.DISCARDED, Status.SUPERSEDED)


def tries_before(at: datetime) -> QuerySet[DeliveryAttempt]:
    return DeliveryAttempt.objects.filter(started_at__lt=at)


def bodies_before(at: datetime) -> QuerySet[RetryItem]:
    """Closed before then, and the bytes are still there."""
    return RetryItem.objects.filter(status__in=CLOSED, body__isnull=False, closed_at__lt=at)


def sent_items_before(at: datetime) -> QuerySet[RetryItem]:
    return RetryItem.objects.filter(status=Status.SENT, closed_at__lt=at)


def delete_tries(rows: QuerySet[DeliveryAttempt]) -> int:
    return rows.delete()[0]


def forget_bodies(rows: QuerySet[RetryItem]) -> int:
    return rows.update(body=None)


def delete_sent_items(rows: QuerySet[RetryItem]) -> int:
    """A sent version stays known by its sent order."""
    return rows.delete()[0]
