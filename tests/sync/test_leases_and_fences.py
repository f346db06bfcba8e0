"""Late, twice, or robbed of its lease: a task nobody wants any more sends nothing and writes nothing."""

import pytest

from connections import leases
from connections.models import Lease, pause
from sync import due
from sync.deliveries import dispatcher
from sync.models import DeliveryAttempt, PollState, RetryItem, SyncLog
from sync.polling import poll


def claim_poll(world):
    PollState.objects.wake(world.clock())
    return due.claim_polls(world.clock(), 10)


def test_a_connection_is_claimed_once_and_is_due_again_when_its_lease_ends(world):
    token, ids = claim_poll(world)
    assert ids == [world.connection.pk]
    assert due.claim_polls(world.clock(), 10)[1] == []
    world.clock.advance(leases.LEASE_SECONDS)
    other, again = due.claim_polls(world.clock(), 10)
    assert again == ids
    assert poll.poll(token, ids, clock=world.clock, threads=0) == []
    assert len(poll.poll(other, ids, clock=world.clock, threads=0)) == 1


def test_a_poll_that_runs_twice_does_the_work_once(world):
    world.confirmed()
    world.clock.advance(60)
    token, ids = claim_poll(world)
    assert len(poll.poll(token, ids, clock=world.clock, threads=0)) == 1
    assert poll.poll(token, ids, clock=world.clock, threads=0) == []
    assert len(world.got()) == 1


def test_a_delivery_that_runs_twice_does_the_work_once(world):
    world.receiver.set_mode("main", "500", count=1)
    world.confirmed()
    world.clock.advance(60)
    world.poll()
    world.clock.advance(60)
    token, ids = due.claim_deliveries(world.clock(), 10)
    dispatcher.deliver_due(token, ids, clock=world.clock, threads=0)
    dispatcher.deliver_due(token, ids, clock=world.clock, threads=0)
    assert [d.status for d in world.hook.deliveries] == [500, 200]


def test_two_connections_to_one_database_are_never_claimed_by_two(world, make_connection):
    place = {"odoo_url": world.connection.odoo_url, "database": world.connection.database}
    twin = make_connection(external_id="twin", **place)
    PollState.objects.create_missing(world.clock())
    PollState.objects.wake(world.clock())
    first = due.claim_polls(world.clock(), 1)[1]
    second = due.claim_polls(world.clock(), 10)[1]
    assert len(first) == 1
    assert second == []
    Lease.objects.all().delete()
    PollState.objects.wake(world.clock())
    assert sorted(due.claim_polls(world.clock(), 10)[1]) == sorted([world.connection.pk, twin.pk])


def test_a_poll_that_lost_its_lease_while_reading_writes_nothing(world, monkeypatch):
    world.confirmed()
    world.clock.advance(60)
    token, ids = claim_poll(world)
    before = SyncLog.objects.count(), PollState.objects.get().window_to
    monkeypatch.setattr(poll._Poll, "_read", _after(poll._Poll._read, robbed_lease))
    poll.poll(token, ids, clock=world.clock, threads=0)
    assert (SyncLog.objects.count(), PollState.objects.get().window_to) == before
    assert RetryItem.objects.count() == 0
    assert world.got() == []


def test_a_delivery_that_lost_its_lease_sends_nothing_more_and_writes_nothing(world):
    world.receiver.set_mode("main", "500", count=1)
    for _ in range(3):
        world.confirmed()
    world.clock.advance(60)
    world.poll()
    tried = DeliveryAttempt.objects.count()
    world.clock.advance(60)
    token, ids = due.claim_deliveries(world.clock(), 10)
    robbed_lease()
    dispatcher.deliver_due(token, ids, clock=world.clock, threads=0)
    assert DeliveryAttempt.objects.count() == tried


def test_no_try_starts_when_the_lease_could_end_before_its_answer(world):
    world.receiver.set_mode("main", "500", count=1)
    world.confirmed()
    world.clock.advance(60)
    world.poll()
    world.clock.advance(60)
    token, ids = due.claim_deliveries(world.clock(), 10)
    calls = len(world.hook.deliveries)
    dispatcher.deliver_due(token, ids, clock=_running_late(world.clock), threads=0)
    assert len(world.hook.deliveries) == calls


def robbed_lease():
    Lease.objects.update(token="somebody else")


def _after(step, act):
    def stepped(self, job):
        step(self, job)
        act()

    return stepped


def _running_late(clock):
    """A clock that jumps half a minute at every look, as for a process that was put to sleep."""

    def late():
        return clock.advance(30)

    return late


@pytest.mark.parametrize("reason", ["disabled", "paused"])
def test_nobody_polls_or_delivers_what_people_stopped(world, reason):
    world.receiver.set_mode("main", "500", count=1)
    world.confirmed()
    world.clock.advance(60)
    world.poll()
    if reason == "disabled":
        type(world.connection).objects.update(enabled=False)
    else:
        pause([world.connection], by="ana", reason="stock-taking")
    world.clock.advance(3600)
    PollState.objects.wake(world.clock())
    assert due.claim_polls(world.clock(), 10)[1] == []
    assert due.claim_deliveries(world.clock(), 10)[1] == []


def test_a_poller_that_stops_begins_nothing_and_leaves_it_due(world):
    world.receiver.set_mode("main", "500", count=1)
    world.confirmed()
    world.clock.advance(60)
    world.poll()
    world.clock.advance(60)
    tries, calls = len(world.hook.deliveries), sum(world.shop.calls.values())
    token, ids = claim_poll(world)
    poll.poll(token, ids, clock=world.clock, threads=0, closing=lambda: True)
    token, ids = due.claim_deliveries(world.clock(), 10)
    dispatcher.deliver_due(token, ids, clock=world.clock, threads=0, closing=lambda: True)
    assert (len(world.hook.deliveries), sum(world.shop.calls.values())) == (tries, calls)
    assert due.claim_polls(world.clock(), 10)[1] == ids
    assert due.claim_deliveries(world.clock(), 10)[1] == ids
