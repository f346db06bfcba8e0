"""Journeys that random histories led to, each of which once ended badly."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from connections import circuit, circuit_store
from connections.models import Side
from connections.receiver.delivery import Outcome, Verdict
from sync import ledger
from sync.deliveries.session import DeliverySession, never
from sync.ledger import Tried
from sync.models import DeliveryAttempt, RetryItem, SeenOrder
from sync.repair.resend import resend

DELIVERED = Outcome(Verdict.DELIVERED, True, datetime(2026, 11, 20, 12, 0, tzinfo=UTC), 1, status=200)


@pytest.mark.parametrize("version", [16, 17, 18, 19])
def test_an_order_written_twice_in_one_second_with_a_poll_between_arrives_as_it_is(make_world, version):
    world = make_world(version)
    world.poll()
    world.clock.advance(60.1)
    order_id = world.confirmed()
    world.clock.advance(0.2)
    world.poll()
    world.clock.advance(0.2)
    world.shop.edit_order(order_id, note="<p>by the back door</p>")
    world.wait(minutes=2)
    assert [event for _, event, _ in world.got()] == ["order.confirmed", "order.updated"]
    calls = world.shop.calls.total()
    world.wait(minutes=2)
    assert world.shop.calls.total() - calls == 2  # nothing is read again once its second is over
    assert SeenOrder.objects.get().write_date == world.shop.order(order_id)["write_date"].replace(
        microsecond=0
    )


def test_a_discard_is_not_undone_once_the_order_is_cancelled(world):
    world.receiver.set_mode("main", "500")
    order_id = world.confirmed()
    world.wait(minutes=1)
    ledger.discard(RetryItem.objects.all(), by="ana", reason="a mistake", now=world.clock())
    world.shop.cancel(order_id)
    world.receiver.set_mode("main", "ok")
    world.wait(minutes=5)
    assert ledger.retry_now(RetryItem.objects.all(), now=world.clock()) == 0
    world.wait(minutes=1)
    assert world.got() == []


def test_a_cancellation_is_told_when_the_discarded_confirmation_may_have_arrived(world):
    """It was taken, and the answer was lost; somebody saw it there and gave up on our tries."""
    world.receiver.set_mode("main", "hang")
    order_id = world.confirmed()
    world.wait(minutes=1)
    ledger.discard(RetryItem.objects.all(), by="ana", reason="it is there", now=world.clock())
    world.receiver.set_mode("main", "ok")
    world.shop.cancel(order_id)
    world.wait(minutes=5)
    assert world.got()[-1][1:] == ("order.cancelled", 2)


def test_a_cancellation_that_was_discarded_can_be_sent_again(world):
    order_id = world.confirmed()
    world.wait(minutes=1)
    world.receiver.set_mode("main", "500")
    world.shop.cancel(order_id)
    world.wait(minutes=1)
    ledger.discard(RetryItem.objects.pending(), by="ana", reason="a mistake", now=world.clock())
    world.receiver.set_mode("main", "ok")
    assert ledger.retry_now(RetryItem.objects.filter(status="discarded"), now=world.clock()) == 1
    world.wait(minutes=1)
    assert [event for _, event, _ in world.got()] == ["order.confirmed", "order.cancelled"]


@pytest.fixture
def session(world):
    """Serves a receiver that nothing is wrong with."""
    side = circuit_store.load([world.connection.pk], Side.WEBHOOK, world.clock())[world.connection.pk]
    until = world.clock() + timedelta(minutes=1)
    return DeliverySession(world.connection, side, clock=world.clock, closing=never, until=until)


def version(order_id, number):
    return RetryItem(order_id=order_id, version=number)


def test_a_newer_version_waits_for_the_answer_to_the_older_one(session):
    older, newer, other = version(1, 1), version(1, 2), version(2, 1)
    session.give([older])
    assert session.take() is older
    session.give([newer, other])
    assert session.free_senders() == 1
    assert session.take() is other
    assert (session.free_senders(), session.take()) == (0, None)
    session.judge(older, DELIVERED)
    assert session.free_senders() == 1
    assert session.take() is newer


def test_a_newer_version_takes_the_place_of_an_older_one_that_waits(session):
    older, newer = version(1, 1), version(1, 2)
    session.give([older])
    session.give([newer])
    assert session.free_senders() == 1
    assert (session.take(), session.take()) == (newer, None)


def test_what_an_order_is_said_to_be_is_the_last_it_was_said_to_be(world):
    """A cancellation and the confirmation that followed it may be written down together."""
    order_id = world.confirmed()
    world.wait(minutes=2)
    world.shop.cancel(order_id)
    world.wait(minutes=2)
    older = RetryItem.objects.get(version=2)
    world.shop.back_to_draft(order_id)
    world.shop.confirm(order_id)
    world.wait(minutes=2)
    newer = RetryItem.objects.get(version=3)
    for tries in permutations([older, newer]):
        SeenOrder.objects.update(announced="")
        ledger.record([Tried(item, DELIVERED) for item in tries], world.clock())
        assert SeenOrder.objects.get().announced == "confirmed"


def test_a_sender_that_waits_for_its_slot_looks_at_the_circuit_again(world, session, monkeypatch):
    world.connection.deliveries_per_second = 0.5
    session.give([version(1, 1), version(2, 1)])
    assert session.take() is not None

    def opened_meanwhile(seconds):
        world.clock.advance(seconds)
        session.side.health = circuit.Health("open", opened_at=world.clock())

    monkeypatch.setattr("sync.deliveries.session.sleep", opened_meanwhile)
    assert session.take() is None
    world.clock.advance(1)
    session.side.health = circuit.Health()
    assert session.free_senders() == 1


def test_a_sender_that_waits_for_its_slot_counts_as_taking_a_version(world, session, monkeypatch):
    world.connection.deliveries_per_second = 0.5
    session.give([version(1, 1), version(2, 1)])
    session.take()
    free = []
    monkeypatch.setattr(
        "sync.deliveries.session.sleep", lambda seconds: free.append((session.free_senders(), session.take()))
    )
    assert session.take() is not None
    assert free == [(0, None)]


def test_what_a_person_sent_long_before_the_first_poll_is_looked_at_again_with_it(make_world):
    """The shop could not be polled for days; the receiver has an order that was edited since."""
    world = make_world()
    order_id = world.confirmed()
    world.clock.advance(60)
    resend(world.connection, order_ids=[order_id], clock=world.clock)
    world.deliver()
    world.clock.advance(60)
    world.shop.edit_order(order_id, note="<p>by the back door</p>")
    world.clock.advance(70 * 86_400)
    world.wait(minutes=2)
    assert [(event, version) for _, event, version in world.got()] == [
        ("order.confirmed", 1),
        ("order.updated", 2),
    ]


def test_a_cancellation_is_told_when_a_version_was_given_up_whose_try_may_have_died(world):
    """A poller was killed after the receiver had taken it; it was edited, and a person gave up on that."""
    world.receiver.set_mode("main", "hang")
    order_id = world.confirmed()
    world.poll()
    taken = RetryItem.objects.filter(status="pending")
    taken.update(attempts=0, next_retry_at=world.clock() + timedelta(hours=1))
    DeliveryAttempt.objects.all().delete()  # nobody wrote down what was tried
    world.clock.advance(60)
    world.shop.edit_order(order_id, note="<p>changed</p>")
    world.wait(minutes=1)
    ledger.discard(RetryItem.objects.filter(status="pending"), by="ana", reason="a test", now=world.clock())
    world.receiver.set_mode("main", "ok")
    DeliveryAttempt.objects.all().delete()
    world.shop.cancel(order_id)
    world.wait(minutes=5)
    assert world.got()[-1][1] == "order.cancelled"


def test_a_second_cancellation_is_told_when_the_discarded_confirmation_may_have_arrived(world):
    """The receiver knew of its first end, then took that it is confirmed again, and the answer was lost."""
    order_id = world.confirmed()
    world.wait(minutes=2)
    world.shop.cancel(order_id)
    world.wait(minutes=2)
    world.receiver.set_mode("main", "hang")
    world.shop.back_to_draft(order_id)
    world.shop.confirm(order_id)
    world.wait(minutes=1)
    ledger.discard(RetryItem.objects.pending(), by="ana", reason="it is there", now=world.clock())
    world.receiver.set_mode("main", "ok")
    world.shop.cancel(order_id)
    world.wait(minutes=5)
    assert world.got()[-1][1:] == ("order.cancelled", 4)


def test_a_try_without_an_answer_counts_no_longer_once_a_later_version_was_sent(world):
    world.receiver.set_mode("main", "hang")
    order_id = world.confirmed()
    world.wait(minutes=1)
    world.shop.cancel(order_id)
    world.receiver.set_mode("main", "ok")
    world.wait(minutes=5)
    world.receiver.set_mode("main", "500")
    world.shop.back_to_draft(order_id)
    world.shop.confirm(order_id)
    world.wait(minutes=1)
    ledger.discard(RetryItem.objects.pending(), by="ana", reason="a mistake", now=world.clock())
    world.receiver.set_mode("main", "ok")
    world.shop.cancel(order_id)
    world.wait(minutes=5)
    assert [event for _, event, _ in world.got()][-1] == "order.cancelled"
    assert RetryItem.objects.order_by("version").last().version == 3
