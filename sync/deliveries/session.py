"""One receiver being served: what goes next, whether it may, and what its answers teach the circuit."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from threading import Lock
from time import sleep

from connections import circuit
from connections.circuit_store import SideState
from connections.models import Connection
from connections.receiver.delivery import Outcome, Receiver, Verdict
from sync.ledger import Tried
from sync.models import RetryItem

Clock = Callable[[], datetime]
Closing = Callable[[], bool]

logger = logging.getLogger("poller.delivery")

SLICE_SECONDS = 20  # then the receiver waits its turn again, so that a long queue starves nobody
# A try may take 30 s. A lane starts none when the lease could end before the answer.
LEASE_MARGIN_SECONDS = 35


def never() -> bool:
    return False


class DeliverySession:
    """One receiver being served. `take` and `judge` are called from threads, the rest from the loop."""

    def __init__(
        self, connection: Connection, side: SideState, *, clock: Clock, closing: Closing, until: datetime
    ) -> None:
        self.connection = connection
        self.receiver = Receiver.of(connection)
        self.side = side
        self._waiting: dict[int, RetryItem] = {}  # by order: of one order there is one version to send
        self._sending: set[int] = set()  # orders; a newer version goes when the older one has its answer
        self._pausing = 0  # lanes that wait for their slot before they take one
        self.senders = self.sent = self.failed = 0
        self.gone = self.closed_again = self.rate_spent = False
        self.leased_until = until
        self._clock, self._closing, self._lock = clock, closing, Lock()
        self._ends_at = clock() + timedelta(seconds=SLICE_SECONDS)
        self._next_slot = clock()

    def due_at(self, earliest: datetime, now: datetime) -> datetime:
        """When its earliest waiting version may go out; a probe takes any that waits."""
        allowed_at = circuit.next_call_at(self.side.health, now)
        closed = self.side.health.state == circuit.CLOSED
        return max(earliest, allowed_at) if closed else allowed_at

    @property
    def is_over(self) -> bool:
        now = self._clock()
        margin = timedelta(seconds=LEASE_MARGIN_SECONDS)
        stopped = self.gone or self.side.paused or self.rate_spent or self._closing()
        return stopped or now >= self._ends_at or now + margin > self.leased_until

    def give(self, items: Iterable[RetryItem]) -> None:
        """More to send; a newer version takes the place of an older one that waits."""
        with self._lock:
            for item in items:
                self._waiting.pop(item.order_id, None)
                self._waiting[item.order_id] = item

    def free_senders(self) -> int:
        """The number of senders that may open now."""
        allowed = circuit.calls_allowed(self.side.health, self._clock())
        most = self.connection.deliveries_at_once if allowed is None else allowed
        with self._lock:
            return 0 if self.is_over else min(most, self._ready() + self.senders) - self.senders

    def take(self) -> RetryItem | None:
        """The next version to send, or None when this sender has to end."""
        with self._lock:
            pause_seconds = self._reserve() if self._ready() and self._next() else None
            if pause_seconds is None:
                return None
            self._pausing += 1
        if pause_seconds > 0:
            sleep(pause_seconds)
        with self._lock:  # only now: the circuit may have opened meanwhile, or the lease be lost
            self._pausing -= 1
            item = self._next()
            if item is not None:
                del self._waiting[item.order_id]
                self._sending.add(item.order_id)
        return item

    def _ready(self) -> int:
        """How many versions may be taken by a sender that takes none yet."""
        held_up = sum(order in self._waiting for order in self._sending)
        return max(0, len(self._waiting) - held_up - self._pausing)

    def _next(self) -> RetryItem | None:
        """What may be sent at this moment."""
        allowed = circuit.calls_allowed(self.side.health, self._clock())
        if self.is_over or (allowed is not None and len(self._sending) >= allowed):
            return None
        return next((i for i in self._waiting.values() if i.order_id not in self._sending), None)

    def judge(self, item: RetryItem, outcome: Outcome) -> None:
        """Let the circuit learn from an answer before the next version leaves."""
        with self._lock:
            self._sending.discard(item.order_id)
            now, before = self._clock(), self.side.health
            if outcome.verdict is Verdict.WAIT:
                self.side.health = circuit.after_rate_limit(before, now, outcome.retry_at)
            elif outcome.alive is True:
                self.side.health = circuit.after_success(before, now)
            elif outcome.alive is False:
                self.side.health = circuit.after_failure(before, now, outcome.code)
            self.gone = self.gone or outcome.verdict is Verdict.GONE
            self.closed_again |= circuit.works_again(before, self.side.health, now)

    def count(self, tried: Tried) -> None:
        delivered = tried.outcome.verdict is Verdict.DELIVERED
        self.sent += delivered
        self.failed += not delivered
        logger.log(
            logging.INFO if delivered else logging.WARNING,
            "Delivered" if delivered else "Not delivered, still owed",
            extra={
                "connection": self.connection.name,
                "order": tried.item.order_name,
                "event_id": tried.item.event_id,
                "code": tried.outcome.code or None,
            },
        )

    def _reserve(self) -> float | None:
        """Seconds until this receiver's rate lets the next one go; None when that is past our slice."""
        rate = self.connection.deliveries_per_second
        if not rate:
            return 0
        now = self._clock()
        slot = max(now, self._next_slot)
        if slot >= self._ends_at:
            self.rate_spent = True
            return None
        self._next_slot = slot + timedelta(seconds=1 / rate)
        return (slot - now).total_seconds()

    def free_at(self, now: datetime) -> datetime | None:
        """When the rate limit allows the next delivery; None is at once."""
        return self._next_slot if self._next_slot > now else None
