"""The old poller's eight failures, and three more, by the names they were reported with."""

from datetime import timedelta

import pytest

from connections.models import Circuit
from sync.ledger.balance import imbalances
from sync.models import RetryItem
from sync.polling import poll


def polls(world, count):
    """How many orders each of so many polls delivered."""
    sent = []
    for _ in range(count):
        world.clock.advance(60)
        log = world.poll()
        sent.append(log.orders_sent if log else 0)  # None while the circuit is open
    return sent


def test_empty_shop_three_polls_then_3_confirmed_orders(make_world):
    world = make_world()
    world.poll()
    assert polls(world, 2) == [0, 0]
    for _ in range(3):
        world.confirmed()
    assert sum(polls(world, 2)) == 3
    assert len(world.got()) == 3


@pytest.mark.parametrize("version", [16, 19])
def test_200_orders_with_one_stamp_four_successive_polls(make_world, version, monkeypatch):
    monkeypatch.setattr(poll, "FEED_LIMIT", 30)
    world = make_world(version)
    world.poll()
    world.clock.advance(60)
    with world.shop.begin() as tx:
        for order_id in [world.quotation() for _ in range(200)]:
            world.shop.confirm(order_id, tx=tx)
    assert polls(world, 4) == [200, 0, 0, 0]
    assert len(world.got()) == 200


@pytest.mark.parametrize("version", [16, 17, 18, 19])
def test_second_order_written_later_in_the_same_second_as_the_watermark(make_world, version):
    world = make_world(version)
    world.poll()
    world.clock.advance(60.2)
    world.confirmed()
    world.clock.advance(0.1)
    world.poll()
    world.clock.advance(0.4)
    world.confirmed()
    polls(world, 2)
    assert len(world.got()) == 2


@pytest.mark.parametrize("version", [16, 17, 18, 19])
def test_order_stamped_10_s_before_the_watermark_committed_after_it(make_world, version):
    world = make_world(version)
    world.poll()
    world.clock.advance(60)
    late = world.quotation()
    tx = world.shop.begin()
    world.shop.confirm(late, tx=tx)
    world.clock.advance(10)
    world.confirmed()
    polls(world, 1)
    tx.commit()
    polls(world, 1)
    assert sorted(d.body["order"]["id"] for d in world.hook.deliveries) == [late, late + 1]


def test_one_failing_order_five_polls(world):
    world.receiver.set_mode("main", "500")
    world.confirmed()
    polls(world, 5)
    assert RetryItem.objects.open().count() == RetryItem.objects.count() == 1


def test_retries_due_the_poll_finds_no_orders(world):
    world.receiver.set_mode("main", "500", count=1)
    world.confirmed()
    polls(world, 1)
    world.clock.advance(60)
    assert world.poll().orders_found == 0
    world.deliver()
    assert len(world.got()) == 1


@pytest.mark.parametrize("mode", ["500", "drop"])
def test_tries_run_out_then_the_receiver_recovers(world, mode):
    world.receiver.set_mode("main", mode)
    world.confirmed()
    world.wait(hours=100, tick=3600)
    assert RetryItem.objects.get().attempts >= 5
    world.receiver.set_mode("main", "ok")
    world.wait(hours=7, tick=3600)
    assert len(world.got()) == 1
    assert RetryItem.objects.get().status == "sent"


def test_version_1_fails_version_2_delivered_then_the_retry_runs(world):
    world.receiver.set_mode("main", "500", count=1)
    order_id = world.confirmed()
    polls(world, 1)
    world.shop.edit_order(order_id, note="<p>version 2</p>")
    polls(world, 1)
    world.wait(hours=2, tick=60)
    assert [version for _, _, version in world.got()] == [2]
    assert "version 2" in world.hook.deliveries[-1].body["order"]["note"]
    assert imbalances() == []


def test_an_open_circuit_on_the_odoo_side_does_not_stop_retries_to_a_healthy_receiver(world):
    world.receiver.set_mode("main", "500", count=1)
    world.confirmed()
    polls(world, 1)
    world.shop.faults.set("error_500")
    polls(world, 6)
    assert Circuit.objects.get(side="odoo").state == "open"
    world.deliver()
    assert len(world.got()) == 1


def test_the_clock_of_a_circuit_survives_a_restart(world):
    """Nothing of it is in memory: each poll and each delivery here loads it anew."""
    world.receiver.set_mode("main", "500")
    for _ in range(6):
        world.confirmed()
    polls(world, 1)
    opened = Circuit.objects.get(side="webhook").opened_at
    assert opened == world.clock()
    world.clock.advance(100)
    world.deliver()
    assert Circuit.objects.get(side="webhook").opened_at == opened
    world.receiver.set_mode("main", "ok")
    world.clock.now = opened + timedelta(seconds=120)
    world.deliver()
    assert len(world.got()) == 6


def test_a_cancelled_order_is_noticed(world):
    order_id = world.confirmed()
    polls(world, 1)
    world.shop.cancel(order_id)
    polls(world, 1)
    assert [event for _, event, _ in world.got()] == ["order.confirmed", "order.cancelled"]
