"""The first run: which orders count as known from before, whatever happens to them later."""

from datetime import timedelta

import pytest

from connections.errors import Temporary
from sync.models import PollState
from sync.repair import reconcile
from sync.repair.deep_check import deep_check
from sync.sources.odoo.source import OdooSource


def confirm_again(world, order_id):
    world.shop.cancel(order_id)
    world.shop.back_to_draft(order_id)
    world.shop.confirm(order_id)


@pytest.mark.parametrize("noted", [True, False], ids=["touched before", "never seen"])
@pytest.mark.parametrize("seeded", [True, False], ids=["offered for resend", "older"])
def test_an_order_from_before_the_start_that_is_confirmed_again_arrives(make_world, noted, seeded):
    world = make_world()
    orders = [world.confirmed() for _ in range(35)]
    world.clock.advance(3600)
    world.wait(minutes=2)
    order_id = orders[-1] if seeded else orders[0]
    if noted:
        world.shop.touch(order_id)
        world.wait(minutes=2)
    assert world.got() == []
    confirm_again(world, order_id)
    world.wait(minutes=2)
    assert [d.body["order"]["id"] for d in world.hook.deliveries] == [order_id]
    world.shop.edit_order(order_id, note="<p>now followed</p>")
    world.wait(minutes=2)
    assert [event for _, event, _ in world.got()] == ["order.confirmed", "order.updated"]


def test_an_order_confirmed_while_the_start_is_read_arrives(make_world, monkeypatch):
    world = make_world()
    world.confirmed()
    world.clock.advance(3600)
    newest, confirmed = OdooSource.newest, []

    def confirmed_meanwhile(source, limit, **chosen):
        confirmed.append(world.confirmed())
        return newest(source, limit, **chosen)

    monkeypatch.setattr(OdooSource, "newest", confirmed_meanwhile)
    world.wait(minutes=2)
    assert [d.body["order"]["id"] for d in world.hook.deliveries] == confirmed


@pytest.mark.parametrize("start", ["now", "all", "date"])
@pytest.mark.parametrize("begun", [False, True], ids=["before the first poll", "in the first window"])
def test_checks_wait_until_the_first_window_is_read(make_world, clock, start, begun):
    world = make_world(start=start, start_at=clock() if start == "date" else None)
    world.confirmed()
    world.clock.advance(3600)
    if begun:
        world.poll()
        PollState.objects.update(window_to=None)
    else:
        PollState.objects.create_missing(world.clock())
    sent = len(world.got())
    assert deep_check(world.connection, clock=world.clock).error_code == "odoo_first_run"
    since = world.clock() - timedelta(days=2)
    wanted = reconcile.ask(world.connection, since=since, repair=True, now=world.clock())
    done = reconcile.run_step(wanted, clock=world.clock)
    assert (done.progress, done.error_code) == ("failed", "odoo_first_run")
    world.deliver()
    assert len(world.got()) == sent


def test_what_is_confirmed_and_delivered_before_everything_open_is_read_arrives(make_world, monkeypatch):
    world = make_world(start="all")

    def down(*_, **__):
        monkeypatch.undo()
        raise Temporary("odoo_unavailable")

    monkeypatch.setattr(OdooSource, "changes", down)
    world.poll()
    assert (world.state.started_at is None, world.state.window_to) == (False, None)
    world.clock.advance(60)
    order_id = world.confirmed()
    world.clock.advance(5)
    world.shop.edit_order(order_id, delivery_status="full")
    world.clock.advance(3600)
    world.wait(minutes=3)
    assert [d.body["order"]["id"] for d in world.hook.deliveries] == [order_id]
