"""A turn at one Odoo database outside the poll: the lease, a client, and writing that is fenced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from math import inf
from time import monotonic, sleep

from django.db import transaction

from connections import circuit, circuit_store, leases
from connections.errors import Permanent, RemoteError, Temporary, on_side
from connections.models import Connection, Lease, Side
from connections.odoo.client import OdooClient, connect
from connections.odoo.responses import RATE_LIMITED
from connections.odoo.server_info import Server
from sync import ledger
from sync.models import PollState
from sync.polling.first_run import StartLine
from sync.sources.odoo.master_data_cache import SharedMasters
from sync.sources.odoo.source import PROBED, OdooSource

WAIT_SECONDS = 30
LOOK_SECONDS = 0.2
TURN_SECONDS = 150  # longer than any two calls; every write renews it
CALLS_SECONDS = 150.0  # of background work, for all calls of a turn together: its slot ends after 240
BUSY_SECONDS = 10  # then background work that got no turn asks again


class Busy(Exception):
    """Somebody else is reading this Odoo database and did not finish in time, or took our turn from us."""


class Held(Permanent):
    """Nothing is read of this connection until a person has answered a question about it."""


class Turn:
    """Nobody else reads this database while we do. `source` asks Odoo, `writing` is for what we learnt."""

    def __init__(
        self, connection: Connection, token: str, clock: Callable[[], datetime], *, seconds: float = inf
    ) -> None:
        self.connection, self.token, self.clock, self._seconds = connection, token, clock, seconds
        self.began = clock()

    @cached_property
    def client(self) -> OdooClient:
        # Whoever waited for the turn may have loaded the connection before its language was changed.
        stored = PollState.objects.filter(connection=self.connection)
        row = stored.values_list("server", "connection__language").first()
        server, self.connection.language = row or ({}, self.connection.language)
        known = Server.from_json(server)
        return connect(self.connection, known, now=self.began, wanted=PROBED, seconds=self._seconds)

    @cached_property
    def source(self) -> OdooSource:
        return OdooSource(self.client, self.connection.company_id, store=SharedMasters())

    @cached_property
    def start(self) -> StartLine:
        return StartLine.of(self.connection)

    def require_first_window(self) -> None:
        """Raises Temporary while the first window is not read to its end: who knows yet what is new?"""
        if self.state.window_to is None:
            raise Temporary("odoo_first_run")

    @property
    def state(self) -> PollState:
        return PollState.objects.get(connection=self.connection)

    def remember_server(self) -> None:
        """What its calls learnt of the server, for the next poll and the next turn."""
        client = self.__dict__.get("client")  # nobody asked it anything: then there is none
        if client is not None and client.changed:
            PollState.objects.filter(connection=self.connection).update(server=client.server.to_json())

    @contextmanager
    def writing(self) -> Iterator[datetime]:
        """A transaction that only the holder of the turn gets into, while the place is the one it reads.

        Raises Busy.
        """
        now, mine = self.clock(), self.connection.odoo_lease_key
        with transaction.atomic():
            held = leases.renew([mine, work_lease_key(mine)], self.token, now=now, seconds=TURN_SECONDS)
            there = mine in held and ledger.lock([self.connection.pk])
            if not there or not Connection.objects.unmoved([self.connection]):
                raise Busy(self.connection.name)
            yield now


@contextmanager
def turn(
    connection: Connection,
    *,
    clock: Callable[[], datetime],
    wait_seconds: float | None = None,
    in_background: bool = False,
) -> Iterator[Turn]:
    """Wait for a poll under way to end, then read. Raises Busy, and RemoteError with the side in its code.

    While Odoo has asked us to wait nothing is read, and a wait asked for here holds for its polls as well.
    Of all work beside the polls only one piece at a time is at a database, or waits for it. Background work
    does not queue up for that: it is told Busy at once, so that a hanging database holds up one slot.
    """
    PollState.objects.create_missing(clock())
    _require_not_held(connection)
    _require_no_wait(connection, clock())
    token, key = leases.new_token(), connection.odoo_lease_key
    patience = WAIT_SECONDS if wait_seconds is None else wait_seconds
    mine: Turn | None = None
    try:
        _wait_for_lease(work_lease_key(key), token, clock, 0 if in_background else patience, connection.name)
        _wait_for_lease(key, token, clock, patience, connection.name)
        mine = Turn(connection, token, clock, seconds=CALLS_SECONDS if in_background else inf)
        yield mine
    except RemoteError as error:
        told = on_side("odoo", error)
        _remember_wait(connection, told, clock())
        raise told from None
    finally:
        if mine is not None:
            mine.remember_server()
        leases.release([key, work_lease_key(key)], token)


def _require_not_held(connection: Connection) -> None:
    hold = PollState.objects.filter(connection=connection).values_list("hold", flat=True).first()
    if hold:
        raise Held(hold)


def _require_no_wait(connection: Connection, now: datetime) -> None:
    until = circuit_store.load([connection.pk], Side.ODOO, now)[connection.pk].health.wait_until
    if until is not None and until > now:
        raise Temporary(RATE_LIMITED, f"until {until:%Y-%m-%d %H:%M:%S} UTC", retry_at=until)


def _remember_wait(connection: Connection, error: RemoteError, now: datetime) -> None:
    if error.code != RATE_LIMITED and error.retry_at is None:
        return
    side = circuit_store.load([connection.pk], Side.ODOO, now)[connection.pk]
    if error.code == RATE_LIMITED:
        side.health = circuit.after_rate_limit(side.health, now, error.retry_at)
    elif error.retry_at is not None:
        side.health = circuit.after_wait(side.health, error.retry_at)
    circuit_store.store({connection.pk: side}, Side.ODOO)


def work_lease_key(odoo_lease_key: str) -> str:
    """The key of work at this database beside its polls."""
    return f"work:{odoo_lease_key}"


def _wait_for_lease(
    key: str, token: str, clock: Callable[[], datetime], wait_seconds: float, name: str
) -> None:
    deadline = monotonic() + wait_seconds
    while not _claim(key, token, clock()):
        if monotonic() >= deadline:
            raise Busy(name)
        sleep(LOOK_SECONDS)


def _claim(key: str, token: str, now: datetime) -> bool:
    """Looks before it asks: a claim writes, and a hundred that wait must not keep others from writing."""
    if Lease.objects.filter(key=key, until__gt=now).exists():
        return False
    return bool(leases.claim([key], token, now=now, seconds=TURN_SECONDS))
