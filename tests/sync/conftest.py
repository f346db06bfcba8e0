"""A whole world for journeys: a shop, its receiver, a connection between them, and a clock that we move."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
import responses

from connections.models import Connection
from odoopoller.sandbox.protocol import Odoo
from odoopoller.sandbox.receiver import Receiver
from odoopoller.sandbox.sales import Line
from odoopoller.sandbox.shop import Shop
from sync import draining, polling, scheduling
from sync.models import PollState, RetryItem
from tests import fakes

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
ODOO_URL, HOOK_URL = "http://127.0.0.1:8069", "http://127.0.0.1:8070"


class World:
    """One shop and one receiver; everything happens in this thread, at the time of `clock`."""

    def __init__(self, clock, mock, version=17, **connection):
        self.clock = clock
        self.shop = Shop(version, f"shop{version}", clock)
        self.odoo = Odoo(self.shop)
        self.receiver = Receiver(clock)
        self.receiver.set_secrets("main", SECRET)
        # Looked up for each call, so that a test may put something before Odoo.
        fakes.install(mock, SimpleNamespace(handle=lambda *request: self.odoo.handle(*request)), ODOO_URL)
        self.receive = self.receiver.handle  # a test may put something between
        fakes.install_receiver(mock, self, HOOK_URL)
        self.connection = Connection.objects.create(
            **{
                "name": "Shop",
                "external_id": "shop-1",
                "odoo_url": ODOO_URL,
                "database": self.shop.database,
                "username": self.shop.login,
                "api_key": self.shop.api_key,
                "webhook_url": f"{HOOK_URL}/hook/main",
                "webhook_secret": SECRET,
            }
            | connection
        )
        self.connection.refresh_from_db()

    def handle(self, *request):
        return self.receive(*request)

    @property
    def hook(self):
        return self.receiver.hook("main")

    @property
    def state(self):
        return PollState.objects.get(connection=self.connection)

    def quotation(self, quantity=3, **values):
        return self.shop.quotation(
            self.shop.customer_id, [Line(self.shop.product_id, quantity=quantity)], **values
        )

    def confirmed(self, **values):
        """A new order, confirmed now. Returns its id."""
        order_id = self.quotation(**values)
        self.shop.confirm(order_id)
        return order_id

    def poll(self):
        """Poll now, due or not. Returns the log, or None when nothing was asked."""
        PollState.objects.create_missing(self.clock())
        PollState.objects.wake(self.clock())
        token, ids = scheduling.claim_polls(self.clock(), 10)
        logs = polling.poll(token, ids, clock=self.clock, threads=0)
        return logs[0] if logs else None

    def deliver(self):
        """Deliver what is due now. Returns how many receivers were served."""
        token, ids = scheduling.claim_deliveries(self.clock(), 10)
        return len(draining.deliver_due(token, ids, clock=self.clock, threads=0)) if ids else 0

    def wait(self, seconds=0, *, tick=10, **parts):
        """Let time pass with the poller running: polls and deliveries when they are due."""
        end = self.clock() + timedelta(seconds=seconds, **parts)
        while self.clock() < end:
            self.clock.advance(min(tick, (end - self.clock()).total_seconds()))
            PollState.objects.create_missing(self.clock())
            token, ids = scheduling.claim_polls(self.clock(), 10)
            polling.poll(token, ids, clock=self.clock, threads=0)
            self.deliver()

    def got(self):
        """What the receiver accepted, oldest first: (order name, event, version)."""
        taken = [d for d in self.hook.deliveries if 200 <= d.status < 300]
        return [(d.body["order"]["name"], d.event, d.version) for d in taken]

    def items(self, **filters):
        return list(RetryItem.objects.filter(**filters).order_by("id"))


@pytest.fixture
def mock():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def make_world(clock, mock, db, settings):
    settings.ALLOWED_NETWORKS = ["127.0.0.0/8"]
    return lambda version=17, **connection: World(clock, mock, version, **connection)


@pytest.fixture
def world(make_world):
    """Odoo 17, polled once on an empty shop: what is confirmed from here on has to arrive."""
    world = make_world()
    world.poll()
    world.clock.advance(60)
    return world
