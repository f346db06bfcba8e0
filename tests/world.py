"""A whole world for journeys: shops, their receiver, connections between them, and a clock that we move."""

from datetime import timedelta
from types import SimpleNamespace

from sandbox.odoo.sales import Line
from sandbox.odoo.server import Odoo
from sandbox.odoo.shop import Shop
from sandbox.receiver.receiver import Receiver
from sync import due
from sync.deliveries import dispatcher
from sync.models import PollState, RetryItem
from sync.polling import poll as polling
from tests import factories
from tests.doubles import http as http_doubles

ODOO_URL, HOOK_URL = "http://127.0.0.1:8069", "http://127.0.0.1:8070"


class World:
    """So many shops on one Odoo server, a connection and a hook for each, and one receiver.

    Everything happens in this thread, at the time of `clock`. `shop`, `connection` and `hook` are the first.
    """

    def __init__(self, clock, mock, version=17, *, shops=1, **connection):
        self.clock, self.mock = clock, mock
        self.shop, *others = self.shops = [
            Shop(version, f"shop{version}" + f"-{number}" * (number > 1), clock)
            for number in range(1, shops + 1)
        ]
        self.odoo = Odoo(self.shops)
        # Looked up for each call, so that a test may put something before Odoo.
        http_doubles.install(
            mock, SimpleNamespace(handle=lambda *request: self.odoo.handle(*request)), ODOO_URL
        )
        self.receiver = Receiver(clock)
        self.receive = self.receiver.handle  # a test may put something between
        http_doubles.install_receiver(mock, self, HOOK_URL)
        self.connection = self.connect(
            self.shop, "main", **{"name": "Shop", "external_id": "shop-1"} | connection
        )
        for number, shop in enumerate(others, 2):
            self.connect(shop, f"main-{number}", name=f"Shop {number}")

    def connect(self, shop, hook, **values):
        """A connection of this shop to this hook."""
        self.receiver.set_secrets(hook, factories.SECRET)
        place = {"external_id": shop.database, "odoo_url": ODOO_URL, "webhook_url": f"{HOOK_URL}/hook/{hook}"}
        account = {"database": shop.database, "username": shop.login, "api_key": shop.api_key}
        connection = factories.connection(**place | account | values)
        connection.refresh_from_db()
        return connection

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
        token, ids = due.claim_polls(self.clock(), 10)
        logs = polling.poll(token, ids, clock=self.clock, threads=0)
        return logs[0] if logs else None

    def deliver(self):
        """Deliver what is due now. Returns how many receivers were served."""
        if not due.due_kinds(self.clock())[1]:
            return 0
        token, ids = due.claim_deliveries(self.clock(), 10)
        return len(dispatcher.deliver_due(token, ids, clock=self.clock, threads=0)) if ids else 0

    def wait(self, seconds=0, *, tick=10, **parts):
        """Let time pass with the poller running: polls and deliveries when they are due.

        As each second of `runpoller`: one look tells what may be due, and only that is claimed.
        """
        PollState.objects.create_missing(self.clock())
        end = self.clock() + timedelta(seconds=seconds, **parts)
        while self.clock() < end:
            self.clock.advance(min(tick, (end - self.clock()).total_seconds()))
            if due.due_kinds(self.clock())[0]:
                token, ids = due.claim_polls(self.clock(), 10)
                polling.poll(token, ids, clock=self.clock, threads=0)
            self.deliver()

    def got(self):
        """What the receiver accepted, oldest first: (order name, event, version)."""
        taken = [d for d in self.hook.deliveries if 200 <= d.status < 300]
        return [(d.body["order"]["name"], d.event, d.version) for d in taken]

    def items(self, **filters):
        return list(RetryItem.objects.filter(**filters).order_by("id"))
