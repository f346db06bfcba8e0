"""Journeys that random histories led to, each of which once ended badly."""

import pytest

from sync import ledger
from sync.models import RetryItem, SeenOrder


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
