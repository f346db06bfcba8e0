"""What people do to what is owed: try again now, give up, and undo it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from sync.events.decide import BY_STAMP, CANCELLED
from sync.ledger.known import lock, wake_deliveries
from sync.models import RetryItem, SeenOrder, Status

RETRIABLE = (Status.PENDING, Status.FAILED, Status.DISCARDED)


@transaction.atomic
def retry_now(items: QuerySet[RetryItem], *, now: datetime) -> int:
    """Try these again at once, whatever stopped them; returns how many are waiting now.

    Pressing twice changes nothing more. A version that a newer one has followed is never sent again, nor the
    confirmation of an order that was cancelled since, nor what has aged out: `resend` reads orders afresh.
    """
    lock(items.values_list("connection_id", flat=True).distinct())
    newest = SeenOrder.objects.filter(
        connection=OuterRef("connection"), order_id=OuterRef("order_id"), version=OuterRef("version")
    )
    still_right = Exists(newest.exclude(state="cancel")) | Exists(newest) & Q(event=CANCELLED)
    chosen = items.filter(still_right, body__isnull=False, status__in=RETRIABLE)
    rows = dict(chosen.values_list("pk", "connection_id"))
    changed = RetryItem.objects.filter(pk__in=rows).update(
        status=Status.PENDING,
        next_retry_at=now,
        refusals=0,
        closed_at=None,
        discarded_by="",
        discard_reason="",
    )
    wake_deliveries(rows.values(), now)
    return changed


@transaction.atomic
def discard(items: QuerySet[RetryItem], *, by: str, reason: str, now: datetime) -> int:
    """Give up on these versions on a person's word; returns how many. `retry_now` undoes it."""
    lock(items.values_list("connection_id", flat=True).distinct())
    return items.filter(status__in=[Status.PENDING, Status.FAILED]).update(
        status=Status.DISCARDED, next_retry_at=None, closed_at=now, discarded_by=by, discard_reason=reason
    )


def know_by_stamp(connection_id: int) -> int:
    """Take what is read next of each order for what the receiver has, unless it was written since.

    Returns how many orders. What was never read is left out. The caller holds `lock`.
    """
    mine = SeenOrder.objects.filter(connection=connection_id, seeded=False)
    known = mine.exclude(state="cancel").exclude(content_hash__in=["", BY_STAMP])
    return known.update(content_hash=BY_STAMP)
