"""Every task run twice at the same moment gives the same outcome as once."""

from datetime import timedelta

import pytest

from connections.models import Connection
from core.background import slots
from sync import due
from sync.connection_test import on_request
from sync.deliveries import dispatcher
from sync.models import (
    ConnectionTest,
    DeliveryAttempt,
    PollState,
    Reconciliation,
    RetryItem,
    SentOrder,
    SyncLog,
)
from sync.polling import poll
from sync.repair import deep_check, reconcile
from tests.system.conftest import meeting


def claimed(world, claim):
    PollState.objects.wake(world.clock())
    return claim(world.clock(), 10)


# Where the two wait for each other: both have got as far as this when they go on.
POLL_MEETINGS = ("taken", "fed", "read")
DELIVERY_MEETINGS = ("serving", "sending", "recording")


@pytest.mark.parametrize("point", POLL_MEETINGS)
def test_a_poll_run_twice_at_once(world, at_once, point):
    orders = [world.confirmed() for _ in range(3)]
    world.clock.advance(60)
    token, ids = claimed(world, due.claim_polls)
    calls, logs = world.shop.calls.total(), SyncLog.objects.count()
    once = lambda: poll.poll(token, ids, clock=world.clock, threads=0)  # noqa: E731
    with meeting(point):
        at_once(once, once)
    assert [(event, version) for _, event, version in world.got()] == [("order.confirmed", 1)] * len(orders)
    assert world.hook.stats()["requests"] == len(orders)
    assert world.shop.calls.total() - calls == 2  # the feed and the reading
    assert SyncLog.objects.count() == logs + 1
    assert world.state.next_poll_at <= world.clock.advance(60)


@pytest.mark.parametrize("point", DELIVERY_MEETINGS)
def test_a_delivery_run_twice_at_once(world, at_once, point):
    world.receiver.set_mode("main", "500", count=3)
    for _ in range(3):
        world.confirmed()
    world.clock.advance(60)
    world.poll()
    world.clock.advance(60)
    token, ids = due.claim_deliveries(world.clock(), 10)
    once = lambda: dispatcher.deliver_due(token, ids, clock=world.clock, threads=0)  # noqa: E731
    with meeting(point):
        at_once(once, once)
    assert [d.status for d in world.hook.deliveries] == [500] * 3 + [200] * 3
    assert DeliveryAttempt.objects.count() == 6
    assert SentOrder.objects.count() == 3
    assert set(RetryItem.objects.values_list("status", "attempts")) == {("sent", 2)}
    assert world.state.deliver_at is None


CHECKS = {"deep check": deep_check.deep_check, "reconciliation": reconcile.reconcile_due}


@pytest.mark.parametrize("kind", CHECKS)
def test_a_check_run_twice_at_once(world, at_once, kind, monkeypatch):
    world.confirmed()
    world.clock.advance(60)
    world.poll()
    world.shop.edit_order(1, client_order_ref="OC-1")
    world.shop.edit_line_silently(1, name="another text")
    once = lambda: CHECKS[kind](world.connection, clock=world.clock)  # noqa: E731
    at_once(once, once)
    world.clock.advance(60)
    world.deliver()
    assert [(event, version) for _, event, version in world.got()] == [
        ("order.confirmed", 1),
        ("order.updated", 2),
    ]


def test_two_ticks_at_once_claim_everything_once(world, at_once, make_connection):
    for number in range(20):
        make_connection(database=f"db{number}", external_id=f"db{number}")
    PollState.objects.create_missing(world.clock())
    PollState.objects.wake(world.clock())
    first, second = at_once(*[lambda: due.claim_polls(world.clock(), 100)] * 2)
    assert sorted(first[1] + second[1]) == sorted(PollState.objects.values_list("pk", flat=True))


def test_twins_at_one_database_never_go_to_two_tasks(world, make_connection, settings):
    settings.BATCH_SIZE = 2
    place = {"odoo_url": world.connection.odoo_url, "database": world.connection.database}
    for number in range(3):
        make_connection(database=f"db{number}", external_id=f"db{number}")
        make_connection(external_id=f"twin{number}", **place)
    PollState.objects.create_missing(world.clock())
    PollState.objects.wake(world.clock())
    tasks = []
    while ids := due.claim_polls(world.clock(), 100)[1]:
        tasks.append([ids[start : start + 2] for start in range(0, len(ids), 2)])
    twins = {world.connection.pk, *Connection.objects.filter(**place).values_list("pk", flat=True)}
    for batches in tasks:
        assert len(batches) > 1 and sum(bool(twins & set(batch)) for batch in batches) <= 1
    assert any(twins & set(batch) for batches in tasks for batch in batches)


def test_however_many_hosts_claim_at_once_of_a_group_two_slots(world, at_once):
    claimed = at_once(*[lambda: slots.claim(slots.RUN, world.clock())] * 8)
    held = [slot.key for slot in claimed if slot]
    assert sorted(held) == ["slot:run:1", "slot:run:2"]


def test_many_who_ask_at_once_ask_for_one_comparison(world, at_once):
    how = {"since": world.clock() - timedelta(days=2), "repair": True, "by": "ana", "now": world.clock()}
    joined = at_once(*[lambda: reconcile.ask_or_join(world.connection, **how)[1]] * 6)
    assert sorted(joined) == [False] + [True] * 5
    assert Reconciliation.objects.count() == 1


def test_many_who_ask_at_once_ask_for_one_test(world, at_once):
    ask = lambda: on_request.ask_saved(world.connection.pk, by="ana", now=world.clock())  # noqa: E731
    assert sorted(at_once(*[ask] * 6)) == [False] * 5 + [True]
    claim = lambda: on_request.claim(ConnectionTest, world.clock())  # noqa: E731
    assert sum(found is not None for found in at_once(*[claim] * 4)) == 1
