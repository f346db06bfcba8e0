"""Slots: how much background work of one group goes on at once, in all processes of all hosts together.

A slot is a lease in the database. Who has none begins nothing, so that however much is asked for, and
wherever it is done, no more than this many pieces of it hang on a remote system at the same time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from connections import leases
from connections.models import Lease
from core.models.staged_test import DONE_WITHIN

TEST, RUN, CHECK, WRITE = "test", "run", "check", "write"
SLOTS: dict[str, int] = {
    TEST: 2,  # what people wait for at a page: tests of connections and of alert channels
    RUN: 2,  # what people ask for and Odoo has to answer: comparisons, sending again
    CHECK: 4,  # what is due by itself: deep checks, the daily comparison
    WRITE: 2,  # runs that only write here: retry, discard
}
# Longer than any piece takes: what it may wait for, call and read has an end each (sync/polling/turn.py).
HOLD_SECONDS = DONE_WITHIN.total_seconds()


@dataclass(frozen=True, slots=True)
class Slot:
    """One of a group's slots, ours until it is released."""

    key: str
    token: str


def claim(group: str, now: datetime) -> Slot | None:
    """A free slot of this group; None when all are taken. Waits for nobody."""
    keys = [f"slot:{group}:{number}" for number in range(1, SLOTS[group] + 1)]
    taken = set(Lease.objects.filter(key__in=keys, until__gt=now).values_list("key", flat=True))
    token = leases.new_token()
    for key in keys:
        if key not in taken and leases.claim([key], token, now=now, seconds=HOLD_SECONDS):
            return Slot(key, token)
    return None


def release(slot: Slot) -> None:
    leases.release([slot.key], slot.token)
