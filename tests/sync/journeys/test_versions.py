"""Versions and events: what makes a new one, what does not, who wants which, and who goes first."""

from datetime import timedelta
from itertools import permutations

import pytest

from sync import due
from sync.deliveries import dispatcher
from sync.ledger import retry_now
from sync.ledger.balance import imbalances
from sync.models import PollState, RetryItem, SeenOrder
from sync.repair.resend import resend


def test_a_thousand_touches_send_nothing(world):
    orders = [world.confirmed() for _ in range(20)]
    world.wait(minutes=2)
    for _ in range(50):
        for order_id in orders:
            world.shop.touch(order_id)
        world.clock.advance(60)
        world.poll()
    assert len(world.got()) == 20
    assert set(SeenOrder.objects.values_list("version", flat=True)) == {1}


@pytest.mark.parametrize(
    "change",
    [
        lambda world, order: world.shop.change_line(world.shop.lines(order)[0]["id"], quantity=8),
        lambda world, order: world.shop.edit_order(order, note="<p>Ring twice</p>"),
        lambda world, order: world.shop.edit_order(
            order, commitment_date=(world.clock() + timedelta(days=3)).replace(microsecond=0)
        ),
        lambda world, order: world.shop.edit_order(
            order, partner_shipping_id=world.shop.add_partner("Almacén", street="Calle 1")
        ),
    ],
    ids=["quantity", "note", "promised date", "address"],
)
def test_a_visible_change_sends_one_update(world, change):
    order_id = world.confirmed()
    world.wait(minutes=2)
    change(world, order_id)
    world.wait(minutes=30)
    assert [(event, version) for _, event, version in world.got()] == [
        ("order.confirmed", 1),
        ("order.updated", 2),
    ]


def test_locking_an_order_is_no_change(make_world):
    for version in (16, 19):
        world = make_world(version, name=f"v{version}", external_id=f"v{version}")
        world.poll()
        world.clock.advance(60)
        order_id = world.confirmed()
        world.wait(minutes=2)
        world.shop.lock(order_id)
        world.wait(minutes=2)
        assert len(world.got()) == 1
        world.connection.delete()


@pytest.mark.parametrize(
    ("wanted", "got"),
    [
        (["order.confirmed"], ["order.confirmed", "order.confirmed"]),
        (["order.confirmed", "order.updated"], ["order.confirmed", "order.updated", "order.confirmed"]),
        (["order.cancelled"], ["order.cancelled"]),
        (["order.updated"], ["order.updated"]),
        ([], []),
    ],
)
def test_a_receiver_hears_only_of_what_it_wants(make_world, wanted, got):
    world = make_world(events=wanted)
    world.poll()
    world.clock.advance(60)
    order_id = world.confirmed()
    world.wait(minutes=2)
    world.shop.edit_order(order_id, note="<p>changed</p>")
    world.wait(minutes=2)
    world.shop.cancel(order_id)
    world.wait(minutes=2)
    world.shop.back_to_draft(order_id)
    world.shop.confirm(order_id)
    world.wait(minutes=2)
    assert [event for _, event, _ in world.got()] == got
    assert imbalances() == []


def test_an_unwanted_cancellation_still_stops_what_waits(make_world):
    world = make_world(events=["order.confirmed"])
    world.poll()
    world.clock.advance(60)
    world.receiver.set_mode("main", "500")
    order_id = world.confirmed()
    world.wait(minutes=2)
    world.shop.cancel(order_id)
    world.wait(minutes=2)
    world.receiver.set_mode("main", "ok")
    world.wait(hours=8, tick=120)
    assert world.got() == []
    assert [item.status for item in world.items()] == ["superseded"]


def _poll(world):
    world.clock.advance(1)
    world.poll()


def _resend(world):
    world.clock.advance(1)
    resend(world.connection, order_ids=[1], clock=world.clock)


def _retry(world):
    world.clock.advance(1)
    retry_now(RetryItem.objects.all(), now=world.clock())
    world.deliver()


def _edit(world):
    world.clock.advance(1)
    world.shop.edit_order(1, note=f"<p>{world.clock()}</p>")


def _names(acts):
    return "".join(act.__name__ for act in acts)


@pytest.mark.parametrize("order", list(permutations([_poll, _resend, _retry, _edit])), ids=_names)
def test_poll_resend_and_retry_in_any_order_end_on_the_newest_version(world, order):
    world.receiver.set_mode("main", "500", count=1)
    assert world.confirmed() == 1
    world.clock.advance(60)
    world.poll()
    for act in order:
        act(world)
    world.wait(minutes=5)
    versions = [version for _, _, version in world.got()]
    assert versions == sorted(set(versions))
    assert world.hook.deliveries[-1].body["order"]["note"] == world.shop.order(1)["note"]
    assert not RetryItem.objects.open().exists()
    assert imbalances() == []


def test_a_newer_version_found_while_an_older_one_is_on_its_way_comes_after_it(world):
    """The poll supersedes what a session has already taken into its hands."""
    world.receiver.set_mode("main", "500", count=1)
    order_id = world.confirmed()
    world.clock.advance(60)
    world.poll()
    world.clock.advance(60)
    token, ids = due.claim_deliveries(world.clock(), 10)
    answer = world.receive

    def slow(*request):
        world.receive = answer
        world.shop.edit_order(order_id, note="<p>newer</p>")
        world.clock.advance(5)
        world.poll()
        return answer(*request)

    world.receive = slow
    dispatcher.deliver_due(token, ids, clock=world.clock, threads=0)
    world.wait(minutes=2)
    assert [version for _, _, version in world.got()] == [1, 2]
    assert sorted(item.status for item in world.items()) == ["sent", "sent"]
    assert PollState.objects.get().deliver_at is None
    assert imbalances() == []
