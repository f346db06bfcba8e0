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

from sync import schedules, scheduling, tasks
from sync.models import PollState
from sync.running.broker import give_back
from sync.running.complaints import Complaints
from sync.running.pulse import is_closing

TICK_SECONDS = 1.0
MISSING_EACH = 5  # ticks
WAITING_BATCHES = 2  # for each worker; what is claimed and waits too long loses its leases

Claim = Callable[[datetime, int], scheduling.Claim]

logger = logging.getLogger("poller.tick")


class Ticker(threading.Thread):
    """Ends soon after `leave()`. Whatever goes wrong in a tick is logged, and the next one comes."""

    def __init__(self, *, workers: int, stranded: Sequence[int] = ()) -> None:
        super().__init__(name="ticker", daemon=True)
        self.began_at = time.monotonic()  # of the tick under way
        self._tick = Tick(workers=workers, stranded=stranded)
        self._leaving = threading.Event()
        self._complaints = Complaints(logger)

    def leave(self) -> None:
        self._leaving.set()

    def run(self) -> None:
        try:
            while not self._leaving.is_set():
                self.began_at = time.monotonic()
                self._tick_once()
                self._leaving.wait(max(0.0, self.began_at + TICK_SECONDS - time.monotonic()))
        finally:
            connections.close_all()

    def _tick_once(self) -> None:
        try:
            close_old_connections()
            self._tick.run(timezone.now())
        except Exception as error:
            kind, expected = type(error).__name__, isinstance(error, OperationalError)  # it is away
            self._complaints.say(
                f"A tick failed, the next one comes in a second: {kind}: {error}", trace=not expected
            )


class Tick:
    """What is done each second, and what it remembers from one second to the next."""

    def __init__(self, *, workers: int, stranded: Sequence[int] = ()) -> None:
        self._workers = workers
        self._stranded = stranded
        self._broker: Any = None
        self._count = 0
        self._kinds: list[tuple[str, Claim]] = [
            (tasks.DELIVER, scheduling.claim_deliveries),
            (tasks.POLL, scheduling.claim_polls),
        ]

    def run(self, now: datetime) -> int:
        """Returns how many connections were handed to the queue; none once the poller stops."""
        if is_closing():
            return 0
        if self._broker is None:
            self._begin()
        if self._count % MISSING_EACH == 0:
            PollState.objects.create_missing(now)
        self._count += 1
        self._kinds.reverse()  # where there is room for one batch only, the kinds take turns
        return sum(
            self._hand_out(name, claim, now, of=2 - turn) for turn, (name, claim) in enumerate(self._kinds)
        )

    def _begin(self) -> None:
        give_back(self._stranded)
        schedules.ensure()
        self._broker = get_broker()

    def _hand_out(self, task: str, claim: Claim, now: datetime, *, of: int) -> int:
        """Fill one half (`of` two) of the room that is left, the second kind all that is left then."""
        room = self._workers * WAITING_BATCHES - self._broker.queue_size()
        batches = -(-room // of)
        if batches <= 0:
            return 0
        return tasks.hand_out(task, claim(now, batches * settings.BATCH_SIZE), broker=self._broker)
