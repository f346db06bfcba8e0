"""A turn at one Odoo database outside the poll: the lease, a client, and writing that is fenced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from math import inf
from time import monotonic, sleep

from django.db import transaction

from connections import leases
from connections.errors import RemoteError, Temporary, on_side
from connections.models import Connection, Lease
from connections.odoo.client import OdooClient, connect
from connections.odoo.server import Server
from sync import ledger
from sync.masters import SharedMasters
from sync.models import PollState
from sync.sources.odoo import WANTED, OdooSource
from sync.starting import StartLine

WAIT_SECONDS = 30
LOOK_SECONDS = 0.2
TURN_SECONDS = 150  # longer than any two calls; every write renews it
CALLS_SECONDS = 150.0  # of background work, for all calls of a turn together: its slot ends after 240
BUSY_SECONDS = 10  # then background work that got no turn asks again


class Busy(Exception):
    """Somebody else is reading this Odoo database and did not finish in time, or took our turn from us."""


class Turn:
    """Nobody else reads this database while we do. `source` asks Odoo, `writing` is for what we learnt."""

    def __init__(
        self, connection: Connection, token: str, clock: Callable[[], datetime], *, seconds: float = inf
    ) -> None:
        self.connection, self.token, self.clock, self._seconds = connection, token, clock, seconds
        self.began = clock()

    @cached_property
    def client(self) -> OdooClient:
        stored = PollState.objects.filter(connection=self.connection).values_list("server", flat=True).first()
        known = Server.from_json(stored or {})
        return connect(self.connection, known, now=self.began, wanted=WANTED, seconds=self._seconds)

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

    @contextmanager
    def writing(self) -> Iterator[datetime]:
        """A transaction that only the holder of the turn gets into. Raises Busy."""
        now, mine = self.clock(), self.connection.odoo_lease_key
        with transaction.atomic():
            held = leases.renew([mine, work_lease_key(mine)], self.token, now=now, seconds=TURN_SECONDS)
            if mine not in held or not ledger.lock([self.connection.pk]):
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

    Of all work beside the polls only one piece at a time is at a database, or waits for it. Background work
    does not queue up for that: it is told Busy at once, so that a hanging database holds up one slot.
    """
    PollState.objects.create_missing(clock())
    token, mine = leases.new_token(), connection.odoo_lease_key
    patience = WAIT_SECONDS if wait_seconds is None else wait_seconds
    try:
        _take(work_lease_key(mine), token, clock, 0 if in_background else patience, connection.name)
        _take(mine, token, clock, patience, connection.name)
        yield Turn(connection, token, clock, seconds=CALLS_SECONDS if in_background else inf)
    except RemoteError as error:
        raise on_side("odoo", error) from None
    finally:
        leases.release([mine, work_lease_key(mine)], token)


def work_lease_key(odoo_lease_key: str) -> str:
    """The key of whoever works at this database beside its polls."""
    return f"work:{odoo_lease_key}"


def _take(key: str, token: str, clock: Callable[[], datetime], wait_seconds: float, name: str) -> None:
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
