"""HTTP in threads, everything else here: one loop that hands results back in batches."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any

Handle = Callable[[list[Any]], None]

GATHER_SECONDS = 0.03
IDLE_SECONDS = 1.0


class Loop:
    """`spawn` runs work in a thread; its result comes to `then`, in our thread, with others in a list.

    With `threads=0` work runs at once in the caller's thread: the same flow, one step after the other.
    """

    def __init__(self, threads: int) -> None:
        self.stopped = False
        self._pool = ThreadPoolExecutor(threads, "http") if threads else None
        self._results: SimpleQueue[tuple[Handle, Any, bool, bool]] = SimpleQueue()
        self._waiting: dict[Handle, list[Any]] = {}
        self._gathering: dict[Handle, float] = {}
        self._running = 0
        self._periodic: list[_Periodic] = []

    def every(self, seconds: float, act: Callable[[], None]) -> None:
        """Call `act` in our thread about every so many seconds, as long as work is left."""
        self._periodic.append(_Periodic(seconds, act))

    def spawn(self, work: Callable[[], Any], then: Handle, *, gather: bool = False) -> None:
        """Run `work()` beside us. It must not raise: what it raises ends the whole run.

        With `linger` its result may wait a moment for others to join it.
        """
        self._running += 1
        if self._pool is None:
            self._work(work, then, gather)
        else:
            self._pool.submit(self._work, work, then, gather)

    def emit(self, then: Handle, value: Any) -> None:
        """From a thread: one result before the work is over; may wait for others to join."""
        self._results.put((then, value, False, True))

    def flush(self, then: Handle) -> None:
        """Handle now what waits for `then`."""
        self._gathering.pop(then, None)
        values = self._waiting.pop(then, None)
        if values:
            then(values)

    def run(self) -> None:
        """Until no work is left and every result is handled."""
        try:
            while self._running or self._waiting or not self._results.empty():
                self._collect()
                self._dispatch()
                for periodic in self._periodic:
                    periodic.call_if_due()
        finally:
            self.stopped = True
            if self._pool is not None:
                self._pool.shutdown(wait=False, cancel_futures=True)

    def _work(self, work: Callable[[], Any], then: Handle, gather: bool) -> None:
        try:
            self._results.put((then, work(), True, gather))
        except BaseException as error:
            self._results.put((_raise, error, True, False))

    def _collect(self) -> None:
        timeout = IDLE_SECONDS if self._running else 0
        if self._waiting:
            timeout = max(0.0, min([timeout, *(at - monotonic() for at in self._gathering.values())]))
        try:
            result = self._results.get(timeout=timeout) if timeout else self._results.get_nowait()
            while True:
                self._keep(*result)
                result = self._results.get_nowait()
        except Empty:
            return

    def _keep(self, then: Handle, value: Any, is_end: bool, gather: bool) -> None:
        self._running -= is_end
        if gather:
            self._gathering.setdefault(then, monotonic() + GATHER_SECONDS)
        self._waiting.setdefault(then, []).append(value)

    def _dispatch(self) -> None:
        now = monotonic()
        for then in list(self._waiting):
            if self._running and self._gathering.get(then, 0) > now:
                continue
            self.flush(then)


class _Periodic:
    def __init__(self, seconds: float, act: Callable[[], None]) -> None:
        self.seconds, self.act, self.at = seconds, act, monotonic() + seconds

    def call_if_due(self) -> None:
        if monotonic() >= self.at:
            self.at = monotonic() + self.seconds
            self.act()


def _raise(errors: list[Any]) -> None:
    raise errors[0]
