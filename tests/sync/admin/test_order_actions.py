"""What the buttons of orders do: send again, retry now, discard."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from core.admin.base import page
from core.background.heartbeat import Heartbeat
from sync.models import PollState, RetryItem, Run, RunRow, SeenOrder, SentOrder, Status
from tests.core.admin.conftest import said

RIGHTS = {"retry": "sync.retry_item", "discard": "sync.discard_item", "resend": "sync.resend_order"}
VIEW = ("sync.view_retryitem", "sync.view_sentorder", "sync.view_seenorder")
ANSWER = {"_form_submitted": "True", "reason": "typed in by hand"}


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


def being_sent_again():
    rows = RunRow.objects.filter(run__kind="resend", state="waiting").order_by("pk")
    return list(rows.values_list("connection__name", "order_id"))


def test_send_again_becomes_a_run_however_few_they_are(staff, shop, owe):
    one, two = shop(name="one"), shop(name="two")
    items = [owe(one, 7), owe(one, 5), owe(two, 5)]
    client = staff(*VIEW, RIGHTS["resend"])
    assert "S00007" in on_list(client, "resend", *items).content.decode()
    assert not Run.objects.exists()

    response = on_list(client, "resend", *items, **ANSWER)
    run = Run.objects.get()
    assert being_sent_again() == [("one", 7), ("one", 5), ("two", 5)]
    assert "3 orders are read from Odoo and sent again in the background." in said(response)
    assert page(run) in said(response) and (run.kind, run.asked_by) == ("resend", "staff-0")
    assert sorted(name for name, _ in entries()) == ["S00005 v1", "S00005 v1", "S00007 v1", "Send again: 3"]


@pytest.mark.parametrize("model", [SeenOrder, SentOrder, RetryItem])
def test_an_order_is_sent_again_from_each_of_its_pages(model, admin_client, fill):
    fill(1)
    row = model.objects.get()
    response = on_page(admin_client, "resend", row)
    assert being_sent_again() == [(row.connection.name, 1)]
    assert "1 order is read from Odoo" in said(response)


def test_a_hundred_presses_send_again_once(admin_client, shop, owe):
    connection = shop()
    item, other = owe(connection, 1), owe(connection, 2)
    press = reverse("admin:sync_retryitem_resend_one", args=[item.pk])
    for _ in range(99):
        admin_client.post(press, {"_form_submitted": "True"})
    response = on_page(admin_client, "resend", item)
    assert "This is under way already: admin asked for it" in said(response)
    assert Run.objects.count() == 1 and len(being_sent_again()) == 1
    response = on_list(admin_client, "resend", item, other, **ANSWER)
    assert "1 order is read from Odoo" in said(response)
    assert "1 order is being sent again already." in said(response)
    assert [order for _, order in being_sent_again()] == [1, 2]


def test_an_order_is_joined_whatever_version_was_chosen(admin_client, fill):
    fill(1)
    on_page(admin_client, "resend", RetryItem.objects.get())
    response = on_page(admin_client, "resend", SentOrder.objects.get())  # its version 2
    assert "under way already" in said(response) and len(being_sent_again()) == 1


def test_one_that_was_stopped_does_not_keep_an_order(admin_client, shop, owe):
    item = owe(shop())
    on_page(admin_client, "resend", item)
    Run.objects.update(wish="cancel")
    on_page(admin_client, "resend", item)
    assert Run.objects.count() == 2


def test_what_waits_for_a_poller_says_so_while_none_is_running(admin_client, shop, owe):
    item, waits = owe(shop()), "No poller is running"
    assert waits in said(on_page(admin_client, "resend", item))
    assert waits in said(on_page(admin_client, "retry", item))
    Heartbeat(workers=1).record(timezone.now())
    assert waits not in said(on_page(admin_client, "retry", item))
    assert waits not in said(on_page(admin_client, "resend", owe(shop(), 2)))


@pytest.mark.parametrize("act", RIGHTS)
def test_nobody_acts_without_the_right(act, staff, shop, owe):
    item = owe(shop())
    others = [*VIEW, *(set(RIGHTS.values()) - {RIGHTS[act]})]
    for rights in (others, [RIGHTS[act]]):
        client = staff(*rights)
        assert on_page(client, act, item, reason="x").status_code == 403
        on_list(client, act, item, **ANSWER)
    assert statuses() == ["failed"] and not entries() and not Run.objects.exists()


@pytest.mark.parametrize("act", RIGHTS)
def test_looking_changes_nothing(act, admin_client, shop, owe):
    item = owe(shop())
    address = reverse(f"admin:sync_retryitem_{act}_one", args=[item.pk])
    assert admin_client.get(address, ANSWER).status_code == 200
    admin_client.get(reverse("admin:sync_retryitem_changelist"), {"action": act, "_selected_action": item.pk})
    assert statuses() == ["failed"] and not entries() and not Run.objects.exists()


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
