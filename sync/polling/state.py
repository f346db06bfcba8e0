"""One connection's poll under way, and the rows it is loaded from and saved to."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from connections import circuit, circuit_store
from connections.circuit_store import SideState
from connections.errors import Permanent, RemoteError
from connections.models import Connection, Start
from connections.odoo import account
from connections.odoo.client import OdooClient, connect
from connections.odoo.server_info import Server
from sync.events.decide import Known, Reaction, reaction_to
from sync.ledger import Found, Key
from sync.models import PollState, SyncLog
from sync.orders import Change, Order, Unreadable
from sync.polling import database_identity, newest, window
from sync.polling.database_identity import Births, Identity, Recognition, Verdict
from sync.polling.first_run import Beginning, StartIds, StartLine, taken_over
from sync.polling.interval import next_poll_at, pause
from sync.polling.plausibility import MOST_OLD_ORDERS, too_many_old
from sync.sources.odoo.master_data import LATELY
from sync.sources.odoo.master_data_cache import SharedMasters
from sync.sources.odoo.source import PROBED, OdooSource

logger = logging.getLogger("poller.poll")

FEED_LIMIT = 1000
POLL_SECONDS = 120  # for all calls of a poll: others share its task, which is ended after 180
PATIENCE_SECONDS = 900  # the longest pause between polls that end in a fault for a person to mend
PASSING = frozenset({"odoo_not_odoo", "odoo_redirect"})  # what a maintenance page in front of Odoo looks like


@dataclass(eq=False)
class Job:
    """What one poll knows. `changes` is the page of the feed being worked on, `found` what was read of it."""

    connection: Connection
    state: PollState
    side: SideState
    log: SyncLog
    started_at: datetime
    beginning: Beginning | None = None
    changes: list[Change] = field(default_factory=list)
    to_read: list[Change] = field(default_factory=list)
    to_note: list[Change] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)
    hidden_company: dict[str, int] | None = None  # None: not asked in this poll
    error: RemoteError | None = None
    births: Births = field(default_factory=dict)  # a sample of known orders, where the database is doubted
    recognition: Recognition | None = None
    account: Mapping[str, Any] | None = None
    identity: Identity | None = None
    page_is_last: bool = True
    page_last_id: int = 0
    rereads: set[int] = field(default_factory=set)  # marked so, and not asked for yet
    asked: set[int] = field(default_factory=set)  # orders that the last whole read asked for
    doubted: bool = False  # the source said something that a deep check is to look into at once
    lost_stamp: datetime | None = None
    went_back: bool = False
    old_orders: set[int] = field(default_factory=set)  # never seen before, and dated before the window
    open_orders: int | None = None  # counted only where old orders are many
    complete: bool = False  # the window was read to its end
    lost: bool = False  # the lease went to somebody else
    polled: bool = False
    put_off: bool = False  # the poller stops: due again at once, for whoever comes next
    concluded: bool = False
    logged: bool = False

    def __post_init__(self) -> None:
        state = self.state
        self.lease_key = self.connection.odoo_lease_key
        self.page_to, self.page_at = state.page_to, state.page_at
        self.after_id = state.page_after_id or 0
        self.newest = newest.Newest.of(state.newest_id, state.newest_stamp)
        self._since = state.page_from
        if state.page_from is None and state.window_to is not None:
            self._since = window.since(state.window_to, self.lookback_seconds)
        self._start_ids: StartIds | None = None

    @property
    def lookback_seconds(self) -> int:
        return self.state.lookback_seconds(self.connection, self.started_at)

    @property
    def first_window(self) -> bool:
        return self.state.window_to is None

    @cached_property
    def client(self) -> OdooClient:
        remembered = Server.from_json(self.state.server)
        self.polled = True
        return connect(self.connection, remembered, now=self.started_at, wanted=PROBED, seconds=POLL_SECONDS)

    @cached_property
    def source(self) -> OdooSource:
        company = self.connection.company_id
        return OdooSource(self.client, company, store=SharedMasters(), lately=LATELY)

    @property
    def since(self) -> datetime:
        """Where the window begins, on the server's clock; known once the connection has begun."""
        assert self._since is not None, "a connection is read only after its beginning"  # noqa: S101
        return self._since

    @since.setter
    def since(self, moment: datetime) -> None:
        self._since = moment

    def is_before_start(self, order_id: int, date_order: datetime | None) -> bool:
        line = StartLine(self.connection, self.state.started_at, self._start_ids or StartIds(None))
        return line.is_before(order_id, date_order, first_window=self.first_window)

    def look_at_company(self) -> None:
        """Once the server was asked anew what it is: a company that our user does not see has no orders."""
        company = self.connection.company_id
        asked = self.account is not None or self.hidden_company is not None
        if company is not None and self.client.changed and not asked:
            self.hidden_company = account.hidden_company(self.client, company)

    @property
    def knows_start(self) -> bool:
        return self._start_ids is not None

    @property
    def has_begun(self) -> bool:
        return self.state.started_at is not None

    @property
    def is_elsewhere(self) -> bool:
        """Address, database or user are others than when the database was known again last."""
        return bool(self.state.database.get("place") != self.connection.place)

    def meet(self) -> None:
        """Ask the database what it says of itself, and what our user may see there. Raises RemoteError."""
        found = self.recognition
        self.identity = found.identity if found else database_identity.learn(self.source, self.connection)
        self.account = account.look(self.client, self.connection.company_id)

    @property
    def verdict(self) -> Verdict | None:
        return self.recognition.verdict if self.recognition else None

    def settle_verdict(self) -> None:
        """Once our transaction holds the ledger."""
        if self.recognition is not None:
            self.recognition = database_identity.settled(self.recognition, self.connection)

    @property
    def doubts(self) -> dict[str, Any]:
        """The evidence of another database, for a person to judge."""
        assert self.recognition is not None  # noqa: S101 - asked only once it was judged
        return self.recognition.doubts(self.state.database)

    @property
    def old_orders_detail(self) -> dict[str, Any]:
        return {"orders": len(self.old_orders), "open": self.open_orders or 0}

    @property
    def watched_id(self) -> int | None:
        """The order that every first page has to show: without it somebody took back what we saw."""
        return None if self.newest is None or self.after_id else self.newest.order_id

    def look_at(self, changes: list[Change], *, is_last: bool) -> list[Change]:
        """Take notice of a page and of the order that was written last; returns what of it is news."""
        self.page_is_last = is_last
        self.page_last_id = changes[-1].order_id if changes else self.after_id
        watched = self.newest if self.watched_id is not None else None
        if watched is not None and watched.is_missed(changes, is_last):
            self.doubted, self.lost_stamp, self.newest = True, watched.write_date, None
            self.went_back = watched.is_older_in(changes)
        unknown_of_page = newest.without_known(changes, self.newest, self.since)
        self.newest = newest.newest_of(changes, self.newest)
        return unknown_of_page

    def sort(self, known: Mapping[Key, Known]) -> None:
        """Which changes of this page are to be read whole, and which only noted."""
        self.to_read, self.to_note = [], []
        for change in self.changes:
            before = self.is_before_start(change.order_id, change.date_order)
            last = known.get((self.connection.pk, change.order_id))
            verdict = reaction_to(change, last, before_start=before)
            if verdict is Reaction.READ:
                self.to_read.append(change)
                self._look_at_history(change, last, before)
            elif verdict is Reaction.NOTE:
                self.to_note.append(change)

    def _look_at_history(self, change: Change, last: Known | None, before_start: bool) -> None:
        if last is not None and last.is_another(change.create_date) and not last.cancelled:
            self.doubted = self.went_back = True
            self.lost_stamp = min(last.write_date, self.lost_stamp or last.write_date)
        dated_before = change.date_order is not None and change.date_order < self.since
        if last is None and dated_before and not before_start and not self.first_window:
            self.old_orders.add(change.order_id)

    @property
    def asks_for_open_orders(self) -> bool:
        return len(self.old_orders) > MOST_OLD_ORDERS and self.open_orders is None

    @property
    def holds_old_orders(self) -> bool:
        """Too many orders out of the past to send them without a person's word."""
        return self.open_orders is not None and too_many_old(len(self.old_orders), self.open_orders)

    def learn_start_ids(self, packed: bytes | None) -> None:
        self._start_ids = StartIds(packed)

    @property
    def seeds(self) -> list[Found]:
        return self.beginning.seeds if self.beginning else []

    @property
    def read_at(self) -> datetime:
        """The end of what the last answer surely showed, on the server's clock."""
        server_time = self.client.server_time or self.started_at
        return window.read_at(server_time, self.client.call_seconds)

    def clock_ran_back(self, now: datetime) -> datetime | None:
        state, server_time = self.state, self.client.server_time
        if state.window_to is None or state.window_at is None or server_time is None:
            return None
        return window.clock_ran_back(state.window_to, state.window_at, server_now=server_time, now=now)

    def may_call(self, now: datetime) -> bool:
        return not self.side.paused and circuit.calls_allowed(self.side.health, now) != 0

    def judge(self, order: Order, sure_until: datetime | None) -> Found:
        before = self.is_before_start(order.order_id, order.date_order)
        earlier = taken_over(self.state.taken_over_until, order)
        return Found.of(
            self.connection,
            order,
            sure_until=sure_until,
            before_start=before,
            taken_over=earlier,
            held=self.holds_old_orders and order.order_id in self.old_orders,
        )

    def set_aside(self, change: Change, order: Unreadable) -> Found:
        self.log.orders_failed += 1
        self.log.error_code, self.log.error_detail = "odoo_unreadable_order", order.reason[:500]
        before = self.is_before_start(change.order_id, change.date_order)
        return Found.unreadable(self.connection, change, order.reason, before_start=before)

    def free_at(self, now: datetime) -> datetime | None:
        """When the rate limit lets the next call to this database go; None is at once."""
        rate = self.connection.calls_per_second
        return now + timedelta(seconds=1 / rate) if rate and self.polled else None

    def conclude(self, now: datetime) -> None:
        """Turn what happened into the row's next state and the log's last words."""
        self.concluded = True
        state = self.state
        interval = self._pause(now)
        if not self.polled:
            allowed_at = circuit.next_call_at(self.side.health, now)
            state.next_poll_at = now if self.put_off else max(now + interval, allowed_at)
            return
        state.last_polled_at = self.started_at
        self._keep_place()
        self._keep_newest()
        if self.error is None:
            self._succeed(now, interval)
            if self.source.oddities and not self.log.error_code:
                self.log.error_code, self.log.error_detail = "odoo_broken_answer", self.source.oddities
        else:
            self._fail(self.error, now, interval)
        self.log.calls = self.client.calls
        self.log.window_from, self.log.window_to = self._since, self.page_to

    @property
    def learned(self) -> dict[str, Any]:
        """Of server and account, for the next polls."""
        values: dict[str, Any] = {"server": self.client.server.to_json()}
        if self.hidden_company is not None:
            known = {
                name: value for name, value in self.state.account.items() if name != account.HIDDEN_COMPANY
            }
            values["account"] = known | self.hidden_company
        return values

    @property
    def _about(self) -> dict[str, str]:
        return {"connection": self.connection.name}

    def _pause(self, now: datetime) -> timedelta:
        connection, state = self.connection, self.state
        longest = connection.quiet_interval_seconds
        return pause(
            timedelta(seconds=connection.poll_interval_seconds),
            timedelta(seconds=longest) if longest else None,
            quiet_for=now - (state.last_order_at or state.started_at or now),
        )

    def _keep_place(self) -> None:
        state = self.state
        if self.complete:
            state.window_to, state.window_at = self._window_end, self.page_at
            state.page_from = state.page_to = state.page_at = state.page_after_id = None
        elif self.page_to is not None:
            state.page_from, state.page_to, state.page_at = self.since, self.page_to, self.page_at
            state.page_after_id = self.after_id
        if self.client.server_time is not None:
            state.clock_offset_seconds = round((self.client.server_time - self.started_at).total_seconds(), 1)

    def _keep_newest(self) -> None:
        state, known = self.state, self.newest
        state.newest_id = known.order_id if known else None
        state.newest_stamp = known.write_date if known else None

    @property
    def _window_end(self) -> datetime | None:
        """Where the window just read to its end counts as ending.

        One that asked for everything open left out what was wholly delivered since the start: that is for
        the next, which therefore begins there.
        """
        started_at = self.state.started_at
        if not (self.first_window and self.page_to and started_at) or self.connection.start != Start.ALL:
            return self.page_to
        return min(self.page_to, started_at - timedelta(minutes=1))

    def _succeed(self, now: datetime, interval: timedelta) -> None:
        self.side.health = circuit.after_success(self.side.health, now)
        state = self.state
        if state.failures:
            logger.info("Odoo can be read again", extra=self._about)
        state.failures, state.error_code, state.error_detail = 0, "", ""
        state.last_success_at = now
        number = self.connection.pk
        state.next_poll_at = next_poll_at(self.started_at, interval, number=number) if self.complete else now

    def _needs_a_person(self, error: RemoteError) -> bool:
        """A page where Odoo was read before mostly goes as it came; else the address is wrong."""
        is_passing = error.code in PASSING and self.state.last_success_at is not None
        return isinstance(error, Permanent) and not is_passing

    def _fail(self, error: RemoteError, now: datetime, interval: timedelta) -> None:
        state = self.state
        self.side.health = circuit_store.after_error(self.side.health, error, now)
        state.failures += 1
        logger.warning("Odoo could not be read", extra=self._about | {"code": error.code})
        state.error_code, state.error_detail = error.code, error.detail
        self.log.error_code, self.log.error_detail = error.code, error.detail
        wait = interval
        if self._needs_a_person(error):  # ask again, but ever more patiently
            wait = max(wait, timedelta(seconds=min(PATIENCE_SECONDS, 60 * 2 ** min(state.failures, 8))))
        state.next_poll_at = max(now + wait, circuit.next_call_at(self.side.health, now))
