"""No silence: each cause is found while it lasts, keeps its beginning, and goes by itself."""

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from connections.causes import CAUSES, explain
from connections.models import Lease
from core.models import Alert, Finding
from core.monitoring.alerts.incidents import keep_up
from core.monitoring.alerts.messages import message_of
from core.monitoring.alerts.rules import Choice
from sync import findings
from sync.models import PollState
from sync.repair import reconcile
from tests.factories import owed


def causes(world):
    return {finding.code for finding in findings.watch(clock=world.clock)}


def test_a_healthy_shop_gives_no_finding(world):
    world.confirmed()
    world.wait(minutes=2)
    assert causes(world) == set()


def test_a_connection_nobody_polls_is_found_and_goes_when_it_is_polled(world):
    world.clock.advance(600)
    assert causes(world) == {"poll_overdue"}
    began = Finding.objects.get().since
    world.clock.advance(60)
    assert causes(world) == {"poll_overdue"}
    assert Finding.objects.get().since == began
    world.poll()
    assert causes(world) == set()


def test_a_retry_whose_time_has_passed_is_found(world):
    world.receiver.set_mode("main", "500", count=1)
    world.confirmed()
    world.clock.advance(60)
    world.poll()
    PollState.objects.update(deliver_at=None)
    world.clock.advance(600)
    world.poll()
    assert causes(world) == {"delivery_overdue"}
    PollState.objects.update(deliver_at=world.clock())
    world.deliver()
    assert causes(world) == set()


def test_a_receiver_that_is_down_is_told_by_its_circuit_not_by_its_retries(world):
    world.receiver.set_mode("main", "500")
    for _ in range(6):
        world.confirmed()
    world.wait(minutes=5)
    assert causes(world) == {"webhook_circuit_open"}


def test_a_receiver_that_is_gone_and_items_that_need_a_person_are_told(world):
    world.receiver.set_mode("main", "422")
    world.confirmed()
    world.wait(hours=1, tick=60)
    assert causes(world) == {"items_need_a_person"}
    world.receiver.set_mode("main", "410")
    world.confirmed()
    world.wait(minutes=2)
    assert causes(world) == {"items_need_a_person", "receiver_gone"}


def test_what_the_receiver_never_saw_is_not_told_as_its_refusal(world, capsys):
    """On every surface: findings, the first page, the alert, `status`."""
    order_id = world.confirmed()
    world.shop.edit_order(order_id, amount_total="much")
    world.clock.advance(60)
    assert world.poll().error_code == "odoo_unreadable_order"
    assert causes(world) == {"odoo_unreadable_order"}
    [finding] = Finding.objects.all()
    assert finding.detail == "1" and "could not be read" in explain(finding.code).title

    keep_up(Finding.objects.all(), world.clock())
    said = message_of(Choice(problems=list(Alert.objects.select_related("connection"))), world.clock()).text
    assert "An order could not be read" in said and "how many: 1" in said and "refused" not in said

    PollState.objects.update(next_poll_at=timezone.now())
    with pytest.raises(SystemExit):
        call_command("status")
    printed = capsys.readouterr().out
    assert "An order could not be read" in printed and "refused" not in printed

    world.shop.edit_order(order_id, amount_total=3.75)
    PollState.objects.update(next_poll_at=world.clock())
    world.wait(minutes=2)
    assert causes(world) == set() and len(world.got()) == 1


@pytest.mark.parametrize(
    ("codes", "told"),
    [
        (["receiver_refused", "receiver_unauthorized", "receiver_not_found"], {"items_need_a_person": "3"}),
        (["odoo_unreadable_order"] * 2, {"odoo_unreadable_order": "2"}),
        (
            ["receiver_bad_secret", "receiver_refused"],
            {"receiver_bad_secret": "1", "items_need_a_person": "1"},
        ),
        (["legacy_gave_up", "legacy_gone"], {"legacy_gave_up": "1", "legacy_gone": "1"}),
        (["legacy_owed"], {}),  # read again by itself
        (["", "unknown"], {"items_need_a_person": "2"}),
    ],
)
def test_each_cause_that_stops_orders_has_its_own_words(world, codes, told):
    for number, code in enumerate(codes, start=1):
        owed(world.connection, number=number, status="failed", next_retry_at=None, error_code=code)
    assert {f.code: f.detail for f in findings.watch(clock=world.clock)} == told
    titles = {str(explain(code).title) for code in told}
    assert len(titles) == len(told) and all(code in CAUSES for code in told)


def test_a_shop_that_cannot_be_read_is_told(world):
    world.shop.faults.set("pg_down")
    world.wait(minutes=4)
    assert "polls_fail" in causes(world)
    world.wait(minutes=10)
    assert "odoo_circuit_open" in causes(world)
    world.shop.faults.clear()
    world.wait(minutes=15)
    assert causes(world) == set()


def test_a_lease_whose_holder_died_is_found(world):
    Lease.objects.create(key="webhook:99", token="dead", until=world.clock())
    world.clock.advance(hours=1)
    world.poll()
    assert causes(world) == {"leases_not_returned"}


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_clock_that_runs_away_is_found(world, minutes):
    PollState.objects.update(clock_offset_seconds=minutes * 60)
    assert causes(world) == {"odoo_clock_skew"}


def test_a_user_who_sees_only_its_own_orders_is_found_by_the_daily_look(world):
    world.shop.poller.own_documents = True
    PollState.objects.update(reconcile_at=world.clock())
    reconcile.reconcile_due(world.connection, clock=world.clock)
    assert causes(world) == {"odoo_own_documents_only"}


def test_a_key_near_its_end_is_found(world):
    ends = (world.clock() + timedelta(days=5)).isoformat()
    PollState.objects.update(account={"key_ends_at": ends})
    assert causes(world) == {"odoo_key_expires_soon"}
    PollState.objects.update(account={"key_ends_at": (world.clock() + timedelta(days=50)).isoformat()})
    assert causes(world) == set()


def test_differences_that_nobody_repaired_are_told(world):
    world.confirmed()
    world.clock.advance(5)
    wanted = reconcile.ask(
        world.connection, since=world.clock() - timedelta(days=1), repair=False, now=world.clock()
    )
    reconcile.run_step(wanted, clock=world.clock)
    assert causes(world) == {"reconciliation_found"}


def test_status_tells_monitors_by_its_exit_code(world, capsys):
    PollState.objects.update(clock_offset_seconds=9999, next_poll_at=timezone.now())
    with pytest.raises(SystemExit) as ended:
        call_command("status", "--json")
    assert ended.value.code == 1
    told = json.loads(capsys.readouterr().out)
    assert [finding["code"] for finding in told["findings"]] == ["odoo_clock_skew"]
    assert told["ok"] is False


def test_two_connections_of_one_source_and_receiver_are_told(world, make_connection):
    world.confirmed()
    world.wait(minutes=2)
    mine = {name: getattr(world.connection, name) for name in ("odoo_url", "database", "webhook_url")}
    other = make_connection(name="Shop twice", external_id="twice", **mine)
    PollState.objects.create_missing(world.clock())
    assert causes(world) == {"same_source_twice"}
    told = {finding.connection.name: finding.detail for finding in Finding.objects.all()}
    assert told == {"Shop": "Shop twice", "Shop twice": "Shop"}
    other.company_id = 1
    other.save()
    assert causes(world) == {"same_source_twice"}
    other.enabled = False
    other.save()
    assert causes(world) == set()
