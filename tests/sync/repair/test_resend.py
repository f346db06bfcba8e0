"""A person's resend: afresh from Odoo, a new version, marked as replay; and what people do to what waits."""

import pytest

from connections import leases
from connections.errors import RemoteError
from sync.ledger import discard, retry_now
from sync.models import RetryItem, SeenOrder
from sync.polling import turn
from sync.repair.resend import NoSuchOrder, SeveralOrders, resend


def test_the_last_orders_go_out_again_as_odoo_has_them_now(world):
    ids = [world.confirmed() for _ in range(4)]
    world.wait(minutes=2)
    world.shop.edit_line_silently(world.shop.lines(ids[3])[0]["id"], name="Another text")
    items = resend(world.connection, last=3, clock=world.clock)
    assert [item.replay for item in items] == [True] * 3
    world.wait(seconds=10)
    again = list(world.hook.deliveries)[4:]
    assert sorted(d.body["order"]["id"] for d in again) == ids[1:]
    assert all(d.body["replay"] and d.version == 2 and d.event == "order.updated" for d in again)
    assert len({d.event_id for d in world.hook.deliveries}) == 7
    texts = {d.body["order"]["id"]: d.body["items"][0]["name"] for d in again}
    assert texts[ids[3]] == "Another text"


def test_a_seeded_order_is_offered_and_followed_from_then_on(make_world):
    world = make_world()
    order_id = world.confirmed()
    world.clock.advance(3600)
    world.wait(minutes=2)
    resend(world.connection, names=["S00001"], clock=world.clock)
    world.wait(seconds=10)
    world.shop.edit_order(order_id, note="<p>changed</p>")
    world.wait(minutes=2)
    assert [(event, version) for _, event, version in world.got()] == [
        ("order.confirmed", 2),
        ("order.updated", 3),
    ]


def test_a_resend_replaces_what_still_waits(world):
    world.receiver.set_mode("main", "500")
    order_id = world.confirmed()
    world.wait(minutes=2)
    resend(world.connection, order_ids=[order_id], clock=world.clock)
    assert [item.status for item in world.items()] == ["superseded", "pending"]
    world.receiver.set_mode("main", "ok")
    world.wait(minutes=5)
    assert [version for _, _, version in world.got()] == [2]


@pytest.mark.parametrize("chosen", [{"names": ["S99999"]}, {"order_ids": [99999]}])
def test_an_order_that_odoo_does_not_have_is_named(world, chosen):
    with pytest.raises(NoSuchOrder, match="99999"):
        resend(world.connection, clock=world.clock, **chosen)
    assert RetryItem.objects.count() == 0


def test_a_resend_while_odoo_is_down_says_so_and_owes_nothing(world):
    world.confirmed()
    world.wait(minutes=2)
    world.shop.faults.set("down")
    with pytest.raises(RemoteError) as caught:
        resend(world.connection, last=1, clock=world.clock)
    assert caught.value.code.startswith("odoo_")
    assert RetryItem.objects.exclude(status="sent").count() == 0


def test_a_resend_waits_for_its_turn_and_says_when_it_gets_none(world, monkeypatch):
    monkeypatch.setattr(turn, "WAIT_SECONDS", 0)
    leases.claim([world.connection.odoo_lease_key], leases.new_token(), now=world.clock())
    with pytest.raises(turn.Busy):
        resend(world.connection, last=1, clock=world.clock)


def test_pressing_retry_five_times_sends_once(world):
    world.receiver.set_mode("main", "500", count=1)
    world.confirmed()
    world.wait(seconds=61, tick=61)
    for _ in range(5):
        assert retry_now(RetryItem.objects.all(), now=world.clock()) == 1
    world.deliver()
    world.deliver()
    assert [d.status for d in world.hook.deliveries] == [500, 200]
    assert retry_now(RetryItem.objects.all(), now=world.clock()) == 0


def test_a_discard_can_be_undone(world):
    world.receiver.set_mode("main", "422")
    world.confirmed()
    world.wait(seconds=61, tick=61)
    assert discard(RetryItem.objects.all(), by="ana", reason="test order", now=world.clock()) == 1
    world.receiver.set_mode("main", "ok")
    world.wait(hours=1, tick=60)
    assert world.got() == []
    [item] = world.items()
    assert (item.status, item.discarded_by, item.discard_reason) == ("discarded", "ana", "test order")
    assert retry_now(RetryItem.objects.all(), now=world.clock()) == 1
    world.wait(seconds=10)
    assert len(world.got()) == 1


def test_an_old_version_that_was_discarded_cannot_come_after_a_newer_one(world):
    world.receiver.set_mode("main", "422")
    order_id = world.confirmed()
    world.wait(seconds=61, tick=61)
    discard(RetryItem.objects.all(), by="ana", reason="wrong", now=world.clock())
    world.receiver.set_mode("main", "ok")
    world.shop.edit_order(order_id, note="<p>right</p>")
    world.wait(minutes=2)
    assert retry_now(RetryItem.objects.filter(version=1), now=world.clock()) == 0
    world.wait(minutes=2)
    assert [version for _, _, version in world.got()] == [2]
    assert SeenOrder.objects.get().version == 2


# --- by name ----------------------------------------------------------------------------------------------


def renamed(world, order_id, name):
    """Somebody gives an order another name in Odoo."""
    world.shop.edit_order(order_id, name=name)
    world.wait(minutes=2)


def test_a_name_of_two_orders_sends_neither(world):
    first, second = world.confirmed(), world.confirmed()
    world.wait(minutes=2)
    renamed(world, second, "S00001")
    before = RetryItem.objects.count()
    with pytest.raises(SeveralOrders) as told:
        resend(world.connection, names=["S00001"], clock=world.clock)
    assert [order.order_id for order in told.value.orders["S00001"]] == [first, second]
    assert {order.customer for order in told.value.orders["S00001"]} == {"José Ángel Muñoz"}
    assert {order.company for order in told.value.orders["S00001"]} == {"Sandbox Company"}
    assert RetryItem.objects.count() == before


def test_a_former_name_is_a_name(world):
    order_id = world.confirmed()
    world.wait(minutes=2)
    renamed(world, order_id, "S00099")
    [item] = resend(world.connection, names=["S00001"], clock=world.clock)
    assert (item.order_id, item.order_name) == (order_id, "S00099")


def test_a_name_that_went_over_to_another_order_is_of_both(world):
    """Who reads it at the receiver may mean the one that was called so when it was sent."""
    first, second = world.confirmed(), world.confirmed()
    world.wait(minutes=2)
    renamed(world, first, "S00099")
    renamed(world, second, "S00001")
    with pytest.raises(SeveralOrders) as told:
        resend(world.connection, names=["S00001", "S00099"], clock=world.clock)
    assert {name: [order.name for order in orders] for name, orders in told.value.orders.items()} == {
        "S00001": ["S00099", "S00001"]
    }


def test_a_former_name_of_another_connections_order_is_not_meant(world, make_connection):
    other = make_connection(name="Other", external_id="other")
    order_id = world.confirmed()
    world.wait(minutes=2)
    row = SeenOrder.objects.values().get()
    SeenOrder.objects.create(**row | {"id": None, "connection_id": other.pk, "order_id": 77})
    [item] = resend(world.connection, names=["S00001"], clock=world.clock)
    assert item.order_id == order_id


def test_what_is_gone_from_odoo_is_nobody_to_choose_from(world):
    first, second = world.confirmed(), world.confirmed()
    world.wait(minutes=2)
    renamed(world, second, "S00001")
    world.shop.cancel(second)
    world.shop.unlink(second)
    [item] = resend(world.connection, names=["S00001"], clock=world.clock)
    assert item.order_id == first


def test_names_cost_one_call_as_before(world):
    world.confirmed()
    world.wait(minutes=2)
    world.shop.calls.clear()
    resend(world.connection, names=["S00001"], clock=world.clock)
    assert world.shop.calls == {("sale.order", "search_read"): 1, ("sale.order", "web_search_read"): 1}
