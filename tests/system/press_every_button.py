"""Press every button a hundred times, on a connection that hangs: python -m tests.system.press_every_button.

In a process of its own, as the web is, on the database of the poller that a test has started.
"""

import sys
from datetime import timedelta

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import reverse  # noqa: E402
from django.utils import timezone  # noqa: E402

from core.models import AlertChannel  # noqa: E402
from sync.models import PollState, RetryItem  # noqa: E402
from tests import factories  # noqa: E402
from tests.sync.admin.test_connection_test_page import typed  # noqa: E402

TIMES = 100
BUTTONS = ("test_one", "reconcile_one", "poll_one", "reset_circuit_one", "try")
ASKED = {"_form_submitted": "True", "days": "2", "reason": "because"}


def say(word):
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def connect(name, url, **values):
    account = {"database": "db", "username": "poller", "api_key": "key", "deliveries_at_once": 1}
    place = {"odoo_url": url, "webhook_url": f"{url}/hook", "external_id": name}
    return factories.connection(name=name, **account | place | values)


def hang(url):
    """One that is polled, and a hundred that people only ask things of; each has an order that is owed."""
    shops = [connect("hangs", url)] + [connect(f"off-{n}", f"{url}/{n}", enabled=False) for n in range(TIMES)]
    now = timezone.now()
    PollState.objects.create_missing(now)
    begun = {"window_to": now, "started_at": now, "deep_check_at": now, "reconcile_at": now}
    PollState.objects.filter(connection__in=shops).update(**begun)
    for number in range(TIMES):
        owe(shops[0], number, now)
        owe(shops[number + 1], number, now)
    factories.channel("hangs", target=f"{url}/slack")
    return shops


def owe(connection, number, now):
    item = factories.owed(connection, number=number, status="failed", created_at=now - timedelta(hours=1))
    factories.seen_as(item, seen_at=now)


def signed_in():
    """In a session without the messages of the last hundred presses."""
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(username="ana"))
    return client


def press(shops):
    client, hanging, items = signed_in(), shops[0], list(RetryItem.objects.filter(connection=shops[0]))
    channel = AlertChannel.objects.get()
    form = typed(hanging, api_key="key", webhook_secret=factories.SECRET)
    page = {name: reverse(f"admin:connections_connection_{name}", args=[hanging.pk]) for name in BUTTONS}
    alert = reverse("admin:core_alertchannel_test_alert_one", args=[channel.pk])
    for number, item in enumerate(items):
        client = signed_in() if number % 10 == 0 else client
        again = reverse("admin:sync_retryitem_resend_one", args=[item.pk])
        retry = reverse("admin:sync_retryitem_retry_one", args=[item.pk])
        for button in (page["test_one"], page["reconcile_one"], again):
            assert client.post(button, ASKED).status_code == 302, button
        assert client.post(page["try"], form).status_code == 200
        if number % 5 == 0:  # these cost nobody anything
            for button in (page["poll_one"], page["reset_circuit_one"], retry, alert):
                assert client.post(button, ASKED).status_code == 302, button


def press_for_all(shops):
    client = signed_in()
    chosen = [shop.pk for shop in shops[1:]]
    place = reverse("admin:connections_connection_changelist")
    for act in ("test", "reconcile", "poll"):
        data = {"action": act, "index": "0", "_selected_action": chosen, **ASKED}
        assert client.post(place, data).status_code == 302, act
    orders = list(RetryItem.objects.filter(connection__in=chosen).values_list("pk", flat=True))
    data = {"action": "resend", "index": "0", "_selected_action": orders, **ASKED}
    assert client.post(reverse("admin:sync_retryitem_changelist"), data).status_code == 302


def main(healthy, hook, database, login, key, hanging):
    values = {
        "database": database,
        "username": login,
        "api_key": key,
        "start": "all",
        "poll_interval_seconds": 5,
    }
    connect("healthy", healthy, webhook_url=hook, **values)
    shops = hang(hanging)
    say("connected")
    sys.stdin.readline()
    User.objects.create_superuser("ana")
    press(shops)
    press_for_all(shops)
    say("pressed")


if __name__ == "__main__":
    main(*sys.argv[1:])
