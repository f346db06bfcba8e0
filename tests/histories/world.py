"""One shop, its connections and receivers, and a clock: what a history happens in."""

import heapq
import sys
import threading
import traceback
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from unittest.mock import patch

from connections import faultpoints
from connections.http import client as http_client
from connections.models import Connection, Start
from connections.odoo.client import connect
from connections.receiver import delivery
from core.background import batches
from sandbox.odoo.server import Odoo
from sync.deliveries import dispatcher
from sync.deliveries import session as deliveries_session
from sync.models import PollState
from sync.polling import first_run, poll, turn
from sync.polling import state as poll_states
from sync.polling.plausibility import ALL_FROM
from sync.repair import compare, deep_check, reconcile, repair
from tests.histories.crash_points import Runs
from tests.histories.database import LOOKBACK_SECONDS, Database
from tests.histories.fake_threads import ChancyLoop, through_thread
from tests.histories.network import Hook, Wire

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
ALL_EVENTS = ["order.confirmed", "order.updated", "order.cancelled"]
WANTED = (ALL_EVENTS,) * 7 + (ALL_EVENTS[:2], ALL_EVENTS[::2], ALL_EVENTS[:1])
SKEWS = (0, 0, 0.7, 3, -3, 45, -45, 240, -240, 700, -700)
PAGES = (2, 3, 5, 1000)
RATES = (None, None, None, None, 2.0, 0.5)
SENDERS = (16, 1, 3, 2)
WATCHED = ("looking", "looked", "announcing")  # fault points at which we take note of what happens


@dataclass(frozen=True)
class Look:
    """What was committed at one moment."""

    commits: int
    confirmed: set
    open: set
    unseen: set  # orders that our user was not shown


class World:
    """Made of ten numbers; see `plans.Plan.settings`."""

    def __init__(self, numbers):
        version, skew, start, pages, reads, twins, wants, before, micros, slow = numbers
        self.now = NOON + timedelta(microseconds=micros * 100)
        self.skew = timedelta(seconds=SKEWS[skew % len(SKEWS)])
        self.lag = timedelta(0)  # of the database's clock behind the web server's
        self._agenda, self._order, self.user_numbers = [], count(), count(100)
        self.version = version
        self.main = Database.of(self, version, "shop")
        self.databases = [self.main]
        self.shop, self.till = self.main.shop, self.main.till
        self.runs = Runs()
        self.odoo = Odoo(self.shop)
        self.wire = Wire(self, self.odoo)
        self.wire.slow = slow % 3
        self.pages = PAGES[pages % 4], PAGES[reads % 4]
        self.begun, self.homes, self._beginnings = {}, {}, []
        self._looks_before = {}  # by thread: what was asked for before its first look at a shop
        self.begun_blind = set()  # connections that were shown less, or nothing, in their first window
        self.too_few_to_ask = []  # (connection, order, when): told as gone by an emptied database
        self.restores = 0
        self.looks = []
        self.own_faults = []
        self._sell_before(before)
        self.connections = [
            self._connect(n, start, WANTED[wants % len(WANTED)], slow // 3)
            for n in range(1 + (twins % 5 == 0))
        ]

    def clock(self):
        return self.now

    def server_now(self):
        """The web server's clock, as in the Date of its answers."""
        return self.now + self.skew

    def stamp_now(self):
        """The database's clock, by which orders are stamped."""
        return self.server_now() - self.lag

    def monotonic(self):
        return (self.now - NOON).total_seconds()

    def at_monotonic(self, seconds):
        return NOON + timedelta(seconds=seconds)

    # --- time ---------------------------------------------------------------------------------------

    def at(self, seconds, act, owner=None):
        """Do `act` when that much time has passed, unless what its owner began is dropped."""
        heapq.heappush(self._agenda, (self.now + timedelta(seconds=seconds), next(self._order), act, owner))

    def drop(self, owner):
        self._agenda = [each for each in self._agenda if each[-1] is not owner]
        heapq.heapify(self._agenda)

    def pass_time(self, seconds):
        """Move the clock; what is due on the way happens at its moment."""
        end = self.now + timedelta(seconds=seconds)
        while self._agenda and self._agenda[0][0] <= end:
            at, _, act, _ = heapq.heappop(self._agenda)
            self.now = max(self.now, at)
            act()
        self.now = end

    def let_everything_happen(self):
        while self._agenda:
            self.pass_time((self._agenda[0][0] - self.now).total_seconds())

    def jump(self, seconds):
        """Somebody sets the server's clock."""
        self.skew += timedelta(seconds=seconds)
        self.clocks_moved()

    def clocks_moved(self):
        for database in self.databases:
            database.story.clock_jumped = True

    # --- the beginning ------------------------------------------------------------------------------

    def _sell_before(self, number):
        for n in range(number % 8):
            self.till.sell(1, n * 3)
        self.pass_time((0, 10, 2000)[number % 3])

    def _connect(self, number, start, events, pace):
        login, key = f"poller{number}@example.com", f"key-of-poller-{number}-"
        self.main.add_user(70 + number, login, key)
        kind = (Start.NOW, Start.NOW, Start.ALL, Start.DATE)[start % 4]
        moment = self.server_now().replace(microsecond=0) - timedelta(seconds=(0, 5, 1500)[start // 4 % 3])
        connection = Connection.objects.create(
            name=f"Shop {number}",
            external_id=f"shop-{number}",
            odoo_url="http://127.0.0.1:8069",
            database="shop",
            username=login,
            api_key=key,
            webhook_url=f"http://127.0.0.1:8070/hook/{number}",
            webhook_secret=SECRET,
            events=events,
            start=kind,
            start_at=moment if kind == Start.DATE else None,
            lookback_seconds=LOOKBACK_SECONDS,
            deliveries_per_second=RATES[pace % len(RATES)],
            deliveries_at_once=SENDERS[pace % len(SENDERS)],
        )
        connection.refresh_from_db()
        self.wire.hooks[f"hook/{number}"] = Hook(connection.pk, (SECRET,))
        return connection

    def add_connection(self, connection):
        """A copy that a person made, with a receiver of its own."""
        path = f"hook/{len(self.wire.hooks)}"
        connection.webhook_url = f"http://127.0.0.1:8070/{path}"
        connection.save()
        self.wire.hooks[path] = Hook(connection.pk, (SECRET,))
        self.connections.append(connection)

    def hook(self, connection):
        return self.wire.hooks[connection.webhook_url.split("/", 3)[3]]

    # --- what Odoo was asked ------------------------------------------------------------------------

    def database_called(self, name):
        """The one that is, or was, called so; None where there never was one."""
        return next((each for each in self.databases if name in each.names), None)

    def asked(self, database, path, headers, body):
        """Remember what was confirmed whenever orders are asked for: a connection's first look counts."""
        text = path.encode() + str(headers).encode() + (body or b"")
        if b"sale.order" not in text or b"fields_get" in text:
            return
        for connection in self.connections:
            if connection.api_key.encode() in text and connection.database == database.name:
                self.looks.append((connection.pk, self._look(database)))

    def _look(self, database):
        story = database.story
        lives = [life for life in story.lives.values() if life.is_confirmed]
        open_ids = {life.order_id for life in lives if not life.fully_delivered}
        unseen = {life.order_id for life in story.lives.values() if not database.is_seen(life)}
        return Look(story.commits, {life.order_id for life in lives}, open_ids, unseen)

    def note_beginnings(self):
        """After a run: which connections have begun in it, where, and what was confirmed then."""
        rows = PollState.objects.filter(started_at__isnull=False).values_list("pk", "started_at", "database")
        stored = {pk: (at, self.database_called(known["database"])) for pk, at, known in rows}
        for pk, started_at, home, looks in self._beginnings:  # of workers that came too late as well
            # Two that begin within one second, with an edit between them, are told apart by the database.
            if stored.get(pk) == (started_at, home):
                self.begun[pk], self.homes[pk] = (looks[0], looks[-1]), home
        self.looks.clear()
        self._beginnings.clear()

    def _on_looking(self, connection):
        self._looks_before[threading.get_ident()] = len(self.looks)

    def _on_looked(self, about):
        connection, beginning = about
        before = self._looks_before[threading.get_ident()]
        looks = [look for pk, look in self.looks[before:] if pk == connection.pk]
        home = self.database_called(connection.database)
        self._beginnings.append((connection.pk, beginning.started_at, home, looks))

    def note_blindness(self):
        """From now on less is shown: a first window may miss what was open at the start."""
        in_first_window = PollState.objects.filter(started_at__isnull=False, window_to__isnull=True)
        self.begun_blind.update(in_first_window.values_list("pk", flat=True))

    def connection_of(self, pk):
        return next(each for each in self.connections if each.pk == pk)

    # --- the code under test in our hands -------------------------------------------------------------

    @contextmanager
    def installed(self):
        """Our wire for HTTP, our clock for waiting, and small pages."""
        feed, read = self.pages
        unhurried = partial(connect, sleep=self.pass_time, monotonic=self.monotonic)
        changes = [
            (http_client, "_attempt", self.wire.attempt),
            (batches, "monotonic", self.monotonic),
            (poll, "Loop", ChancyLoop),
            (dispatcher, "Loop", ChancyLoop),
            (ChancyLoop, "chance", self.wire.chance),
            (poll.logger, "exception", self._own_fault),
            (delivery.logger, "exception", self._own_fault),
            (turn, "monotonic", self.monotonic),
            (turn, "sleep", self._rest),
            (deliveries_session, "sleep", lambda seconds: through_thread(lambda: self.pass_time(seconds))),
            (poll_states, "connect", unhurried),
            (turn, "connect", unhurried),
            (poll, "FEED_LIMIT", feed),
            (poll, "READ_LIMIT", read),
            (deep_check, "PAGE", feed),
            (compare, "PAGE", feed),
            (reconcile, "PAGE", feed),
            (repair, "READ_AT_ONCE", read),
            (first_run, "IDS_PER_CALL", max(feed, 5)),
        ]
        with ExitStack() as stack:
            for module, name, value in changes:
                stack.enter_context(patch.object(module, name, value))
            stack.enter_context(self.runs.watching())
            stack.enter_context(faultpoints.visited(self._visit))
            yield

    def _visit(self, point, about):
        if point in WATCHED:
            getattr(self, f"_on_{point}")(about)
        self.runs.visit(point, about)

    def _on_announcing(self, about):
        """What an emptied database says of one or two orders is believed: see `plausibility`."""
        mine, survey = about
        few = self.database_called(mine.connection.database).empty and len(survey.gone) < ALL_FROM
        for order_id in survey.gone if few else ():
            self.too_few_to_ask.append((mine.connection.pk, order_id, self.now))

    def _own_fault(self, message, **_):
        """What the product catches and logs as its own mistake is a finding here."""
        self.own_faults.append("".join(traceback.format_exception(sys.exception(), limit=-4)))

    def _rest(self, seconds):
        self.pass_time(max(seconds, 5))  # fewer looks while waiting for a turn
