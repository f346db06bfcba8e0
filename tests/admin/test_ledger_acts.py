"""What the buttons of orders do: send again, retry now, discard."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse
from django.utils import timezone

from connections.errors import Temporary
from sync.admin import ledger_acts
from sync.models import PollState, RetryItem, SeenOrder, SentOrder, Status
from sync.resending import Busy, NoSuchOrder
from tests.admin.conftest import said

RIGHTS = {"retry": "sync.retry_item", "discard": "sync.discard_item", "resend": "sync.resend_order"}
VIEW = ("sync.view_retryitem", "sync.view_sentorder", "sync.view_seenorder")
ANSWER = {"_form_submitted": "True", "reason": "typed in by hand"}


@pytest.fixture
def resent(monkeypatch):
    """What was asked to be sent again, instead of asking Odoo; a connection's name there raises its error."""
    asked, errors = [], {}

    def resend(connection, *, order_ids):
        if connection.name in errors:
            raise errors[connection.name]
        asked.append((connection.name, order_ids))
        return []

    monkeypatch.setattr(ledger_acts, "resend", resend)
    asked_errors = type("Asked", (list,), {})(asked)
    asked_errors.calls, asked_errors.errors = asked, errors
    return asked_errors


def on_list(client, act, *rows, **asked):
    name = rows[0]._meta.model_name
    data = {"action": act, "index": "0", "_selected_action": [row.pk for row in rows], **asked}
    return client.post(reverse(f"admin:sync_{name}_changelist") + "?status=all", data, follow=True)


def on_page(client, act, row, **asked):
    address = reverse(f"admin:sync_{row._meta.model_name}_{act}_one", args=[row.pk])
    return client.post(address, {"_form_submitted": "True", **asked}, follow=True)


def entries():
    return list(LogEntry.objects.order_by("pk").values_list("object_repr", "change_message"))


def statuses():
    return list(RetryItem.objects.order_by("pk").values_list("status", flat=True))


def test_retry_now_makes_due_what_can_be_sent(staff, shop, owe):
    connection = shop()
    PollState.objects.update(deliver_at=None)
    failed = owe(connection, 1)
    waiting = owe(connection, 2, status=Status.PENDING, next_retry_at=timezone.now() + timedelta(hours=9))
    sent, aged = owe(connection, 3, status=Status.SENT), owe(connection, 4, body=None)

    response = on_list(staff(*VIEW, RIGHTS["retry"]), "retry", failed, waiting, sent, aged)
    assert statuses() == ["pending", "pending", "sent", "failed"]
    assert RetryItem.objects.due(timezone.now()).count() == 2
    assert PollState.objects.get().deliver_at <= timezone.now()
    assert "2 orders are tried again" in said(response) and "2 were left alone" in said(response)
    assert {name for name, _ in entries()} == {"S00001 v1", "S00002 v1"}


def test_discard_wants_a_reason_and_can_be_taken_back(staff, shop, owe):
    item = owe(shop())
    client = staff(*VIEW, RIGHTS["discard"], RIGHTS["retry"])
    assert "Say why" in on_page(client, "discard", item, reason="").content.decode()
    assert statuses() == ["failed"]

    response = on_page(client, "discard", item, reason="typed in by hand")
    item.refresh_from_db()
    assert (item.status, item.discarded_by, item.discard_reason) == (
        "discarded",
        "staff-0",
        "typed in by hand",
    )
    assert "1 order is given up." in said(response)
    assert "typed in by hand" in response.content.decode()

    on_page(client, "retry", item)
    assert statuses() == ["pending"]
    assert entries() == [
        ("S00001 v1", "Discard: typed in by hand (Needs a person → Discarded)"),
        ("S00001 v1", "Retry now (Discarded → Waiting)"),
    ]


def test_discarding_many_asks_first_and_leaves_what_is_closed(admin_client, shop, owe):
    connection = shop()
    items = [owe(connection, 1), owe(connection, 2), owe(connection, 3, status=Status.SENT)]
    asked = on_list(admin_client, "discard", *items).content.decode()
    assert "S00001 v1" in asked and "S00003 v1" in asked and 'name="reason"' in asked
    assert statuses() == ["failed", "failed", "sent"]

    response = on_list(admin_client, "discard", *items, **ANSWER)
    assert statuses() == ["discarded", "discarded", "sent"]
    assert "2 orders are given up." in said(response) and "1 was closed already." in said(response)


def test_discarding_across_pages_takes_what_the_filter_shows(admin_client, shop, owe):
    connection = shop()
    items = [owe(connection, number) for number in range(1, 61)]
    owe(connection, 99, status=Status.PENDING)
    data = {
        "action": "discard",
        "index": "0",
        "select_across": "1",
        "_selected_action": [items[0].pk],
        **ANSWER,
    }
    response = admin_client.post(
        reverse("admin:sync_retryitem_changelist") + "?status=failed", data, follow=True
    )
    assert "60 orders are given up." in said(response)
    assert statuses().count("discarded") == 60 and statuses()[-1] == "pending"
    assert LogEntry.objects.count() == 60


def test_resend_asks_once_per_connection(staff, shop, owe, resent):
    one, two = shop(name="one"), shop(name="two")
    items = [owe(one, 7), owe(one, 5), owe(two, 5)]
    client = staff(*VIEW, RIGHTS["resend"])
    assert "S00007" in on_list(client, "resend", *items).content.decode()
    assert not resent.calls

    response = on_list(client, "resend", *items, **ANSWER)
    assert sorted(resent.calls) == [("one", [5, 7]), ("two", [5])]
    assert "3 orders were read from Odoo" in said(response)
    assert len(entries()) == 3


@pytest.mark.parametrize("model", [SeenOrder, SentOrder, RetryItem])
def test_an_order_is_sent_again_from_each_of_its_pages(model, admin_client, fill, resent):
    fill(1)
    row = model.objects.get()
    response = on_page(admin_client, "resend", row)
    assert resent.calls == [(row.connection.name, [1])]
    assert "1 order was read from Odoo" in said(response)


PROBLEMS = [
    (Busy("busy"), "Odoo is being read just now"),
    (NoSuchOrder("Odoo no longer has the orders with ids 5"), "no longer has"),
    (ImproperlyConfigured("A stored secret cannot be read"), "cannot be read"),
    (Temporary("odoo_timeout", "secret detail"), "Nothing was sent again for “two”"),
]


@pytest.mark.parametrize(("error", "sentence"), PROBLEMS)
def test_what_could_not_be_sent_again_is_said(error, sentence, admin_client, shop, owe, resent):
    resent.errors["two"] = error
    items = [owe(shop(name="one"), 1), owe(shop(name="two"), 5)]
    response = on_list(admin_client, "resend", *items, **ANSWER)
    assert "1 order was read from Odoo" in said(response)
    assert sentence in said(response)
    assert len(entries()) == 1


@pytest.mark.parametrize("act", RIGHTS)
def test_nobody_acts_without_the_right(act, staff, shop, owe, resent):
    item = owe(shop())
    others = [*VIEW, *(set(RIGHTS.values()) - {RIGHTS[act]})]
    for rights in (others, [RIGHTS[act]]):
        client = staff(*rights)
        assert on_page(client, act, item, reason="x").status_code == 403
        on_list(client, act, item, **ANSWER)
    assert statuses() == ["failed"] and not entries() and not resent.calls


@pytest.mark.parametrize("act", RIGHTS)
def test_looking_changes_nothing(act, admin_client, shop, owe, resent):
    item = owe(shop())
    address = reverse(f"admin:sync_retryitem_{act}_one", args=[item.pk])
    assert admin_client.get(address, ANSWER).status_code == 200
    admin_client.get(reverse("admin:sync_retryitem_changelist"), {"action": act, "_selected_action": item.pk})
    assert statuses() == ["failed"] and not entries() and not resent.calls


def test_the_list_shows_what_is_open_unless_asked(admin_client, shop, owe):
    connection = shop()
    for number, status in enumerate(Status.values, start=1):
        owe(connection, number, status=status)
    shown = {}
    for choice in ("", "open", "all", *Status.values):
        response = admin_client.get(
            reverse("admin:sync_retryitem_changelist"), {"status": choice} if choice else {}
        )
        shown[choice] = {row.status for row in response.context["cl"].result_list}
    assert shown[""] == shown["open"] == {"pending", "failed"}
    assert shown["all"] == set(Status.values)
    assert all(shown[status] == {status} for status in Status.values)


@pytest.mark.parametrize("term", ["S00042", "s00042", "evt_1_42", "042", "42"])
def test_an_order_is_found_by_what_people_have(term, admin_client, make_connection, owe):
    connection = make_connection()
    owe(connection, 42, event_id="evt_1_42")
    owe(connection, 7, event_id="evt_1_7")
    response = admin_client.get(reverse("admin:sync_retryitem_changelist"), {"q": term})
    assert [row.order_id for row in response.context["cl"].result_list] == [42]


def test_the_payload_is_for_those_who_may_see_it(staff, shop, owe):
    item = owe(shop(), body='{"customer": "Íñigo <b>"}'.encode())
    address = reverse("admin:sync_retryitem_change", args=[item.pk])
    assert "Íñigo" not in staff(*VIEW).get(address).content.decode()
    shown = staff(*VIEW, "sync.view_payload").get(address).content.decode()
    assert "&quot;customer&quot;: &quot;Íñigo &lt;b&gt;&quot;" in shown


@pytest.mark.parametrize(
    ("body", "shown"), [(None, "aged out"), (b"\xff not json", "not json"), (b"[" * 9999, "[[[")]
)
def test_a_strange_payload_breaks_no_page(body, shown, admin_client, shop, owe):
    item = owe(shop(), body=body)
    assert shown in admin_client.get(reverse("admin:sync_retryitem_change", args=[item.pk])).content.decode()


def test_the_tries_stand_on_the_page_of_what_is_owed(admin_client, fill):
    fill(1)
    item = RetryItem.objects.get()
    html = admin_client.get(reverse("admin:sync_retryitem_change", args=[item.pk])).content.decode()
    assert html.count("422") >= 3
    assert reverse("admin:sync_deliveryattempt_changelist") in html


def test_what_is_from_before_the_start_says_so(admin_client, fill):
    fill(2)
    sent, seen = SentOrder.objects.last(), SeenOrder.objects.last()
    SentOrder.objects.filter(pk=sent.pk).update(seeded=True, sent_at=None)
    SeenOrder.objects.filter(pk=seen.pk).update(seeded=True)
    pages = {"sentorder": (sent, "how"), "seenorder": (seen, "seeded")}
    for name, (row, choice) in pages.items():
        place = reverse(f"admin:sync_{name}_changelist")
        shown = admin_client.get(place, {choice: "seeded" if choice == "how" else "yes"})
        assert list(shown.context["cl"].result_list) == [row]
        assert "before the start" in admin_client.get(place).content.decode()
