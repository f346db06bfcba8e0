"""The one-second loop: claims what is due and hands it to the queue, in a thread of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import OperationalError, close_old_connections, connections
from django.utils import timezone
from django_q.brokers import get_broker

from core.background import failures, schedules
from core.background.heartbeat import Heartbeat
from core.background.runner.broker import give_back
from core.background.runner.shared_state import is_closing
from core.background.runner.throttled_log import ThrottledLog
from core.monitoring.alerts.database_down import Emergency
from sync import due, tasks
from sync.models import PollState

TICK = "sync.runner.ticker.tick"  # as failing work is called
TICK_SECONDS = 1.0
MISSING_EACH = 5  # ticks
WAITING_BATCHES = 2  # for each worker; what is claimed and waits too long loses its leases

Kind = tuple[str, Callable[[datetime, int], due.Claim]]

logger = logging.getLogger("poller.tick")


class Ticker(threading.Thread):
    """Ends soon after `leave()`. Whatever goes wrong in a tick is logged, and the next one comes."""

    def __init__(self, *, workers: int, stranded: Sequence[int] = ()) -> None:
        super().__init__(name="ticker", daemon=True)
        self.began_at = time.monotonic()  # of the tick under way
        self._tick = Tick(workers=workers, stranded=stranded)
        self._leaving = threading.Event()
        self._emergency = Emergency()
        self._throttled = ThrottledLog(logger)
        self._may_have_failed = True  # the poller before us may have left word of it

    def leave(self) -> None:
        self._leaving.set()

    def run(self) -> None:
        try:
            while not self._leaving.is_set():
                self.began_at = time.monotonic()
                self._tick_once()
                self._leaving.wait(max(0.0, self.began_at + TICK_SECONDS - time.monotonic()))
            self._remove_heartbeat()
        finally:
            connections.close_all()

    def _remove_heartbeat(self) -> None:
        try:
            self._tick.end()
        except Exception as error:  # a poller that seems to have died is no harm
            self._throttled.say(f"The sign of life could not be taken away: {error}")

    def _tick_once(self) -> None:
        try:
            close_old_connections()
            self._tick.run(timezone.now())
            self._emergency.database_works(timezone.now())
            if self._may_have_failed:
                failures.succeeded([TICK])
                self._may_have_failed = False
        except Exception as error:
            kind, expected = type(error).__name__, isinstance(error, OperationalError)  # it is away
            if expected:
                self._emergency.database_is_away(timezone.now())
            else:
                failures.failed(TICK, kind)
                self._may_have_failed = True
            self._throttled.say(
                f"A tick failed, the next one comes in a second: {kind}: {error}", trace=not expected
            )


class Tick:
    """What is done each second, and what it remembers from one second to the next."""

    def __init__(self, *, workers: int, stranded: Sequence[int] = ()) -> None:
        self._workers = workers
        self._stranded = stranded
        self._broker: Any = None
        self._heartbeat = Heartbeat(workers=workers)
        self._count = 0
        self._turn = False

    def run(self, now: datetime) -> int:
        """Returns how many connections were handed to the queue; none once the poller stops."""
        if is_closing():
            return 0
        self._heartbeat.record(now)
        if self._broker is None:
            self._begin()
        if self._count % MISSING_EACH == 0:
            PollState.objects.create_missing(now)
        self._count += 1
        free = self._workers * WAITING_BATCHES - self._broker.queue_size()
        if free <= 0:
            return 0
        polls, deliveries = due.due_kinds(now)
        kinds: list[Kind] = [(tasks.POLL, due.claim_polls)] if polls else []
        kinds += [(tasks.DELIVER, due.claim_deliveries)] if deliveries else []
        self._turn = not self._turn  # where there is room for one batch only, the kinds take turns
        return self._fill(kinds[::-1] if self._turn else kinds, free, now)

    def _fill(self, kinds: list[Kind], free: int, now: datetime) -> int:
        """Each kind gets its share of the room that is left, the last all of it."""
        handed = 0
        for number, (task, claim) in enumerate(kinds):
            batches = -(-free // (len(kinds) - number))
            count = tasks.hand_out(task, claim(now, batches * settings.BATCH_SIZE), broker=self._broker)
            free -= -(-count // settings.BATCH_SIZE)
            handed += count
            if free <= 0:
                break
        return handed

    def end(self) -> None:
        self._heartbeat.end()

    def _begin(self) -> None:
        give_back(self._stranded)
        schedules.ensure()
        self._broker = get_broker()
