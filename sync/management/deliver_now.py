"""Deliver what a person just asked for, without waiting for the poller, and tell how each order fared."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from connections.causes import explain
from connections.leases import new_token
from connections.models import Connection
from sync.deliveries.dispatcher import deliver_due
from sync.management.connection_status import held_back
from sync.models import DeliveryAttempt, RetryItem, Status

WAIT_SECONDS = 60
PAUSE_SECONDS = 0.5


def send_now(
    connection: Connection,
    items: Sequence[RetryItem],
    *,
    clock: Callable[[], datetime] = timezone.now,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Serve the receiver until each of these versions was tried once, it is held back, or a minute is over.

    Where the poller serves this receiver at the moment, its tries count as well as ours.
    """
    ends_at = clock() + timedelta(seconds=WAIT_SECONDS)
    deliver_due(new_token(), [connection.pk], clock=clock)
    while _untried(items) and clock() < ends_at and not held_back(connection, clock()):
        sleep(PAUSE_SECONDS)
        deliver_due(new_token(), [connection.pk], clock=clock)


def _untried(items: Sequence[RetryItem]) -> bool:
    rows = RetryItem.objects.pending().filter(pk__in=[item.pk for item in items])
    return rows.filter(attempts=0).exists()


def results(items: Sequence[RetryItem]) -> list[dict[str, Any]]:
    """How these versions stand now, in the order they were given."""
    ids = [item.pk for item in items]
    rows = {item.pk: item for item in RetryItem.objects.filter(pk__in=ids).defer("body")}
    tries = DeliveryAttempt.objects.filter(item__in=ids).order_by("id")
    last = {attempt.item_id: attempt for attempt in tries}
    return [_result(rows[pk], last.get(pk)) for pk in ids if pk in rows]


def _result(item: RetryItem, attempt: DeliveryAttempt | None) -> dict[str, Any]:
    return {
        "retry_item": item.pk,
        "order_id": item.order_id,
        "order": item.order_name,
        "version": item.version,
        "event": item.event,
        "event_id": item.event_id,
        "status": item.status,
        "http_status": attempt.status if attempt else None,
        "error_code": item.error_code,
        "next_retry_at": item.next_retry_at,
        "result": _result_in_words(item, attempt),
    }


def _result_in_words(item: RetryItem, attempt: DeliveryAttempt | None) -> str:
    if item.status == Status.SENT:
        answer = f"HTTP {attempt.status}, {attempt.duration_ms} ms" if attempt else ""
        return pgettext("one order", "sent") + (f" ({answer})" if answer else "")
    if item.status == Status.PENDING and not item.error_code:
        return _("waiting for its turn")
    if item.error_code:
        return f"{item.get_status_display()}: {explain(item.error_code).title}"
    return str(item.get_status_display())
