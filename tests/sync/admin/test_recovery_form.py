"""Recover an outage by hand: look first, be asked, watch it, change one's mind."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone

from core.background.heartbeat import Heartbeat
from sync.models import RetryItem, Run, RunRow, Status, Wish
from sync.repair import recovery
from tests import factories

RECOVER = reverse("admin:sync_run_recover")
VIEW = ("sync.view_run", "sync.view_retryitem", "sync.view_seenorder")


def press(client, **values):
    sane = {"what": "failed", "connection": "", "since": "", "until": "", "cause": "", "token": "a" * 32}
    return client.post(RECOVER, sane | values, follow=True)


def page(run):
    return reverse("admin:sync_run_change", args=[run.pk])


@pytest.fixture
def outage(shop, owe):
    connection = shop(name="Tienda Lugo")
    return [owe(connection, number) for number in range(1, 6)]


def test_looking_changes_nothing_and_shows_what_it_is(admin_client, outage):
    html = admin_client.get(RECOVER, {"what": "failed"}).content.decode()
    assert "2. These are 5 orders" in html and "Tienda Lugo (5)" in html and "S00001" in html
    assert not Run.objects.exists()
    assert "No order is like that" in admin_client.get(RECOVER, {"what": "discarded"}).content.decode()


def test_a_link_of_the_first_page_chooses_already(admin_client, outage):
    html = admin_client.get(RECOVER, {"what": "failed", "cause": "receiver_refused"}).content.decode()
    assert "2. These are 5 orders" in html


def test_pressing_begins_a_run_and_pressing_twice_is_one(admin_client, outage):
    response = press(admin_client)
    run = Run.objects.get()
    assert response.redirect_chain == [(page(run), 302)]
    html = response.content.decode()
    assert "0 of 5 orders" in html and "data-poller-renew" in html
    assert press(admin_client).redirect_chain == [(page(run), 302)]
    assert Run.objects.count() == 1 and RunRow.objects.count() == 5
    assert LogEntry.objects.get().object_id == str(run.pk)


@override_settings(CONFIRM_ABOVE=4)
def test_many_are_asked_about_twice_with_their_number(admin_client, outage):
    html = press(admin_client).content.decode()
    assert "This concerns 5 orders. Are you sure?" in html and not Run.objects.exists()
    assert "Are you sure?" in press(admin_client, confirmed="4").content.decode()
    press(admin_client, confirmed="5")
    assert Run.objects.get().total == 5


def test_giving_up_wants_a_reason_and_is_undone(admin_client, outage):
    assert "Say why" in press(admin_client, what="discard").content.decode()
    press(admin_client, what="discard", reason="wrong shop")
    run = Run.objects.get()
    work(run)
    html = admin_client.get(page(run)).content.decode()
    assert "5 of 5 orders" in html and "wrong shop" in html and "Undo" in html
    assert set(RetryItem.objects.values_list("status", flat=True)) == {"discarded"}
    undo = reverse("admin:sync_run_undo", args=[run.pk])
    admin_client.post(undo, {"token": "b" * 32})
    undone = Run.objects.get(undoes=run)
    work(undone)
    assert set(RetryItem.objects.values_list("status", flat=True)) == {"pending"}
    assert admin_client.post(undo).status_code == 403


def test_a_run_is_paused_resumed_and_stopped(admin_client, outage):
    press(admin_client)
    run = Run.objects.get()
    address = reverse("admin:sync_run_wish", args=[run.pk])
    for wish in (Wish.PAUSE, Wish.GO, Wish.CANCEL):
        admin_client.post(address, {"wish": wish.value})
        run.refresh_from_db()
        assert (run.wish, run.wished_by) == (wish, "admin")
    assert "It has ended" in admin_client.post(address, {"wish": "go"}, follow=True).content.decode()
    assert admin_client.get(address).status_code == 405
    assert admin_client.post(address, {"wish": "nonsense"}).status_code == 403
    said = list(LogEntry.objects.order_by("pk").values_list("change_message", flat=True))
    assert said[1:] == ["Go on → Pause", "Pause → Go on", "Go on → Stop for good"]


def test_the_part_that_is_renewed_shows_how_far_it_is(admin_client, outage):
    press(admin_client)
    run = Run.objects.get()
    part = reverse("admin:sync_run_part", args=[run.pk])
    assert 'aria-valuenow="0"' in admin_client.get(part).content.decode()
    work(run)
    html = admin_client.get(part).content.decode()
    assert 'aria-valuenow="100"' in html and "data-poller-renew" not in html


def test_a_run_that_no_poller_works_on_says_so(admin_client, outage):
    press(admin_client)
    part = reverse("admin:sync_run_part", args=[Run.objects.get().pk])
    assert "No poller is running" in admin_client.get(part).content.decode()
    Heartbeat(workers=1).record(timezone.now())
    assert "No poller is running" not in admin_client.get(part).content.decode()


@override_settings(CONFIRM_ABOVE=3)
def test_many_rows_that_a_run_has_in_hand_join_it(admin_client, outage):
    address = reverse("admin:sync_retryitem_changelist")
    chosen = {"action": "retry", "index": "0", "select_across": "1", "_selected_action": [outage[0].pk]}
    sure = chosen | {"confirmed": "5", "_form_submitted": "True"}
    admin_client.post(address, sure | {"token": "c" * 32})
    response = admin_client.post(address, sure | {"token": "d" * 32}, follow=True)
    assert "This is under way already: admin asked for it" in response.content.decode()
    assert Run.objects.count() == 1 and response.redirect_chain[-1][0] == page(Run.objects.get())


def test_each_kind_takes_its_right(staff, outage):
    assert staff(*VIEW).get(RECOVER).status_code == 403
    client = staff(*VIEW, "sync.retry_item")
    assert "Give up" not in client.get(RECOVER).content.decode()
    press(client, what="discard", reason="x")
    assert not Run.objects.exists()
    press(client)
    wish = reverse("admin:sync_run_wish", args=[Run.objects.get().pk])
    assert staff(*VIEW).post(wish, {"wish": "cancel"}).status_code == 403
    assert staff(*VIEW).get(page(Run.objects.get())).status_code == 200


def test_sending_again_wants_a_time(admin_client, outage):
    html = admin_client.get(RECOVER, {"what": "sent"}).content.decode()
    assert "Say from when on" in html
    factories.sent_as(outage[0], sent_at=timezone.now())
    html = admin_client.get(RECOVER, {"what": "sent", "since": "2020-01-01T00:00"}).content.decode()
    assert "2. It is 1 order" in html
    backwards = {"what": "failed", "since": "2026-01-02T00:00", "until": "2026-01-01T00:00"}
    assert "after the first one" in admin_client.get(RECOVER, backwards).content.decode()


def work(run):
    with override_settings(RUN_ROWS_PER_SECOND=10_000):
        from_claim = recovery.leases.new_token()
        recovery.leases.claim([run.lease_key], from_claim, now=timezone.now())
        recovery.work(from_claim, run.pk, seconds=2.5, sleep=lambda seconds: None)
    assert recovery.counts(run).waiting == 0
    assert not RetryItem.objects.filter(status=Status.FAILED).exists()


@override_settings(CONFIRM_ABOVE=3)
@pytest.mark.parametrize(("act", "kind"), [("retry", "retry"), ("discard", "discard"), ("resend", "resend")])
@pytest.mark.parametrize("of", ["retryitem", "seenorder"])
def test_many_rows_of_a_list_become_a_run(of, act, kind, admin_client, outage):
    address = reverse(f"admin:sync_{of}_changelist")
    chosen = {"action": act, "index": "0", "select_across": "1", "_selected_action": [outage[0].pk]}
    html = admin_client.post(address, chosen).content.decode()
    assert "This concerns 5 orders. Are you sure?" in html and not Run.objects.exists()
    sure = chosen | {"confirmed": "5", "token": "c" * 32, "_form_submitted": "True", "reason": "outage"}
    assert "Are you sure?" in admin_client.post(address, sure | {"confirmed": "4"}).content.decode()
    response = admin_client.post(address, sure)
    run = Run.objects.get()
    assert response.url == page(run) and (run.kind, run.total) == (kind, 5)
    assert admin_client.post(address, sure).url == page(run)
    assert Run.objects.count() == 1
