"""Rows that commands show and change, made with the few words a test cares about."""

from datetime import timedelta

from sync.models import DeliveryAttempt, PollState, RetryItem, SentOrder, SyncLog
from tests.conftest import NOON

CANARY_KEY = "canary-api-key-0123456789abcdef0123456789"
CANARY_SECRET = "whsec_Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5"


def version(connection, **values):
    number = values.pop("number", 1)
    sane = {
        "connection": connection,
        "order_id": 40 + number,
        "order_name": f"S{40 + number:05}",
        "version": 1,
        "event": "order.confirmed",
        "event_id": f"evt_{connection.pk}_{number}",
        "write_date": NOON - timedelta(hours=1),
        "content_hash": "h" * 64,
    }
    return sane | values


def owed(connection, **values):
    sane = {"body": b'{"order": 1}', "next_retry_at": NOON, "created_at": NOON}
    return RetryItem.objects.create(**version(connection, **(sane | values)))


def sent(connection, **values):
    return SentOrder.objects.create(**version(connection, **({"sent_at": NOON} | values)))


def tried(item, **values):
    sane = {
        "connection": item.connection,
        "item": item,
        "order_id": item.order_id,
        "order_name": item.order_name,
        "version": item.version,
        "event_id": item.event_id,
        "number": 1,
        "started_at": NOON,
        "duration_ms": 120,
        "delivered": False,
    }
    return DeliveryAttempt.objects.create(**(sane | values))


def logged(connection, **values):
    sane = {"connection": connection, "started_at": NOON, "finished_at": NOON + timedelta(seconds=2)}
    return SyncLog.objects.create(**(sane | values))


def polled(connection, **values):
    sane = {"next_poll_at": NOON, "last_polled_at": NOON, "last_success_at": NOON}
    return PollState.objects.create(connection=connection, **(sane | values))
