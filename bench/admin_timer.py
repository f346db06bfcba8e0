"""Times the pages of the admin on the database that the environment names, as JSON. Run as a module."""

import json
import statistics
import sys
import time

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.models import Count  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext, override_settings  # noqa: E402
from django.urls import reverse  # noqa: E402

from sync.models import RetryItem, SeenOrder  # noqa: E402

ROUNDS = 7


def main() -> None:
    user, _ = User.objects.get_or_create(username="bench", is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(user)
    order = SeenOrder.objects.order_by("-pk").values("order_name").annotate(n=Count("pk"))[0]["order_name"]
    failed = RetryItem.objects.filter(status="failed").first()
    pages = {
        "home": reverse("admin:index"),
        "search: a name": reverse("admin:find") + f"?q={order.lower()}",
        "search: a reference": reverse("admin:find") + "?q=web-200",
        "search: an event": reverse("admin:find") + f"?q={failed.event_id}",
        "search: a connection": reverse("admin:find") + "?q=tienda 77",
        "search: nothing": reverse("admin:find") + "?q=zzz-nothing",
        "timeline": reverse("admin:sync_seenorder_change", args=[_seen(failed)]),
        "connections": reverse("admin:connections_connection_changelist"),
        "retry items": reverse("admin:sync_retryitem_changelist"),
        "sent orders": reverse("admin:sync_sentorder_changelist"),
        "attempts": reverse("admin:sync_deliveryattempt_changelist"),
        "recover": reverse("admin:sync_run_recover"),
    }
    figures = {}
    with override_settings(ALLOWED_HOSTS=["*"]):
        for name, address in pages.items():
            client.get(address, follow=True)
            seconds = []
            for _round in range(ROUNDS):
                began = time.perf_counter()
                response = client.get(address, follow=True)
                seconds.append(time.perf_counter() - began)
                assert response.status_code == 200, (name, response.status_code)
            with CaptureQueriesContext(connection) as made:
                client.get(address, follow=True)
            slowest = max(made.captured_queries, key=lambda query: float(query["time"]))
            figures[name] = {
                "median_ms": round(statistics.median(seconds) * 1000),
                "max_ms": round(max(seconds) * 1000),
                "queries": len(made),
                "slowest_ms": round(float(slowest["time"]) * 1000),
                "slowest": slowest["sql"][:900],
            }
    json.dump(figures, sys.stdout)


def _seen(item) -> int:
    return SeenOrder.objects.get(connection=item.connection_id, order_id=item.order_id).pk


if __name__ == "__main__":
    main()
