"""Numbers that a restore gave back and other orders got: first the one ends, then the other begins."""

from datetime import timedelta

import pytest

from sync import ledger
from sync.models import PollState, RetryItem
from sync.polling import poll
from sync.repair import reconcile
from sync.repair.deep_check import deep_check
from sync.repair.resend import resend

ENDED_AND_BEGUN = [("order.confirmed", 1), ("order.cancelled", 2), ("order.confirmed", 3)]


def told(world, order_id):
    return [
        (d.event, d.version)
        for d in world.hook.deliveries
        if d.status < 300 and d.body["order"]["id"] == order_id
    ]


def test_a_number_given_again_ends_the_old_order_and_begins_the_new_one(world):
    world.confirmed()
    world.wait(minutes=2)
    backup = world.shop.world.snapshot()
    world.wait(minutes=30)
    lost = world.confirmed()
    world.wait(minutes=2)
    world.shop.world.restore(backup)
    other = world.shop.add_partner("Somebody else")
    again = world.shop.sell(other)
    assert again == lost
    world.wait(minutes=5)
    assert told(world, lost) == [("order.confirmed", 1), ("order.cancelled", 2), ("order.confirmed", 3)]
    cancelled, fresh = list(world.hook.deliveries)[-2:]
    assert cancelled.body["customer"]["name"] != "Somebody else"
    assert fresh.body["customer"]["name"] == "Somebody else"
    assert len({each.body["external_id"] for each in (cancelled, fresh)}) == 1


def test_the_new_order_waits_until_the_receiver_knows_of_the_end(world):
    backup = world.shop.world.snapshot()
    lost = world.confirmed()
    world.wait(minutes=2)
    world.shop.world.restore(backup)
    assert world.confirmed() == lost
    world.receiver.set_mode("main", "500")
    world.wait(minutes=10)
    assert RetryItem.objects.get(status="pending").event == "order.cancelled"
    world.receiver.set_mode("main", "ok")
    world.wait(minutes=15)
    assert told(world, lost) == [("order.confirmed", 1), ("order.cancelled", 2), ("order.confirmed", 3)]
    assert not PollState.objects.get().has_rereads


def by_deep_check(world, order_id):
    deep_check(world.connection, clock=world.clock)


def by_reconciliation(world, order_id):
    since = world.clock() - timedelta(days=2)
    wanted = reconcile.ask(world.connection, since=since, repair=True, now=world.clock())
    reconcile.run_step(wanted, clock=world.clock)


def by_poll(world, order_id):
    """It was cancelled before the restore, and the receiver did not answer."""
    world.receiver.set_mode("main", "500")
    world.shop.cancel(order_id)
    world.poll()
    world.receiver.set_mode("main", "ok")


@pytest.fixture(params=[by_deep_check, by_reconciliation, by_poll])
def lost(world, request):
    """An order whose end is owed, and not told yet; its number is free."""
    backup = world.shop.world.snapshot()
    order_id = world.confirmed()
    world.wait(minutes=2)
    if request.param is by_poll:
        by_poll(world, order_id)
        world.shop.world.restore(backup)
    else:
        world.shop.world.restore(backup)
        request.param(world, order_id)
    assert RetryItem.objects.get(status="pending").event == "order.cancelled"
    return order_id


def test_an_end_that_was_found_before_the_number_was_given_again_is_told_first(world, lost):
    assert world.confirmed() == lost
    world.poll()
    world.wait(minutes=15)
    assert told(world, lost) == ENDED_AND_BEGUN


def test_a_number_that_is_given_again_twice_waits_for_the_first_end(world, lost):
    backup = world.shop.world.snapshot()
    assert world.confirmed() == lost
    world.poll()
    world.shop.world.restore(backup)
    world.clock.advance(10)
    other = world.shop.add_partner("Somebody else")
    assert world.shop.sell(other) == lost
    world.poll()
    world.wait(minutes=15)
    assert told(world, lost) == ENDED_AND_BEGUN
    assert world.hook.deliveries[-1].body["customer"]["name"] == "Somebody else"


def test_a_new_order_that_a_person_sends_again_waits_for_the_end_of_the_old_one(world, lost):
    assert world.confirmed() == lost
    assert resend(world.connection, order_ids=[lost], clock=world.clock) == []
    world.wait(minutes=15)
    assert told(world, lost) == ENDED_AND_BEGUN


def test_an_end_that_a_person_gave_up_holds_no_new_order_back(world, lost):
    ledger.discard(RetryItem.objects.pending(), by="ana", reason="known", now=world.clock())
    assert world.confirmed() == lost
    world.wait(minutes=5)
    assert told(world, lost) == [("order.confirmed", 1), ("order.confirmed", 3)]


def test_an_end_that_is_given_up_while_the_new_order_waits_lets_it_go(world, lost):
    world.receiver.set_mode("main", "500")
    assert world.confirmed() == lost
    world.poll()
    ledger.discard(RetryItem.objects.pending(), by="ana", reason="known", now=world.clock())
    world.receiver.set_mode("main", "ok")
    world.wait(minutes=15)
    assert told(world, lost) == [("order.confirmed", 1), ("order.confirmed", 3)]


def test_a_new_order_that_could_not_be_read_after_the_end_was_told_is_read_again(world, monkeypatch):
    """It waited beyond the look-back for the receiver; orders are read in portions, and one went wrong."""
    backup = world.shop.world.snapshot()
    lost = world.confirmed()
    world.wait(minutes=2)
    world.shop.world.restore(backup)
    assert world.confirmed() == lost
    world.receiver.set_mode("main", "500")
    world.wait(hours=2, tick=300)
    world.receiver.set_mode("main", "ok")
    world.clock.advance(7200)
    world.deliver()
    assert told(world, lost) == ENDED_AND_BEGUN[:2]
    world.confirmed()
    monkeypatch.setattr(poll, "READ_LIMIT", 1)
    monkeypatch.setattr(poll, "read_whole", _failing_once_for(world, lost))
    assert world.poll().error_code
    world.wait(minutes=5)
    assert told(world, lost) == ENDED_AND_BEGUN


def _failing_once_for(world, order_id):
    read, failures = poll.read_whole, iter(["bad_gateway"])

    def read_or_fail(source, ids):
        if ids == [order_id] and (fault := next(failures, None)):
            world.shop.faults.set(fault, count=1)
        return read(source, ids)

    return read_or_fail
