"""Where a figure is measured: a scratch database, shops as load, pollers, and the account of their work."""

from __future__ import annotations

import atexit
import contextlib
import functools
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.cpu_memory import Account
from bench.load.client import Load, Told
from tests.system.poller_process import Poller
from tests.system.scratch import Scratch
from tests.system.waiting import until

REST_SECONDS = 1.2  # until what was written last is written
SECOND_OVER = 2.1
HOUR = 3600
NOT_BEGUN = "SELECT count(*) FROM sync_pollstate WHERE window_to IS NULL"
CONNECTIONS = "SELECT count(*) FROM connections_connection"
STATES = "SELECT count(*) FROM sync_pollstate"
OWED = "SELECT count(*) FROM sync_retryitem WHERE status = 'pending'"


@dataclass(frozen=True)
class Setting:
    """How a row is to be measured; what is None is for the row to choose."""

    database: str = "sqlite"
    small: bool = True
    seconds: float | None = None
    connections: int | None = None
    interval_seconds: int | None = None
    workers: int | None = None
    rows: int | None = None
    profile: Path | None = None

    def size(self, small: int, full: int) -> int:
        return small if self.small else full

    def duration(self, small: float, full: float) -> float:
        return self.seconds if self.seconds is not None else (small if self.small else full)

    def shops(self, small: int, full: int) -> int:
        return self.connections or self.size(small, full)

    def interval(self, small: int, full: int) -> int:
        return self.interval_seconds or self.size(small, full)


@dataclass
class Ground:
    """Pollers are started by `poll`; all else stands when this is made."""

    setting: Setting
    scratch: Scratch
    load: Load
    pollers: list[Poller] = field(default_factory=list)

    @property
    def shops(self) -> list[str]:
        return self.load.names

    def connect(self, shops: list[str] | None = None, **fields: Any) -> None:
        """A connection for each shop, or for these."""
        chosen = [each for each in self.load.accesses if shops is None or each["database"] in shops]
        self.scratch.connect(chosen, **fields)

    def poll(self, *, workers: int | None = None, **options: Any) -> Poller:
        """One more `runpoller`, with as many workers as it has by default unless told otherwise."""
        chosen = workers or self.setting.workers or 4
        profile = None if options.get("counted") else self.setting.profile
        name = f"poller{len(self.pollers)}"
        poller = Poller(self.scratch, workers=chosen, name=name, profile=profile, **options)
        self.pollers.append(poller)
        poller.until_ready()
        print(f"    runpoller is process {poller.process.pid}", flush=True)
        return poller

    def begin(self, seconds: float = 120) -> float:
        """Until every connection has had its first look at its shop; returns how long that took."""
        began_at, number = (
            time.monotonic(),
            self.scratch.number(CONNECTIONS),
        )
        until(lambda: self.scratch.number(STATES) == number, 30, "every connection has a state", each=0.3)
        until(lambda: not self.scratch.number(NOT_BEGUN), seconds, "every connection has begun", each=0.3)
        self.rest()
        return time.monotonic() - began_at

    def wake(self) -> None:
        """All are due now."""
        past = datetime.now(UTC) - timedelta(seconds=1)
        self.scratch.query(f"UPDATE sync_pollstate SET next_poll_at = '{past:%Y-%m-%d %H:%M:%S}'")

    def every(self, seconds: int) -> None:
        """Another interval for all connections, from now on."""
        self.scratch.query(f"UPDATE connections_connection SET poll_interval_seconds = {seconds}")
        self.wake()

    def sell(self, number: int, shops: list[str] | None = None) -> None:
        """Orders whose second is over when they are read: those of the second under way are read twice."""
        self.load.do(mark=True, confirm=number, shops=self.shops if shops is None else shops)
        self.rest(SECOND_OVER)

    def quiet(self) -> None:
        """Until nobody has called for two seconds."""
        until(lambda: self._last_call() < time.time() - 2, 60, "all polls are over", each=0.3)

    def _last_call(self) -> float:
        return max((times[-1] for times in self.load.told().calls.values()), default=0.0)

    def round(self, seconds: float = 120) -> None:
        """Every connection is polled once more."""
        before = self.calls_by_shop()
        self.wake()
        until(lambda: self._all_called(before), seconds, "every connection is polled", each=0.1)
        self.rest()

    def calls_by_shop(self) -> dict[str, int]:
        return {shop: len(times) for shop, times in self.load.told().calls.items()}

    def _all_called(self, before: Mapping[str, int]) -> bool:
        now = self.calls_by_shop()
        connected = self.scratch.number(CONNECTIONS)
        return sum(number > before.get(shop, 0) for shop, number in now.items()) >= connected

    def until_arrived(self, seconds: float) -> Told:
        """Every order that was confirmed since the mark is with its receiver, and that is on record."""
        told = until(self._all_there, seconds, "every order has arrived", each=0.05)
        until(lambda: not self.scratch.number(OWED), seconds, "every delivery is on record", each=0.05)
        return told

    def _all_there(self) -> Told | None:
        told = self.load.told()
        return told if not told.waiting and not told.missing else None

    def rest(self, seconds: float = REST_SECONDS) -> None:
        time.sleep(seconds)

    def account(self) -> Account:
        """Of all pollers together, and of the database's backends beside them."""
        name = "" if self.scratch.is_sqlite else urlsplit(self.scratch.database_url).path[1:]
        return Account(lambda: [poller.process.pid for poller in self.pollers], database=name)

    def load_account(self) -> Account:
        return Account(lambda: [self.load.process.pid])

    def clear(self) -> None:
        for poller in self.pollers:
            with contextlib.suppress(ProcessLookupError):
                poller.end()
        self.load.stop()
        self.scratch.close()


@functools.cache
def _blank(variant: str) -> Scratch:
    """Migrated once, copied for every row."""
    blank = Scratch(variant)
    atexit.register(blank.close)
    return blank


@contextlib.contextmanager
def ground(
    setting: Setting,
    shops: int,
    *,
    versions: tuple[int, ...] = (17,),
    latency: float = 0.0,
    receiver_latency: float = 0.0,
    after_order: int = 0,
    variables: Mapping[str, str] | None = None,
    database: str | None = None,
) -> Iterator[Ground]:
    """`shops` databases of each of these versions. Nothing is left of it afterwards."""
    variant = database or setting.database
    scratch = Scratch(
        variant, like=_blank("sqlite" if variant == "sqlite" else "postgres"), **(variables or {})
    )
    try:
        load = Load(
            scratch,
            versions,
            shops=shops,
            orders=0,
            rate=0,
            latency=latency,
            receiver_latency=receiver_latency,
            after_order=after_order,
        )
    except BaseException:
        scratch.close()
        raise
    made = Ground(setting, scratch, load)
    try:
        yield made
    finally:
        made.clear()
