"""What the buttons of connections do, who may press them, and what they leave alone."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from connections.models import Circuit, CircuitState, Connection, RetiredSecret, Side, pause
from core.background.heartbeat import Heartbeat
from sync import background
from sync.connection_test import on_request
from sync.connection_test.run import Stage
from sync.models import ConnectionTest, PollState
from tests import factories
from tests.core.admin.conftest import WEBHOOK_SECRET, said

LIST = "admin:connections_connection_changelist"
VIEW = "connections.view_connection"
RIGHTS = {
    "test": "connections.test_connection",
    "poll": "connections.poll_connection",
    "pause": "connections.pause_connection",
    "resume": "connections.pause_connection",
    "reset_circuit": "connections.reset_circuit",
    "rotate_secret": "connections.rotate_secret",
    "end_old_secrets": "connections.rotate_secret",
    "nudge_address": "sync.change_nudgetoken",
}


@pytest.fixture
def stages(monkeypatch):
    """What the test of a connection finds, instead of asking anybody."""
    found = [Stage("Signing in", True, seconds=0.2)]
    monkeypatch.setattr(on_request, "run_test", lambda connection, *, now: iter(found))
    return found


@pytest.fixture
def open_circuit(shop):
    connection = shop(name="Shop with an open circuit")
    factories.circuit(connection, Side.ODOO, state=CircuitState.OPEN, failures=5, opened_at=timezone.now())
    return connection


def on_list(client, act, *connections, **asked):
    data = {"action": act, "index": "0", "_selected_action": [c.pk for c in connections], **asked}
    return client.post(reverse(LIST), data, follow=True)


def on_page(client, act, connection, **asked):
    address = reverse(f"admin:connections_connection_{act}_one", args=[connection.pk])
    return client.post(address, {"_form_submitted": "True", **asked}, follow=True)


def entries():
    return list(LogEntry.objects.order_by("pk").values_list("object_repr", "change_message"))


def later():
    """Nothing is due."""
    PollState.objects.update(next_poll_at=timezone.now() + timedelta(hours=1), deliver_at=None)


def due():
    return set(
        PollState.objects.filter(next_poll_at__lte=timezone.now()).values_list("connection__name", flat=True)
    )


def test_poll_now_wakes_what_may_be_polled(staff, shop):
    well, off, resting = shop(name="well"), shop(name="off", enabled=False), shop(name="resting")
    pause([resting], by="somebody", reason="holidays", sides=(Side.ODOO,))
    later()
    response = on_list(staff(VIEW, RIGHTS["poll"]), "poll", well, off, resting)
    assert due() == {"well"}
    assert "1 connection is polled within seconds." in said(response)
    assert "2 connections are disabled or paused" in said(response)
    assert entries() == [("well", "Poll now")]


def test_poll_now_serves_a_connection_that_was_never_polled(admin_client, make_connection):
    on_page(admin_client, "poll", make_connection(name="fresh"))
    assert due() == {"fresh"}


def test_pause_asks_for_a_reason_and_writes_it_down(staff, shop):
    one, two = shop(name="Tienda Lugo"), shop(name="Tienda Vigo")
    client = staff(VIEW, RIGHTS["pause"])
    asked = on_list(client, "pause", one, two)
    assert "Tienda Lugo" in asked.content.decode() and "Tienda Vigo" in asked.content.decode()
    assert (
        "Say why" in on_list(client, "pause", one, two, _form_submitted="True", reason=" ").content.decode()
    )
    assert not Circuit.objects.exists() and not entries()

    response = on_list(client, "pause", one, two, _form_submitted="True", reason="moving house")
    circuits = Circuit.objects.paused(timezone.now())
    assert circuits.count() == 4
    assert set(circuits.values_list("paused_by", "paused_reason")) == {("staff-0", "moving house")}
    assert "2 connections are paused." in said(response)
    said_of_it = "Pause: moving house (Odoo + Receiver)"
    assert entries() == [("Tienda Lugo", said_of_it), ("Tienda Vigo", said_of_it)]


def test_one_side_is_paused_until_a_moment_and_goes_on_by_itself(admin_client, shop):
    connection = shop(name="Tienda Lugo")
    until = timezone.localtime(timezone.now() + timedelta(hours=2))
    typed = {"reason": "stocktaking", "side": "webhook", "until": f"{until:%Y-%m-%dT%H:%M}"}
    html = on_page(admin_client, "pause", connection, **typed).content.decode()
    assert "It goes on by itself at" in html and "stocktaking" in html
    circuit = Circuit.objects.get()
    assert (circuit.side, circuit.paused_by) == ("webhook", "admin")
    assert circuit.is_paused(timezone.now()) and not circuit.is_paused(until + timedelta(minutes=1))
    past = typed | {"side": "odoo", "until": "2020-01-01T00:00"}
    assert "That is over already" in on_page(admin_client, "pause", connection, **past).content.decode()
    on_page(admin_client, "pause", connection, reason="all of it", side="both")
    assert dict(Circuit.objects.values_list("side", "paused_reason")) == {
        "webhook": "stocktaking",
        "odoo": "all of it",
    }
    on_page(admin_client, "resume", connection, side="odoo")
    assert list(Circuit.objects.paused(timezone.now()).values_list("side", flat=True)) == ["webhook"]


def test_pausing_twice_keeps_the_first_reason(admin_client, shop):
    connection = shop()
    on_page(admin_client, "pause", connection, reason="first")
    assert "was paused already" in said(on_page(admin_client, "pause", connection, reason="second"))
    assert {c.paused_reason for c in Circuit.objects.all()} == {"first"}
    assert len(entries()) == 1


def test_resume_wakes_what_was_paused(staff, shop):
    resting, well = shop(name="resting"), shop(name="well")
    pause([resting], by="somebody", reason="holidays")
    later()
    response = on_list(staff(VIEW, RIGHTS["resume"]), "resume", resting, well)
    assert not Circuit.objects.filter(paused_at__isnull=False).exists()
    assert due() == {"resting"}
    assert PollState.objects.get(connection=resting).deliver_at is not None
    assert "1 connection goes on." in said(response) and "1 connection was not paused." in said(response)
    assert entries() == [("resting", "Resume (Odoo + Receiver)")]


def test_reset_closes_circuits_and_tries_at_once(staff, shop, open_circuit):
    well = shop(name="well")
    later()
    response = on_list(staff(VIEW, RIGHTS["reset_circuit"]), "reset_circuit", open_circuit, well)
    circuit = Circuit.objects.get()
    assert (circuit.state, circuit.failures, circuit.opened_at) == ("closed", 0, None)
    assert due() == {open_circuit.name}
    assert "1 connection had nothing to reset." in said(response)
    assert entries() == [(open_circuit.name, "Reset circuit")]


def test_poll_now_pressed_again_joins(admin_client, shop):
    connection = shop(name="one")
    later()
    on_page(admin_client, "poll", connection)
    response = on_page(admin_client, "poll", connection)
    assert "1 connection waits for its poll already." in said(response)
    assert "is polled within" not in said(response)


def test_the_test_of_many_is_done_by_the_poller(admin_client, shop, stages):
    shops = [shop(name=f"shop {number:03}") for number in range(120)]
    response = on_list(admin_client, "test", *shops)
    assert "120 connections are tested in the background." in said(response)
    assert ConnectionTest.objects.filter(waits=True).count() == 120 and not entries()
    assert "120 connections are being tested already." in said(on_list(admin_client, "test", *shops))
    background.work_off(seconds=60)
    assert ConnectionTest.objects.filter(finished_at__isnull=False).count() == 120
    assert entries()[0] == ("shop 000", "Test connection: Everything works")


def test_work_asked_for_while_no_poller_runs_says_so(admin_client, shop, stages):
    waits, connection = "No poller is running", shop()
    for act in ("test", "poll", "reset_circuit", "reconcile"):
        answer = on_list(admin_client, act, connection, _form_submitted="True", days="2")
        assert (waits in said(answer)) is (act != "reset_circuit"), act  # nothing was reset
    Heartbeat(workers=1).record(timezone.now())
    for act in ("test", "poll", "reconcile"):
        answer = on_list(admin_client, act, connection, _form_submitted="True", days="2")
        assert waits not in said(answer), act


@pytest.mark.parametrize("act", RIGHTS)
def test_looking_changes_nothing(act, admin_client, open_circuit, stages):
    pause([open_circuit], by="somebody", reason="holidays")
    later()
    before = state()
    address = reverse(f"admin:connections_connection_{act}_one", args=[open_circuit.pk])
    assert admin_client.get(address).status_code == 200
    assert admin_client.get(address, {"_form_submitted": "True", "reason": "x"}).status_code == 200
    admin_client.get(reverse(LIST), {"action": act, "index": "0", "_selected_action": open_circuit.pk})
    assert state() == before


@pytest.mark.parametrize("act", RIGHTS)
def test_nobody_acts_without_the_right(act, staff, open_circuit, stages):
    later()
    before = state()
    others = [VIEW, "connections.change_connection", *(set(RIGHTS.values()) - {RIGHTS[act]})]
    for rights in (others, [RIGHTS[act]]):  # the right to act alone is not enough: one has to see it too
        client = staff(*rights)
        assert on_page(client, act, open_circuit, reason="x", overlap_hours="1").status_code == 403
        on_list(client, act, open_circuit, _form_submitted="True", reason="x", overlap_hours="1")
        assert state() == before


@pytest.mark.parametrize("act", RIGHTS)
def test_acts_are_guarded_against_forged_posts(act, staff, open_circuit, stages):
    client = staff(VIEW, RIGHTS[act])
    client.handler.enforce_csrf_checks = True
    before = state()
    assert on_page(client, act, open_circuit, reason="x").status_code == 403
    assert on_list(client, act, open_circuit, _form_submitted="True", reason="x").status_code == 403
    assert state() == before


@pytest.mark.parametrize("act", RIGHTS)
def test_acts_on_what_is_gone_say_so(act, admin_client, db):
    for pk in (99, "nothing"):
        address = reverse(f"admin:connections_connection_{act}_one", args=[pk])
        assert (
            admin_client.post(
                address, {"_form_submitted": "True", "reason": "x", "overlap_hours": "1"}
            ).status_code
            == 404
        )


def test_a_dialog_leads_back_to_the_page(admin_client, shop):
    connection = shop()
    address = reverse("admin:connections_connection_poll_one", args=[connection.pk])
    response = admin_client.post(address, {"_form_submitted": "True"}, headers={"HX-Request": "true"})
    assert response.headers["HX-Redirect"] == reverse(
        "admin:connections_connection_change", args=[connection.pk]
    )


def test_a_page_offers_only_what_would_change_something(admin_client, shop, open_circuit):
    def buttons(connection):
        html = admin_client.get(
            reverse("admin:connections_connection_change", args=[connection.pk])
        ).content.decode()
        return {act for act in RIGHTS if f"/{connection.pk}/{act.replace('_', '-')}/" in html}

    resting = shop()
    pause([resting], by="somebody", reason="holidays")
    assert buttons(shop()) == {"test", "poll", "pause", "rotate_secret", "nudge_address"}
    assert buttons(resting) == {"test", "poll", "resume", "rotate_secret", "nudge_address"}
    always = {"test", "poll", "pause", "rotate_secret", "nudge_address"}
    assert buttons(open_circuit) == always | {"reset_circuit"}


def state():
    """Everything an act could change."""
    return (
        list(Connection.objects.without_secrets().order_by("pk").values("pk", "enabled", "updated_at")),
        list(Circuit.objects.order_by("pk").values()),
        list(PollState.objects.order_by("pk").values("next_poll_at", "deliver_at")),
        entries(),
    )


def test_rotating_shows_the_new_secret_once_and_keeps_the_old_one(staff, shop):
    connection, client = shop(name="Lugo"), staff(VIEW, RIGHTS["rotate_secret"])
    response = on_page(client, "rotate_secret", connection, overlap_hours="12")
    secret = Connection.objects.get().webhook_secret.reveal()
    old = RetiredSecret.objects.get()
    assert secret.startswith("whsec_") and secret != WEBHOOK_SECRET and said(response).count(secret) == 1
    assert (old.secret.reveal(), old.retired_by) == (WEBHOOK_SECRET, "staff-0")
    assert old.valid_until - old.retired_at == timedelta(hours=12)
    assert "signs beside the new one until" in said(response)
    assert entries() == [("Lugo", "Rotate webhook secret")]
    html = client.get(reverse("admin:connections_connection_change", args=[connection.pk])).content.decode()
    assert secret not in html and WEBHOOK_SECRET not in html


def test_rotating_from_the_list_asks_for_the_overlap(admin_client, shop):
    one, two = shop(name="one"), shop(name="two")
    assert "Hours the old secret" in on_list(admin_client, "rotate_secret", one, two).content.decode()
    assert not RetiredSecret.objects.exists()
    on_list(admin_client, "rotate_secret", one, two, _form_submitted="True", overlap_hours="0")
    assert not RetiredSecret.objects.exists()
    assert WEBHOOK_SECRET not in {c.webhook_secret.reveal() for c in Connection.objects.all()}


def test_old_secrets_are_ended_once_the_receiver_knows_the_new_one(admin_client, shop):
    one, two = shop(name="one"), shop(name="two")
    on_page(admin_client, "rotate_secret", one, overlap_hours="12")
    response = on_list(admin_client, "end_old_secrets", one, two)
    assert not RetiredSecret.objects.exists()
    assert "1 connection signs with its new secret only." in said(response)
    assert "1 connection had no old secret." in said(response)
    assert entries()[1:] == [("one", "End old webhook secrets")]


def test_the_nudge_address_is_shown_and_made_anew_on_demand(admin_client, client, shop):
    connection = shop(name="Lugo")
    first = said(on_page(admin_client, "nudge_address", connection))
    assert said(on_page(admin_client, "nudge_address", connection)) == first
    assert "http://testserver/nudge/" in first
    second = said(on_page(admin_client, "nudge_address", connection, renew="on"))
    assert second != first and entries()[-1] == ("Lugo", "Nudge address")
