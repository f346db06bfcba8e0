"""The first page: what needs a person, who is how, how much is delivered and how fast."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from connections.models import CircuitState, Side, pause
from sync.metrics import hourly
from sync.models import DeliveredHour, PollState, Question, Status
from tests import factories

INDEX = reverse("admin:index")


@pytest.fixture
def sent(db):
    """A version that was delivered so many minutes ago, so many seconds after it was written."""
    made = 0

    def make(connection, minutes=1, after=30, **values):
        nonlocal made
        made += 1
        at = timezone.now() - timedelta(minutes=minutes)
        sane = {"order_id": made, "order_name": f"S{made}", "version": 1, "event": "order.confirmed"}
        sane |= {"event_id": f"evt_{made}", "content_hash": "h", "sent_at": at}
        sane["write_date"] = at - timedelta(seconds=after)
        return factories.sent(connection, **sane | values)

    return make


def problems(client):
    return client.get(INDEX).context["problems"]


def test_nothing_wrong_is_said_in_one_line(admin_client, shop):
    shop()
    html = admin_client.get(INDEX).content.decode()
    assert "Everything is all right" in html and "What needs a person" not in html


def test_what_needs_a_person_comes_with_the_next_step_and_a_link(admin_client, shop, owe):
    lugo, vigo = shop(name="Tienda Lugo"), shop(name="Tienda Vigo")
    for connection in (lugo, vigo):
        PollState.objects.filter(connection=connection).update(error_code="odoo_timeout")
    owe(lugo, 1), owe(lugo, 2), owe(vigo, 3, error_code="receiver_unprocessable")
    factories.circuit(shop(), Side.WEBHOOK, state=CircuitState.OPEN)
    factories.found(lugo, "odoo_clock_skew", since=timezone.now(), seen_at=timezone.now())
    found = problems(admin_client)
    assert [problem.label for problem in found] == [
        "Failing",
        "Circuit open",
        "2 orders",
        "1 order",
        "Finding",
    ]
    assert [name for __, name in found[0].places] == ["Tienda Lugo", "Tienda Vigo"]
    assert all(problem.what and problem.next_step for problem in found)
    [(address, word), *__] = found[2].links
    assert word == "Recover"
    assert "2 orders" in admin_client.get(address).content.decode()


def test_what_the_receiver_never_saw_is_one_problem_with_its_own_cause(admin_client, shop, owe):
    connection = shop()
    owe(connection, 1, error_code="odoo_unreadable_order", body=None)
    owe(connection, 2, error_code="receiver_refused")
    for code in ("odoo_unreadable_order", "items_need_a_person"):
        factories.found(connection, code, detail="1", since=timezone.now(), seen_at=timezone.now())
    found = {problem.what: problem.next_step for problem in problems(admin_client)}
    assert set(found) == {"An order could not be read", "The receiver refuses this order"}
    assert "Open the order in Odoo" in found["An order could not be read"]
    html = admin_client.get(reverse("admin:core_finding_changelist")).content.decode()
    assert "An order could not be read" in html and "refused orders five times" in html


def test_connections_are_counted_worst_first(admin_client, shop):
    shop(name="Well")
    PollState.objects.filter(connection=shop()).update(error_code="odoo_dns")
    pause([shop(name="Resting")], by="ana", reason="stocktaking", sides=(Side.WEBHOOK,))
    response = admin_client.get(INDEX)
    rows = [(str(row["label"]), row["count"]) for row in response.context["health"]["rows"]]
    assert rows == [("Failing", 1), ("Paused", 1), ("OK", 1)]
    [line] = response.context["pauses"]["rows"]
    assert (line["name"], line["by"], line["reason"]) == ("Resting", "ana", "stocktaking")


def test_lag_is_of_confirmations_since_the_start(shop, sent):
    connection, now = shop(), timezone.now()
    PollState.objects.update(started_at=now - timedelta(days=1))
    for after in (10, 20, 30, 400):
        sent(connection, after=after)
    sent(connection, after=90_000)  # from before the start
    sent(connection, after=9000, replay=True)
    sent(connection, after=9000, event="order.updated")
    assert hourly.lag(now) == hourly.Lag(4, 30.0, 400.0)
    assert hourly.lag(now + timedelta(days=2)) is None


def test_hours_are_counted_once_and_the_one_under_way_each_time(shop, sent):
    connection, now = shop(), timezone.now().replace(minute=30)
    for minutes in (0, 0, 60, 61, 24 * 60):
        sent(connection, sent_at=now - timedelta(minutes=minutes), write_date=now)
    before = hourly.per_hour(now)
    assert hourly.count_hours(now) == hourly.HOURS_SHOWN - 1
    assert hourly.count_hours(now) == 0
    assert hourly.per_hour(now) == before
    assert [n for __, n in before][-2:] == [2, 2] and sum(n for __, n in before) == 5
    assert DeliveredHour.objects.filter(delivered__gt=0).count() == 2


def test_the_oldest_undelivered_leads_to_its_story(admin_client, shop, owe):
    connection = shop()
    old = timezone.now() - timedelta(hours=3, minutes=5)
    item = owe(connection, 1, status=Status.PENDING, next_retry_at=old, created_at=old)
    card = next(card for card in admin_client.get(INDEX).context["cards"] if "Oldest" in card["title"])
    assert card["number"] == "3 h 5 min"
    story = admin_client.get(card["address"], follow=True)
    assert story.status_code == 200 and item.order_name in story.content.decode()


def test_charts_have_a_table_for_who_cannot_see_them(admin_client, shop, sent):
    sent(shop())
    html = admin_client.get(INDEX).content.decode()
    assert html.count("<svg viewBox") == 2 and html.count("The same as a table") == 2


def test_a_question_is_one_step_away(admin_client, shop):
    connection = shop()
    now = timezone.now()
    Question.objects.create(connection=connection, kind="disappeared", detail={"gone": 3}, asked_at=now)
    factories.found(connection, "question_disappeared", since=now, seen_at=now)
    html = admin_client.get(reverse("admin:index")).content.decode()
    assert "Implausibly many orders" in html
    assert html.count(reverse("admin:sync_question_changelist")) > 1  # besides the sidebar's
