"""One django-q2 cluster inside this process: started, asked to stop with a deadline, ended for sure."""

from __future__ import annotations

import gc
import signal
import time

from django.conf import settings
from django.db import connections
from django_q.cluster import Cluster
from django_q.conf import Conf

from connections.http.transport import trusted_authorities
from core.background.runner import process_group
from core.background.runner.broker import WatchedBroker
from core.background.runner.shared_state import SharedState

SIGNALS = (signal.SIGTERM, signal.SIGINT)
SETTLE_SECONDS = 0.5  # for a task that was just being begun, for a result on its way to the monitor
UNHEARD_SECONDS = 3.0  # for a monitor that does not put results away any more
LOOK_SECONDS = 0.1


class EmbeddedCluster:
    """To be made, started and stopped in the main thread, and started while no other thread runs."""

    def __init__(self, shared: SharedState, *, workers: int, heartbeat_seconds: float) -> None:
        Conf.WORKERS = Conf.QUEUE_LIMIT = workers
        self._shared = shared
        self._cluster = _without_its_handlers(WatchedBroker(shared, heartbeat_seconds=heartbeat_seconds))

    def start(self) -> None:
        """Fork guard, workers, monitor and pusher. Raises RuntimeError when the guard dies over it."""
        self._shared.reset()
        connections.close_all()  # children must not inherit a connection that is in use here
        _share_memory()
        self._cluster.start()

    def give_up_starting(self) -> None:
        """For a signal handler: `start` returns soon."""
        self._cluster.start_event = None

    @property
    def is_alive(self) -> bool:
        sentinel = self._cluster.sentinel
        return sentinel is not None and bool(sentinel.is_alive())

    def stop(self, deadline: float) -> bool:
        """Let the tasks under way end, but be over by `deadline`; returns whether none was cut off.

        django-q2's own stop has no deadline, does everything it has prefetched first, and waits for ever for
        a pusher in front of a full queue whose readers are gone. Here no further task begins, what was
        prefetched stays in the queue, and once nobody works any more the processes are killed.
        """
        lost_before = self._shared.lost
        self._shared.close()
        began_at = time.monotonic()
        while self.is_alive and time.monotonic() < deadline and not self._is_settled(began_at):
            time.sleep(LOOK_SECONDS)
        finished = self._shared.signs().busy == 0 and self._shared.lost == lost_before
        self.end()
        return finished

    def end(self) -> None:
        """Kill every process of this cluster at once."""
        sentinel = self._cluster.sentinel
        if sentinel is None:
            return
        process_group.end_group(sentinel.pid)
        sentinel.join(5)
        process_group.reap(sentinel.pid)

    def _is_settled(self, began_at: float) -> bool:
        signs = self._shared.signs()
        quiet_seconds = time.monotonic() - max(began_at, signs.worked_at, signs.answered_at)
        is_heard = signs.answered_at >= signs.worked_at
        return signs.busy == 0 and quiet_seconds > (SETTLE_SECONDS if is_heard else UNHEARD_SECONDS)


def _without_its_handlers(broker: WatchedBroker) -> Cluster:
    """django-q2's constructor takes SIGTERM and SIGINT for itself; ours are put back before one can come."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    ours = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        return Cluster(broker)
    finally:
        for number, handler in ours.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _share_memory() -> None:
    """What every child needs is there once for all: made before the fork, and left alone by the collector.

    A collector that looks at an object writes to its page, and the page is the child's own from then on.
    """
    trusted_authorities(settings.CA_BUNDLE)
    gc.collect()
    gc.freeze()
