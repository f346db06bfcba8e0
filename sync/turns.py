"""A turn at one Odoo database outside the poll: the lease, a client, and writing that is fenced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from time import monotonic, sleep

from django.db import transaction

from connections import leases
from connections.errors import Permanent, RemoteError, Temporary, on_side
from connections.models import Connection
from connections.odoo.client import OdooClient, connect
from connections.odoo.server import Server
from sync import ledger
from sync.masters import SharedMasters
from sync.models import PollState
from sync.sources.odoo import PROBED, OdooSource
from sync.starting import StartLine

WAIT_SECONDS = 30
TURN_SECONDS = 150  # longer than any two calls; every write renews it


class Busy(Exception):
    """Somebody else is reading this Odoo database and did not finish in time, or took our turn from us."""


class Held(Permanent):
    """Nothing is read of this connection until a person has answered a question about it."""


class Turn:
    """Nobody else reads this database while we do. `source` asks Odoo, `writing` is for what we learnt."""

    def __init__(self, connection: Connection, token: str, clock: Callable[[], datetime]) -> None:
        self.connection, self.token, self.clock = connection, token, clock
        self.began = clock()

    @cached_property
    def client(self) -> OdooClient:
        stored = PollState.objects.filter(connection=self.connection).values_list("server", flat=True).first()
        return connect(self.connection, Server.from_json(stored or {}), now=self.began, wanted=PROBED)

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
        """A transaction that only the holder of the turn gets into. Raises Busy."""
        now = self.clock()
        with transaction.atomic():
            keys = [self.connection.odoo_lease_key]
            held = leases.renew(keys, self.token, now=now, seconds=TURN_SECONDS)
            if not held or not ledger.lock([self.connection.pk]):
                raise Busy(self.connection.name)
            yield now


@contextmanager
def turn(
    connection: Connection, *, clock: Callable[[], datetime], wait_seconds: float | None = None
) -> Iterator[Turn]:
    """Wait for a poll under way to end, then read. Raises Busy, and RemoteError with the side in its code."""
    PollState.objects.create_missing(clock())
    hold = PollState.objects.filter(connection=connection).values_list("hold", flat=True).first()
    if hold:
        raise Held(hold)
    token = _take(connection, clock, WAIT_SECONDS if wait_seconds is None else wait_seconds)
    mine = Turn(connection, token, clock)
    try:
        yield mine
    except RemoteError as error:
        raise on_side("odoo", error) from None
    finally:
        mine.remember_server()
        leases.release([connection.odoo_lease_key], token)


def _take(connection: Connection, clock: Callable[[], datetime], wait_seconds: float) -> str:
    token, deadline = leases.new_token(), monotonic() + wait_seconds
    while not leases.claim([connection.odoo_lease_key], token, now=clock(), seconds=TURN_SECONDS):
        if monotonic() > deadline:
            raise Busy(connection.name)
        sleep(0.2)
    return token
