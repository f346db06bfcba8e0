"""Receivers that fail: for days, one order only, by asking to wait; nothing is lost and no hand is needed."""

import pytest

from sync.deliveries import session as deliveries_session
from sync.ledger.balance import imbalances
from sync.models import DeliveryAttempt, RetryItem


def test_a_receiver_that_is_down_for_four_days_gets_everything_in_the_end(world):
    world.receiver.set_mode("main", "hang")
    ids = []
    for _ in range(96):
        ids.append(world.confirmed())
        world.wait(hours=1, tick=1200)
    world.shop.cancel(ids[0])
    world.shop.edit_order(ids[1], note="<p>changed meanwhile</p>")
    world.wait(hours=1, tick=1200)
    spent = DeliveryAttempt.objects.count()
    assert spent < 96 * 30 + 20, "while the circuit is open only probes go out"
    world.receiver.hook("main").reset()
    world.wait(minutes=30)
    assert len(world.got()) == 96
    assert len({name for name, _, _ in world.got()}) == 96
    assert not RetryItem.objects.open().exists()
    told = {d.body["order"]["id"]: (d.event, d.version) for d in world.hook.deliveries}
    assert told[ids[0]] == ("order.cancelled", 2)
    assert told[ids[1]] == ("order.confirmed", 2)
    assert imbalances() == []


def test_one_order_that_breaks_the_receiver_does_not_stop_the_others(world):
    poison = world.confirmed(client_order_ref="poison")
    answer = world.receive

    def breaks(method, path, headers, body):
        if b"poison" in body:
            world.receiver.set_mode("main", "500", count=1)
        return answer(method, path, headers, body)

    world.receive = breaks
    for _ in range(30):
        world.confirmed()
        world.wait(minutes=10, tick=60)
    names = {d.body["order"]["id"] for d in world.hook.deliveries if d.status == 200}
    assert len(names) == 30
    assert poison not in names
    assert RetryItem.objects.open().get().order_id == poison


def test_half_open_lets_one_probe_through_whatever_waits(world):
    world.receiver.set_mode("main", "500")
    for _ in range(20):
        world.confirmed()
    world.wait(minutes=2)
    tried = DeliveryAttempt.objects.count()
    world.wait(seconds=130)
    assert DeliveryAttempt.objects.count() - tried <= 2
    world.receiver.set_mode("main", "ok")
    world.wait(minutes=3)
    assert len(world.got()) == 20


@pytest.mark.parametrize("mode", ["500", "503", "408", "425", "redirect", "drop", "hang"])
def test_what_is_not_refused_is_tried_again_until_it_is_taken(world, mode):
    world.receiver.set_mode("main", mode, count=3)
    world.confirmed()
    world.wait(hours=1, tick=30)
    assert len({name for name, _, _ in world.got()}) == 1
    assert RetryItem.objects.get().status == "sent"


def test_a_wait_that_is_asked_for_with_an_error_is_kept(world):
    world.receiver.set_mode("main", "503", retry_after="1800", count=1)
    world.confirmed()
    world.wait(minutes=25)
    assert len(world.hook.deliveries) == 1
    world.wait(minutes=10)
    assert len(world.got()) == 1


def test_a_delivery_rate_is_kept(make_world, monkeypatch):
    world = make_world(deliveries_per_second=0.5, deliveries_at_once=4)
    monkeypatch.setattr(deliveries_session, "sleep", world.clock.advance)
    world.poll()
    world.clock.advance(60)
    for _ in range(12):
        world.confirmed()
    world.wait(minutes=5, tick=1)
    moments = [d.at for d in world.hook.deliveries]
    assert len(moments) == 12
    assert (moments[-1] - moments[0]).total_seconds() >= 11 * 2 - 1
