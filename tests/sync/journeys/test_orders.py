"""Orders on their way: poll and deliver against a shop and a receiver, told by what the receiver got."""

import pytest

from sync.models import DeliveryAttempt, RetryItem, SeenOrder, SentOrder, SyncLog


@pytest.mark.parametrize("version", [16, 17, 18, 19])
def test_a_confirmed_order_arrives_once_signed_and_whole(make_world, version):
    world = make_world(version)
    world.poll()
    world.clock.advance(60)
    order_id = world.confirmed()
    world.clock.advance(60)
    log = world.poll()
    assert (log.orders_found, log.orders_sent, log.orders_failed, log.error_code) == (1, 1, 0, "")
    [delivery] = world.hook.deliveries
    assert delivery.signature == "ok"
    assert delivery.body["order"]["id"] == order_id
    assert delivery.body["event"] == "order.confirmed"
    assert delivery.body["version"] == 1
    assert delivery.headers["x-odoo-connection-id"] == "shop-1"
    world.clock.advance(60)
    log = world.poll()
    assert (log.orders_found, log.calls) == (0, 1)
    assert len(world.hook.deliveries) == 1
    sent = SentOrder.objects.get()
    assert (sent.order_id, sent.version, sent.seeded) == (order_id, 1, False)
    assert RetryItem.objects.get().status == "sent"
    assert DeliveryAttempt.objects.get().delivered


@pytest.mark.parametrize(("version", "most"), [(16, 5), (17, 2), (18, 2), (19, 2)])
def test_calls_do_not_grow_with_orders(make_world, version, most):
    world = make_world(version)
    world.poll()
    world.clock.advance(60)
    for _ in range(60):
        world.confirmed()
    world.clock.advance(60)
    log = world.poll()
    assert log.orders_sent == 60
    assert log.calls <= most
    world.clock.advance(60)
    assert world.poll().calls == 1


def test_a_touch_sends_nothing_and_a_change_sends_one_update(world):
    order_id = world.confirmed()
    world.wait(minutes=2)
    for _ in range(5):
        world.shop.touch(order_id)
        world.wait(minutes=1)
    assert len(world.got()) == 1
    line = world.shop.lines(order_id)[0]
    world.shop.change_line(line["id"], quantity=7)
    world.wait(minutes=2)
    assert [(event, version) for _, event, version in world.got()] == [
        ("order.confirmed", 1),
        ("order.updated", 2),
    ]


def test_a_cancelled_order_is_told_and_so_is_its_return(world):
    order_id = world.confirmed()
    world.wait(minutes=2)
    world.shop.cancel(order_id)
    world.wait(minutes=2)
    world.shop.back_to_draft(order_id)
    world.shop.confirm(order_id)
    world.wait(minutes=2)
    assert [event for _, event, _ in world.got()] == ["order.confirmed", "order.cancelled", "order.confirmed"]
    assert [version for _, _, version in world.got()] == [1, 2, 3]


def test_a_receiver_that_fails_gets_the_same_event_and_bytes_again(world):
    world.receiver.set_mode("main", "500", count=2)
    world.confirmed()
    world.wait(minutes=10)
    tries = list(world.hook.deliveries)
    assert [d.status for d in tries] == [500, 500, 200]
    assert len({d.event_id for d in tries}) == len({d.raw for d in tries}) == 1
    assert RetryItem.objects.get().attempts == 3
    assert list(DeliveryAttempt.objects.order_by("id").values_list("number", flat=True)) == [1, 2, 3]


def test_an_older_version_is_never_sent_after_a_newer_one(world):
    world.receiver.set_mode("main", "500")
    order_id = world.confirmed()
    world.wait(seconds=70)
    world.shop.change_line(world.shop.lines(order_id)[0]["id"], quantity=9)
    world.wait(seconds=70)
    world.receiver.set_mode("main", "ok")
    world.wait(minutes=5)
    assert [version for _, _, version in world.got()] == [2]
    assert [item.status for item in world.items()] == ["superseded", "sent"]


def test_retries_go_on_while_odoo_is_down(world):
    world.receiver.set_mode("main", "503", count=1)
    world.confirmed()
    world.wait(seconds=61, tick=61)
    world.shop.faults.set("down")
    world.wait(minutes=3)
    assert len(world.got()) == 1
    assert world.state.failures > 0


def test_an_open_receiver_circuit_spends_no_attempts_and_reading_goes_on(world):
    world.receiver.set_mode("main", "500")
    for _ in range(8):
        world.confirmed()
    world.wait(minutes=2)
    spent = DeliveryAttempt.objects.count()
    world.confirmed()
    world.wait(seconds=60)
    assert SeenOrder.objects.count() == 9
    assert DeliveryAttempt.objects.count() <= spent + 1  # at most the probe
    world.receiver.set_mode("main", "ok")
    world.wait(minutes=5)
    assert len(world.got()) == 9
    assert len({name for name, _, _ in world.got()}) == 9


def test_a_refused_payload_stops_after_the_fifth_try_and_needs_a_person(world):
    world.receiver.set_mode("main", "422")
    world.confirmed()
    world.wait(hours=2, tick=60)
    [item] = world.items()
    assert (item.status, item.attempts, item.error_code) == ("failed", 5, "receiver_refused")
    assert "told to answer 422" in DeliveryAttempt.objects.first().answer


def test_a_receiver_that_is_gone_is_paused_until_somebody_resumes_it(world):
    world.receiver.set_mode("main", "410")
    world.confirmed()
    world.wait(hours=1, tick=60)
    assert len(world.hook.deliveries) == 1
    assert world.connection.circuits.get(side="webhook").paused_reason == "HTTP 410"
    assert [item.status for item in world.items()] == ["pending"]


def test_a_receiver_that_asks_to_wait_is_left_alone_until_then(world):
    world.receiver.set_mode("main", "429", retry_after="300", count=1)
    world.confirmed()
    world.confirmed()
    world.wait(minutes=5)
    assert len(world.hook.deliveries) == 1
    world.wait(minutes=3)
    assert len(world.got()) == 2


def test_a_first_run_from_now_on_sends_nothing_old_but_offers_it(make_world):
    world = make_world()
    old = [world.confirmed() for _ in range(35)]
    world.clock.advance(3600)
    world.wait(minutes=2)
    assert world.got() == []
    assert SentOrder.objects.filter(seeded=True).count() == 30
    world.shop.edit_order(old[0], note="<p>late change</p>")
    world.shop.edit_order(old[-1], note="<p>late change</p>")
    world.confirmed()
    world.wait(minutes=2)
    assert len(world.got()) == 1


def test_a_first_run_with_everything_open(make_world):
    world = make_world(start="all")
    for _ in range(5):
        world.confirmed()
    world.clock.advance(3600 * 24 * 30)
    world.wait(minutes=2)
    assert len(world.got()) == 5


def test_a_first_run_from_a_date(make_world, clock):
    world = make_world(start="date", start_at=clock() + clock().resolution)
    world.clock.advance(-3600)
    world.confirmed()
    world.clock.advance(7200)
    new = world.confirmed()
    world.clock.advance(3600)
    world.wait(minutes=2)
    assert [d.body["order"]["id"] for d in world.hook.deliveries] == [new]


def test_an_order_that_shows_late_behind_the_window_is_found(world):
    late = world.quotation()
    tx = world.shop.begin()
    world.shop.confirm(late, tx=tx)
    world.wait(minutes=15)
    world.confirmed()
    world.wait(minutes=2)
    tx.commit()
    world.wait(minutes=2)
    assert len(world.got()) == 2


def test_every_poll_is_logged(world):
    world.poll()
    logs, calls = SyncLog.objects.count(), world.shop.calls.total()
    world.wait(minutes=10)
    assert SyncLog.objects.count() - logs == world.shop.calls.total() - calls >= 10
