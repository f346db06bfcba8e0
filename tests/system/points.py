"""Where the poller can be killed: which fault point of the product each is, and which arrivals count."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from connections.receiver.delivery import Verdict
from tests.system.kill_points import KillPoint


def always(about: Any) -> bool:
    return True


@dataclass(frozen=True)
class Point:
    """`counts` looks at what the flow has in hand: an arrival with nothing to lose is none."""

    moment: str
    counts: Callable[[Any], object] = always


POINTS = {
    # Leases are taken, the task is not in the queue: this is the main process.
    "claimed": Point("claimed", bool),
    # A worker has the task of a poll and has done nothing of it.
    "taken": Point("taken"),
    # Inside the transaction that remembers the first look at a shop.
    "begun": Point("begun", bool),
    "fed": Point("fed", lambda jobs: any(job.changes for job in jobs)),
    "read": Point("read", lambda jobs: any(job.found for job in jobs)),
    # Inside the transaction that owes: orders are marked as seen, what is owed for them is not stored.
    "owing": Point("owing", bool),
    # What is owed is stored; nothing has been sent, the window has not moved.
    "owed": Point("owed", bool),
    # Inside the transaction that moves the window.
    "window": Point("window", lambda jobs: any(job.complete and job.log.orders_found for job in jobs)),
    # A delivery has left; its answer has not been read.
    "posted": Point("posted", lambda item: item is not None),
    # The same, for a version that has failed before.
    "retried": Point("posted", lambda item: item is not None and item.attempts > 0),
    # The receiver has said yes; nothing of it is on record.
    "answered": Point("answered", lambda outcome: outcome.verdict is Verdict.DELIVERED),
    # Inside the transaction of `ledger.record`: deliveries are written, failures and circuits are not.
    "flush": Point("flush", bool),
    # Right after that transaction.
    "recorded": Point("recorded"),
    # A deep check has stored what it found; it has not remembered how far it came.
    "checked": Point("checked", bool),
    # A reconciliation has repaired a page and not said so.
    "repaired": Point("repaired", bool),
}

REPLACED = "replaced"  # the supervisor, too, kills: whenever it ends a cluster
SENDING_BEGINS, SENDING_ENDS = "sending", "answered"


class Minefield:
    """Visits the fault points of a poller, and knows what is under way in each thread."""

    def __init__(self, kills: Iterable[KillPoint], on_replaced: Callable[[], None]) -> None:
        self._kills = [(POINTS[kill_point.point], kill_point) for kill_point in kills]
        self._on_replaced = on_replaced
        self._thread = threading.local()

    def visit(self, moment: str, about: Any) -> None:
        if moment == REPLACED:
            self._on_replaced()
        elif moment == "posted":  # to Odoo as well, but a delivery is what has begun here and has not ended
            about = getattr(self._thread, "item", None)
        for point, kill_point in self._kills:
            if point.moment == moment and point.counts(about):
                kill_point.arrive()
        if moment in (SENDING_BEGINS, SENDING_ENDS):
            self._thread.item = about if moment == SENDING_BEGINS else None
