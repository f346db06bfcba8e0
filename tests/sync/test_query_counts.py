"""How much is asked of Odoo and of the database: numbers, not times, that must not grow with the work."""

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from connections.models import Connection, Side, pause, resume
from sync import due, findings
from sync.deliveries import dispatcher
from sync.metrics import counters
from sync.models import PollState, RetryItem, SentOrder
from sync.polling import poll
from tests.world import World

PER_CHUNK = 12  # statements of one chunk of a hundred orders: read, record, settle
CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


class Statements(CaptureQueriesContext):
    """What is said to the database, without the words that begin and end transactions."""

    def __init__(self):
        super().__init__(database)

    @property
    def number(self):
        said = (query["sql"].lstrip().upper() for query in self.captured_queries)
        return sum(not sql.startswith(CONTROL) for sql in said)


class CountedWorld(World):
    """Everything has begun; its polls and deliveries are one batch each, and return their statements."""

    def __init__(self, clock, mock, number, version):
        super().__init__(clock, mock, version, shops=number)
        PollState.objects.create_missing(clock())
        for _ in range(3):
            self.poll_later()

    def sell(self, number):
        """So many confirmed orders in each shop."""
        for shop in self.shops:
            for _ in range(number):
                shop.sell()

    def poll_later(self):
        """A minute later every connection is polled as one batch; returns its statements."""
        self.clock.advance(61)
        token, ids = due.claim_polls(self.clock(), len(self.shops))
        assert len(ids) == len(self.shops)
        with Statements() as statements:
            poll.poll(token, ids, clock=self.clock, threads=0)
        return statements.number

    def deliver(self):
        """What is owed is delivered as one batch; returns its statements."""
        token, ids = due.claim_deliveries(self.clock(), len(self.shops))
        with Statements() as statements:
            dispatcher.deliver_due(token, ids, clock=self.clock, threads=0)
        return statements.number

    def owe(self, number):
        """So many orders of each shop are owed, nothing was tried yet."""
        connections = list(Connection.objects.all())
        pause(connections, by="", reason="", sides=(Side.WEBHOOK,))
        self.sell(number)
        self.poll_later()
        resume(connections)
        PollState.objects.update(deliver_at=self.clock())
        assert RetryItem.objects.pending().count() == number * len(self.shops)

    def calls(self):
        return sum(sum(shop.calls.values()) for shop in self.shops)


@pytest.fixture
def make_world(clock, mock, db, settings):
    settings.ALLOWED_NETWORKS = ["127.0.0.0/8"]
    settings.BATCH_SIZE = 100

    def make(shops=1, version=17):
        Connection.objects.all().delete()
        return CountedWorld(clock, mock, shops, version)

    return make


# --- Odoo -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [16, 17, 18, 19])
def test_a_cycle_with_nothing_new_is_one_call(make_world, version):
    world = make_world(3, version=version)
    before = world.calls()
    world.poll_later()
    assert world.calls() - before == 3


@pytest.mark.parametrize(("version", "most"), [(16, 5), (17, 2), (18, 2), (19, 2)])
@pytest.mark.parametrize("orders", [1, 50])
def test_a_cycle_with_orders_is_a_handful_of_calls_however_many_they_are(make_world, version, most, orders):
    world = make_world(version=version)
    world.sell(1)
    world.poll_later()
    world.poll_later()
    world.sell(orders)
    before = world.calls()
    world.poll_later()
    assert SentOrder.objects.filter(seeded=False).count() == orders + 1
    assert world.calls() - before <= most


# --- The database -----------------------------------------------------------------------------------


def test_idle_polls_of_a_batch_share_their_statements(make_world):
    counts = {number: make_world(number).poll_later() for number in (1, 50, 100)}
    assert counts[1] == counts[50] == counts[100] <= 12


def test_claiming_takes_the_same_statements_for_one_and_for_a_hundred(make_world):
    counts = []
    for number in (1, 100):
        world = make_world(number)
        world.clock.advance(61)
        with Statements() as statements:
            due.claim_polls(world.clock(), number)
            due.claim_deliveries(world.clock(), number)
        counts.append(statements.number)
    assert counts[0] == counts[1] <= 8


def test_a_poll_that_finds_orders_takes_no_more_statements_for_more_of_them(make_world):
    counts = {}
    for orders in (10, 100, 400):
        world = make_world()
        world.sell(orders)
        counts[orders] = world.poll_later()
        assert SentOrder.objects.filter(seeded=False).count() == orders
    assert counts[10] == counts[100] <= 40
    assert counts[400] <= counts[100] + 3 * PER_CHUNK


def test_polls_of_a_batch_that_find_orders_share_their_statements(make_world):
    counts = {}
    for number in (5, 50):
        world = make_world(number)
        world.sell(2)
        counts[number] = world.poll_later()
        assert SentOrder.objects.filter(seeded=False).count() == 2 * number
    assert counts[5] == counts[50] <= 40


def test_a_delivery_run_takes_no_more_statements_for_more_orders(make_world):
    counts = {}
    for orders in (10, 100, 400):
        world = make_world()
        world.owe(orders)
        counts[orders] = world.deliver()
        assert SentOrder.objects.filter(seeded=False).count() == orders
    assert counts[10] == counts[100] <= 30
    assert counts[400] <= counts[100] + 3 * PER_CHUNK


def test_a_delivery_run_reads_what_each_receiver_is_owed_and_shares_the_rest(make_world):
    counts = {}
    for number in (5, 50):
        world = make_world(number)
        world.owe(2)
        counts[number] = world.deliver()
        assert SentOrder.objects.filter(seeded=False).count() == 2 * number
    assert counts[50] - counts[5] <= 45


# --- Each minute --------------------------------------------------------------------------------------


EACH_MINUTE = {
    "count": lambda clock: counters.count(clock()),
    "watch": lambda clock: findings.watch(clock=clock),
    "deep checks": lambda clock: due.claim_deep_checks(clock(), 200),
    "reconciliations": lambda clock: due.claim_reconciliations(clock(), 200),
}


@pytest.mark.parametrize("what", EACH_MINUTE)
def test_what_is_done_each_minute_takes_the_same_statements_for_many_connections(make_world, what):
    """On SQLite one writer keeps everybody else out: a statement for each connection is too many."""
    counts = {}
    for number in (1, 50):
        world = make_world(number)
        world.clock.advance(120)
        with Statements() as statements:
            EACH_MINUTE[what](world.clock)
        counts[number] = statements.number
    assert counts[50] <= counts[1] + 2
