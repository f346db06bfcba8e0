"""Deep checks and reconciliations find what no poll can see, repair it, and are clean after."""

from datetime import timedelta

import pytest

from connections import leases
from connections.models import pause, resume
from sync import retention
from sync.models import Reconciliation, SeenOrder, SyncLog
from sync.polling import turn
from sync.repair import reconcile
from sync.repair.deep_check import deep_check


def compare(world, *, repair=False):
    since = world.clock() - timedelta(days=2)
    wanted = reconcile.ask(world.connection, since=since, repair=repair, now=world.clock())
    return reconcile.run_step(wanted, clock=world.clock)


def check(world):
    log = deep_check(world.connection, clock=world.clock)
    world.wait(seconds=20)
    return log


@pytest.mark.parametrize(
    "change",
    [
        lambda world, order: world.shop.edit_line_silently(world.shop.lines(order)[0]["id"], name="Other"),
        lambda world, order: world.shop.edit_line_silently(world.shop.lines(order)[0]["id"], sequence=99),
        lambda world, order: world.shop.edit_partner(world.shop.customer_id, street="Calle Nueva 5"),
    ],
    ids=["a line's text", "a line's place", "the customer's street"],
)
def test_a_change_that_moves_no_stamp_is_found_by_the_deep_check(world, change):
    order_id = world.confirmed()
    world.wait(minutes=30)
    change(world, order_id)
    world.wait(minutes=30)
    assert len(world.got()) == 1
    log = check(world)
    assert (log.kind, log.orders_found, log.orders_skipped) == ("deep_check", 1, 0)
    assert log.calls >= 2
    assert [(event, version) for _, event, version in world.got()][1:] == [("order.updated", 2)]
    assert check(world).orders_skipped == 1
    assert len(world.got()) == 2


@pytest.mark.parametrize("deleted", [True, False])
def test_an_order_cancelled_and_taken_away_between_two_polls_is_told(world, deleted):
    order_id = world.confirmed()
    world.wait(minutes=2)
    world.shop.cancel(order_id)
    if deleted:
        world.shop.unlink(order_id)
    else:
        world.shop.back_to_draft(order_id)
    world.wait(minutes=2)
    assert len(world.got()) == 1
    check(world)
    assert [event for _, event, _ in world.got()] == ["order.confirmed", "order.cancelled"]
    body = world.hook.deliveries[-1].body
    assert (body["order"]["state"], body["order"]["id"], len(body["items"])) == ("cancel", order_id, 1)


def test_fully_delivered_orders_are_not_read_again(world):
    order_id = world.confirmed()
    world.shop.edit_order(order_id, delivery_status="full")
    world.wait(minutes=2)
    assert check(world).orders_found == 0


def test_each_kind_of_difference_is_named_and_repaired_and_a_second_run_is_clean(world):
    orders = [world.confirmed() for _ in range(6)]
    world.wait(minutes=2)
    missing, stale, cancelled, deleted, extra, fine = orders
    SeenOrder.objects.filter(order_id=missing).delete()
    world.connection.sent_orders.filter(order_id=missing).delete()
    world.connection.retry_items.filter(order_id=missing).delete()
    world.clock.advance(5)
    world.shop.edit_order(stale, note="<p>new</p>")
    world.shop.cancel(cancelled)
    for gone in (deleted, extra):
        world.shop.cancel(gone)
    world.shop.unlink(deleted)
    world.shop.back_to_draft(extra)
    result = compare(world)
    verdicts = {each["order_id"]: each["verdict"] for each in result.differences}
    assert verdicts == {
        missing: "missing",
        stale: "stale",
        cancelled: "cancelled",
        deleted: "deleted",
        extra: "extra",
    }
    assert result.counts == dict.fromkeys(reconcile.VERDICTS, 0) | dict.fromkeys(verdicts.values(), 1)
    assert not result.is_clean
    repaired = compare(world, repair=True)
    assert repaired.counts == result.counts
    world.wait(seconds=20)
    assert compare(world).is_clean
    last = {d.body["order"]["id"]: d.event for d in world.hook.deliveries}
    assert last == {
        missing: "order.confirmed",
        stale: "order.updated",
        cancelled: "order.cancelled",
        deleted: "order.cancelled",
        extra: "order.cancelled",
        fine: "order.confirmed",
    }


def test_orders_from_before_the_start_are_no_difference(make_world):
    world = make_world()
    for _ in range(40):
        world.confirmed()
    world.clock.advance(7200)
    world.wait(minutes=2)
    assert compare(world).is_clean


def test_a_user_who_may_no_longer_see_an_order_is_not_taken_for_a_deletion(world):
    world.confirmed()
    world.wait(minutes=2)
    world.shop.poller.own_documents = True
    result = compare(world, repair=True)
    assert (result.progress, result.is_clean) == ("done", True)
    world.wait(minutes=1)
    assert [event for _, event, _ in world.got()] == ["order.confirmed"]


def test_checks_of_a_shop_that_is_down_say_so(world):
    world.shop.faults.set("down")
    log = deep_check(world.connection, clock=world.clock)
    assert log.error_code.startswith("odoo_")
    assert SyncLog.objects.filter(kind="deep_check").count() == 1
    assert compare(world).progress == "failed"


class Slow:
    """A clock on which every look takes half a minute."""

    def __init__(self, clock):
        self.clock = clock

    def __call__(self):
        return self.clock.advance(31)


@pytest.fixture
def long(world, monkeypatch):
    """Seven orders, three in a page, and each page takes as long as one slice may."""
    monkeypatch.setattr(reconcile, "PAGE", 3)
    monkeypatch.setattr("sync.repair.compare.PAGE", 2)
    orders = [world.confirmed() for _ in range(7)]
    world.wait(minutes=2)
    world.shop.cancel(orders[0])
    world.shop.edit_order(orders[3], note="<p>new</p>")
    world.shop.cancel(orders[5])
    world.shop.unlink(orders[5])
    SeenOrder.objects.filter(order_id=orders[6]).delete()
    world.connection.sent_orders.filter(order_id=orders[6]).delete()
    world.connection.retry_items.filter(order_id=orders[6]).delete()
    world.orders = orders
    return world


def asked(world, **how):
    since = world.clock() - timedelta(days=2)
    return reconcile.ask(world.connection, since=since, now=world.clock(), **how)


def test_a_long_comparison_gives_way_to_polls_and_goes_on(long):
    whole = reconcile.run_step(asked(long, repair=False), clock=long.clock)
    wanted, slices = asked(long, repair=True), 0
    while wanted.progress == "waiting":
        assert wanted.finished_at is None and not wanted.is_clean
        wanted = reconcile.run_step(wanted, clock=Slow(long.clock))
        slices += 1
        assert long.poll(), "its turn is free between slices"
    assert slices == 3
    assert wanted.progress == "done" and wanted.finished_at
    first, fourth, sixth, last = (long.orders[n] for n in (0, 3, 5, 6))
    verdicts = {each["order_id"]: each["verdict"] for each in whole.differences}
    assert verdicts == {first: "cancelled", fourth: "stale", sixth: "deleted", last: "missing"}
    assert (whole.orders_compared, whole.counts["deleted"]) == (7, 1)
    long.wait(minutes=1)
    assert reconcile.run_step(asked(long, repair=False), clock=long.clock).is_clean


def test_in_slices_the_verdicts_are_the_same(long):
    whole = reconcile.run_step(asked(long, repair=False), clock=long.clock)
    wanted = asked(long, repair=False)
    while wanted.progress == "waiting":
        wanted = reconcile.run_step(wanted, clock=Slow(long.clock))
    assert (wanted.counts, wanted.differences) == (whole.counts, whole.differences)
    assert wanted.orders_compared == whole.orders_compared == 7
    assert wanted.calls >= whole.calls


def test_the_next_slice_is_due_like_one_that_was_just_asked_for(long):
    slow = Slow(long.clock)
    wanted = reconcile.run_step(asked(long, repair=False), clock=slow)
    assert wanted.progress == "waiting" and wanted.after_id == long.orders[2]
    assert list(Reconciliation.objects.due(slow())) == [wanted]


def test_in_the_background_one_that_gets_no_turn_waits_and_does_not_fail(world):
    world.confirmed()
    world.wait(minutes=2)
    leases.claim([turn.work_lease_key(world.connection.odoo_lease_key)], "somebody", now=world.clock())
    wanted = reconcile.run_step(asked(world, repair=False), clock=world.clock, in_background=True)
    assert (wanted.progress, wanted.error_code, wanted.finished_at) == ("waiting", "", None)
    assert not Reconciliation.objects.due(world.clock()).exists()
    assert Reconciliation.objects.due(world.clock.advance(turn.BUSY_SECONDS)).exists()
    world.clock.advance(leases.LEASE_SECONDS)
    assert reconcile.run_step(wanted, clock=world.clock, in_background=True).is_clean


def test_a_slice_that_finds_odoo_busy_comes_back(long, monkeypatch):
    monkeypatch.setattr("sync.polling.turn.WAIT_SECONDS", 0)
    wanted = reconcile.run_step(asked(long, repair=False), clock=Slow(long.clock))
    before = (wanted.counts, wanted.differences, wanted.orders_compared)
    token = leases.new_token()
    leases.claim([long.connection.odoo_lease_key], token, now=long.clock(), seconds=600)
    wanted = reconcile.run_step(wanted, clock=long.clock)
    assert (wanted.progress, wanted.error_code, wanted.finished_at) == ("waiting", "", None)
    assert (wanted.counts, wanted.differences, wanted.orders_compared) == before


@pytest.mark.parametrize("days", [2, 20, 100])
def test_what_a_poll_missed_before_a_long_pause_is_found_after_it(world, days):
    """It was committed later than the look-back and wholly delivered: no deep check asks for it either."""
    world.wait(minutes=2)
    reconcile.reconcile_due(world.connection, clock=world.clock)
    world.wait(hours=1, tick=60)
    order_id = world.confirmed()
    world.shop.edit_order(order_id, delivery_status="full")
    stamp = world.clock() - timedelta(minutes=40)
    world.shop.world.store("sale.order", order_id, {**world.shop.order(order_id), "write_date": stamp})
    world.wait(minutes=5)
    pause([world.connection], by="ana", reason="a test", sides=["odoo"])
    world.clock.advance(days=days)
    retention.housekeep(world.clock())
    resume([world.connection])
    world.wait(minutes=5)
    check(world)
    assert world.got() == []
    done = reconcile.reconcile_due(world.connection, clock=world.clock)
    world.wait(minutes=1)
    assert (done.progress, done.counts["missing"]) == ("done", 1)
    assert [event for _, event, _ in world.got()] == ["order.confirmed"]


def test_the_scheduled_one_looks_back_some_days_where_the_last_was_yesterday(world, settings):
    settings.RECONCILE_DAYS = 3
    for _ in range(2):
        world.wait(days=1, tick=3600)
        now = world.clock()
        done = reconcile.reconcile_due(world.connection, clock=world.clock)
    assert done.since == now - timedelta(days=3)


def in_slices(world, wanted, between):
    """Its first slice, then `between` and a poll, then the rest."""
    wanted = reconcile.run_step(wanted, clock=Slow(world.clock))
    assert wanted.progress == "waiting"
    between()
    world.wait(minutes=1)
    assert reconcile.run_step(wanted, clock=world.clock).progress == "done"
    world.wait(minutes=1)


def told(world, order_id):
    return [d.event for d in world.hook.deliveries if d.body["order"]["id"] == order_id]


def test_an_order_that_was_a_quotation_in_an_earlier_slice_only_is_not_over(long):
    order_id = long.orders[1]
    long.shop.cancel(order_id)
    long.shop.back_to_draft(order_id)
    in_slices(long, asked(long, repair=True), lambda: long.shop.confirm(order_id))
    assert "order.cancelled" not in told(long, order_id)
    assert told(long, long.orders[5])[-1] == "order.cancelled"


def test_orders_that_an_emptied_database_lacked_in_an_earlier_slice_are_not_over(long):
    """Three of seven are few enough not to ask a person."""
    full = long.shop.world.snapshot()
    for order_id in long.orders[:5]:
        long.shop.cancel(order_id)
        long.shop.unlink(order_id)
    wanted = asked(long, repair=True)
    Reconciliation.objects.filter(pk=wanted.pk).update(whole=True)
    in_slices(long, wanted, lambda: long.shop.world.restore(full))
    assert [told(long, order_id) for order_id in long.orders[1:3]] == [["order.confirmed"]] * 2
