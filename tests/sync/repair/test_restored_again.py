"""A database that goes back in time more than once, or while everything is being compared."""

from datetime import timedelta

import pytest

from connections.errors import Temporary
from sync.models import PollState, Question, Reconciliation
from sync.repair import reconcile, restored
from sync.repair.deep_check import deep_check
from tests.sync.repair.test_restored import check, check_when_due, told


@pytest.fixture
def twice(world):
    """Two backups: of before old orders were cancelled and edited, and of half a year later."""
    world.orders = [world.confirmed() for _ in range(10)]
    world.wait(minutes=2)
    world.oldest = world.shop.world.snapshot()
    world.wait(days=1, tick=3600)
    world.shop.cancel(world.orders[0])
    world.shop.edit_order(world.orders[1], note="<p>new</p>")
    world.wait(minutes=2)
    world.clock.advance(days=180)
    world.wait(minutes=2)
    world.latest = world.shop.world.snapshot()
    return world


def go_back(world, backup, *, sales):
    """To `backup`, after so many more sales, and let the poller find it out."""
    for _ in range(sales):
        world.confirmed()
    world.wait(minutes=2)
    world.shop.world.restore(backup)
    look(world)


def look(world):
    for _ in range(3):
        world.wait(minutes=2)
        check_when_due(world)


@pytest.mark.parametrize("sales", [2, 0])
def test_each_restore_of_a_day_is_followed_by_a_comparison_of_everything(twice, sales):
    go_back(twice, twice.latest, sales=2)
    assert told(twice, twice.orders[0])[-1] == ("order.cancelled", 2)
    assert PollState.objects.get().went_back_at is not None
    twice.wait(minutes=10)
    go_back(twice, twice.oldest, sales=sales)
    assert told(twice, twice.orders[0])[-1] == ("order.confirmed", 3)


def test_a_comparison_that_saw_something_undone_comes_once_more_and_then_no_more(twice):
    go_back(twice, twice.oldest, sales=2)
    done, again = Reconciliation.objects.filter(whole=True).order_by("pk")
    assert (done.progress, again.progress) == ("done", "waiting")
    assert again.next_at >= done.finished_at + restored.AGAIN_IN
    twice.wait(hours=2, tick=60)
    look(twice)
    assert [row.progress for row in Reconciliation.objects.filter(whole=True)] == ["done", "done"]


def test_what_waits_for_a_person_starts_no_comparison_hour_after_hour(twice):
    """Restored, and all numbers given again to quotations: a person is asked, and says nothing for a day."""
    for _ in range(15):
        twice.confirmed()
    twice.wait(minutes=2)
    twice.shop.world.restore(twice.latest)
    for _ in range(15):
        twice.quotation()
    for _ in range(24):
        twice.wait(hours=1, tick=600)
        check_when_due(twice)
    assert Question.objects.unfinished().get().detail["gone"] == 15
    assert Reconciliation.objects.filter(whole=True).count() <= 3


def test_an_order_that_was_deleted_has_everything_compared_once_a_day(world):
    orders = []
    for _ in range(4):
        orders.append(world.confirmed())
        world.wait(minutes=2)
    for order_id in reversed(orders[1:]):
        world.shop.cancel(order_id)
        world.shop.unlink(order_id)
        look(world)
    done, later = Reconciliation.objects.filter(whole=True).order_by("pk")
    assert (done.progress, later.progress) == ("done", "waiting")
    assert later.next_at == done.requested_at + timedelta(days=1)
    assert PollState.objects.get().went_back_at is None


def test_a_comparison_of_everything_that_failed_is_taken_up_again(twice, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(reconcile, "ledger_side", _hangs)
        go_back(twice, twice.oldest, sales=2)
        wanted = Reconciliation.objects.get(whole=True)
        assert (wanted.progress, wanted.error_code) == ("failed", "odoo_timeout")
    deep_check(twice.connection, clock=twice.clock)
    look(twice)
    wanted.refresh_from_db()
    assert (wanted.progress, wanted.error_code) == ("done", "")
    assert told(twice, twice.orders[0])[-1] == ("order.confirmed", 3)


def test_so_is_one_whose_worker_died(twice):
    go_back(twice, twice.latest, sales=2)
    dead = Reconciliation.objects.filter(whole=True)
    dead.update(progress="running", started_at=twice.clock() - timedelta(minutes=20))
    check(twice)
    assert set(dead.values_list("progress", flat=True)) == {"waiting"}


def _hangs(*_):
    raise Temporary("timeout")
