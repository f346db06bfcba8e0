"""What the processes of the cluster tell the supervisor, in memory that they share."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from multiprocessing.sharedctypes import RawArray, RawValue
from typing import Any

from django_q.signals import post_execute, post_execute_in_worker, pre_execute

SLOTS = 512  # more than there will ever be workers
TAKEN = 1024  # more than tasks can be on the way at once


@dataclass(frozen=True, slots=True)
class Signs:
    """Signs of life at one moment; times are seconds of the monotonic clock."""

    answered_at: float  # the monitor has put the last result away
    worked_at: float  # a worker has finished the last task
    guarded_at: float  # the guard went its last round
    busy: int  # workers that are in a task now


class SharedState:
    """Written without any lock, so that nobody waits for a process that was killed while it wrote."""

    def __init__(self) -> None:
        self._answered_at, self._worked_at, self._guarded_at = RawValue("d"), RawValue("d"), RawValue("d")
        self._closing = RawValue("b")
        self._busy = RawArray("i", SLOTS)
        self._taken = RawArray("q", TAKEN)
        self._taken_count = RawValue("q")
        self._slot = 0  # of this worker, in its own copy of this object
        self.lost = 0  # tasks whose worker died over them, as far as `signs` has noticed

    def listen(self) -> None:
        """Hear of tasks, here and in everything that is forked from here on."""
        global _shared
        _shared = self
        pre_execute.connect(self._on_begun)
        post_execute_in_worker.connect(self._on_worked)
        post_execute.connect(self._on_answered)

    def reset(self) -> None:
        """For a new cluster, when the old one is dead."""
        now = time.monotonic()
        self._answered_at.value = self._worked_at.value = self._guarded_at.value = now
        self._taken_count.value = 0
        for slot in range(SLOTS):
            self._busy[slot] = 0

    def signs(self) -> Signs:
        return Signs(
            self._answered_at.value, self._worked_at.value, self._guarded_at.value, self._count_busy()
        )

    def close(self) -> None:
        """No further task is begun."""
        self._closing.value = 1

    @property
    def is_closing(self) -> bool:
        return bool(self._closing.value)

    def guarded(self) -> None:
        self._guarded_at.value = time.monotonic()

    def took(self, ack_ids: Iterable[int | None]) -> None:
        """The pusher has taken these rows of the queue; there is only one pusher at a time."""
        for ack_id in ack_ids:
            if ack_id is not None:
                self._taken[self._taken_count.value % TAKEN] = ack_id
                self._taken_count.value += 1

    @property
    def taken(self) -> list[int]:
        """The rows taken last; those that were worked off are no longer in the queue's table."""
        return list(self._taken[: min(self._taken_count.value, TAKEN)])

    def _count_busy(self) -> int:
        busy = 0
        for slot, pid in enumerate(self._busy):
            if pid and _is_alive(pid):
                busy += 1
            elif pid and self._busy[slot] == pid:
                self._busy[slot] = 0
                self.lost += 1
        return busy

    def _on_begun(self, **_: Any) -> None:
        pid = os.getpid()
        slots = ((pid + step) % SLOTS for step in range(SLOTS))
        self._slot = next(slot for slot in slots if self._busy[slot] in (0, pid))
        self._busy[self._slot] = pid
        if self.is_closing:  # the task stays in the queue; this worker is about to be killed
            self._busy[self._slot] = 0
            while True:
                time.sleep(60)

    def _on_worked(self, **_: Any) -> None:
        self._worked_at.value = time.monotonic()
        self._busy[self._slot] = 0

    def _on_answered(self, **_: Any) -> None:
        self._answered_at.value = time.monotonic()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


_shared: SharedState | None = None


def is_closing() -> bool:
    """Whether the poller stops: a long task does well to end early. Always false outside of `runpoller`."""
    return _shared is not None and _shared.is_closing


def in_runpoller() -> bool:
    """Whether this process belongs to a `runpoller`, not to a plain qcluster."""
    return _shared is not None


def heartbeat() -> None:
    """The task that does nothing: that it comes back is the news."""
