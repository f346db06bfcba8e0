"""The queue is only a wake-up: stopped for an hour, or emptied, it costs nothing but time."""

from datetime import timedelta

import pytest
from django_q.models import OrmQ

from connections import leases
from sync import due
from sync.deliveries import dispatcher
from sync.models import PollState, RetryItem
from sync.polling import poll
from sync.runner.ticker import Tick

TASKS = {"sync.tasks.poll": poll.poll, "sync.tasks.deliver": dispatcher.deliver_due}
WORKERS = 4


class Queue:
    """The real queue's table and the real tick, at the time of the world's clock."""

    def __init__(self, world):
        self.world, self.tick = world, Tick(workers=WORKERS)

    def pass_time(self, seconds, *, work):
        """A tick every five seconds; with `work` what it queued is done at once."""
        end = self.world.clock() + timedelta(seconds=seconds)
        while self.world.clock() < end:
            self.world.clock.advance(5)
            self.tick.run(self.world.clock())
            if work:
                self.work()

    def work(self):
        """Do all that waits, as a worker would: oldest first, and off the queue."""
        for row in OrmQ.objects.order_by("pk"):
            task = row.task
            TASKS[task["func"]](*task["args"], clock=self.world.clock, threads=0)
            row.delete()


@pytest.fixture
def queue(world):
    return Queue(world)


def test_a_queue_stopped_for_an_hour_costs_nothing_but_time(world, queue):
    world.confirmed()
    queue.pass_time(60, work=True)
    world.receiver.set_mode("main", "500", count=1)
    changed, failing = 1, world.confirmed()
    queue.pass_time(20, work=True)
    world.shop.edit_order(changed, client_order_ref="OC-7")
    fresh = world.confirmed()
    queue.pass_time(3600, work=False)
    assert OrmQ.objects.count() <= WORKERS * 2
    calls = world.shop.calls.total()
    queue.work()
    assert world.shop.calls.total() == calls  # late polls find their leases gone
    queue.pass_time(60, work=True)
    assert sorted(world.hook.versions.values()) == [1, 1, 2]
    assert {int(order.rpartition("_")[2]) for order in world.hook.versions} == {changed, failing, fresh}
    assert world.hook.stats()["duplicates"] == world.hook.stats()["stale"] == 0
    assert not RetryItem.objects.pending().exists()


@pytest.mark.parametrize("kind", ["poll", "delivery"])
def test_an_emptied_queue_costs_nothing_but_a_lease(world, queue, kind):
    if kind == "delivery":
        world.receiver.set_mode("main", "500", count=1)
        world.confirmed()
        world.poll()
        world.clock.advance(60)
    else:
        world.confirmed()
        PollState.objects.wake(world.clock())
    queue.tick.run(world.clock())
    assert OrmQ.objects.exists()
    OrmQ.objects.all().delete()
    assert due.claim_polls(world.clock(), 10)[1] == due.claim_deliveries(world.clock(), 10)[1] == []
    queue.pass_time(leases.LEASE_SECONDS + 5, work=True)
    assert list(world.hook.versions.values()) == [1]
    assert world.hook.stats()["deliveries"] == 1


def test_a_task_that_comes_back_from_the_dead_finds_its_lease_gone(world, queue):
    """A worker died over it; the queue hands it out again after fifteen minutes."""
    world.confirmed()
    PollState.objects.wake(world.clock())
    queue.tick.run(world.clock())
    ghosts = [row.task for row in OrmQ.objects.all()]
    OrmQ.objects.all().delete()
    queue.pass_time(120, work=True)
    calls = world.shop.calls.total()
    assert ghosts
    for task in ghosts:
        assert TASKS[task["func"]](*task["args"], clock=world.clock, threads=0) == []
    assert world.shop.calls.total() == calls
    assert world.hook.stats()["deliveries"] == 1
