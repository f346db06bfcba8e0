"""An outage of so many orders, and a run that recovers it; its id is printed. Run as a module."""

import sys

import django

django.setup()

from django.utils import timezone  # noqa: E402

from connections.models import Connection, pause  # noqa: E402
from sync.models import PollState, RetryItem, RunKind, SeenOrder, Status  # noqa: E402
from sync.repair import recovery  # noqa: E402

SHOPS = 20


def main(count: int) -> None:
    now = timezone.now()
    shops = [_shop(number) for number in range(SHOPS)]
    PollState.objects.create_missing(now)
    pause(shops, by="bench", reason="nobody listens")  # what is recovered stays where it can be counted
    seen, items = [], []
    for number in range(count):
        version = {
            "connection": shops[number % SHOPS],
            "order_id": number + 1,
            "order_name": f"S{number + 1:05d}",
            "version": 1,
            "write_date": now,
            "content_hash": "h",
        }
        seen.append(SeenOrder(**version, state="sale", seen_at=now))
        event = {"event": "order.confirmed", "event_id": f"evt_{number}", "body": b"{}"}
        items.append(
            RetryItem(**version, **event, status=Status.FAILED, error_code="receiver_refused", created_at=now)
        )
    SeenOrder.objects.bulk_create(seen, batch_size=2000)
    RetryItem.objects.bulk_create(items, batch_size=2000)
    rows = recovery.Choice(kind=RunKind.RETRY).rows()
    print(recovery.start(rows, kind=RunKind.RETRY, token="bench", by="bench", now=now).pk)


def _shop(number: int) -> Connection:
    return Connection.objects.create(
        name=f"Shop {number}",
        external_id=f"shop-{number}",
        odoo_url="http://127.0.0.1:9",
        database=f"shop{number}",
        username="poller@example.com",
        api_key="0123456789abcdef",
        webhook_url="http://127.0.0.1:9/in",
        webhook_secret="whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
