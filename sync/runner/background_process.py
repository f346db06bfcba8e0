"""The process of a poller that does background work, in threads: polls and deliveries keep all workers."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import threading
import time

from django.db import close_old_connections, connections
from django.utils import timezone

from core.background import slots
from core.background.runner import process_group
from core.background.runner.shared_state import SharedState
from core.background.runner.throttled_log import ThrottledLog
from core.background.safe_errors import TaskFailed, discreet
from sync import background

LOOK_SECONDS = 1.0
CLOSING_SECONDS = 0.2

logger = logging.getLogger("poller.background")


class BackgroundProcess:
    """To be started in the main thread, while no other thread runs: it is a fork."""

    def __init__(self, shared: SharedState) -> None:
        self._shared = shared
        self._process: multiprocessing.process.BaseProcess | None = None

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.is_alive()

    def start(self) -> None:
        """Nothing where it lives already."""
        if self.is_alive:
            return
        connections.close_all()  # the child must not inherit one that is in use here
        context = multiprocessing.get_context("fork")
        self._process = context.Process(target=_live, args=[self._shared], name="background", daemon=True)
        self._process.start()

    def stop(self, deadline: float) -> bool:
        """The pulse tells it to end; at `deadline` it is killed. Returns whether that was not needed."""
        if self._process is None:
            return True
        self._process.join(max(0.0, deadline - time.monotonic()))
        finished = not self._process.is_alive()
        self.end()
        return finished

    def end(self) -> None:
        if self._process is None or self._process.pid is None:
            return
        process_group.end_group(self._process.pid)
        self._process.join(5)


def _live(shared: SharedState) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):  # the supervisor hears them, and tells us by the pulse
        signal.signal(number, signal.SIG_IGN)
    BackgroundDispatcher(shared).run()


class BackgroundDispatcher:
    """Looks each second for what is due, and does it in as many threads of a group as that has slots."""

    def __init__(self, shared: SharedState) -> None:
        self._shared = shared
        self._threads: dict[str, list[threading.Thread]] = {group: [] for group in background.GROUPS}
        self._throttled = ThrottledLog(logger)

    def run(self) -> None:
        """Until the poller stops, and what is under way has ended."""
        while not self._is_closing():
            self.look()
            until = time.monotonic() + LOOK_SECONDS
            while not self._is_closing() and time.monotonic() < until:
                time.sleep(CLOSING_SECONDS)
        self.join()
        connections.close_all()

    def look(self) -> None:
        """Begin what there are slots for. Whatever goes wrong is logged, and the next look comes."""
        try:
            close_old_connections()
            for group in background.due_groups(timezone.now()):
                self._fill(group)
        except Exception as error:
            self._throttled.say(f"Background work cannot be looked for: {type(error).__name__}: {error}")

    def join(self) -> None:
        for thread in [thread for threads in self._threads.values() for thread in threads]:
            thread.join()

    def _is_closing(self) -> bool:
        return self._shared.is_closing

    def _fill(self, group: str) -> None:
        alive = [thread for thread in self._threads[group] if thread.is_alive()]
        while len(alive) < slots.SLOTS[group]:
            piece = background.next_piece(group, closing=self._is_closing)
            if piece is None:
                break
            alive.append(threading.Thread(target=self._work, args=[group, piece], name=group, daemon=True))
            alive[-1].start()
        self._threads[group] = alive

    def _work(self, group: str, piece: background.Piece | None) -> None:
        """One piece after the other, while any is due. After a fault of ours the next look goes on."""
        try:
            while piece is not None:
                discreet(piece.do)()
                piece = None if self._is_closing() else background.next_piece(group, closing=self._is_closing)
        except TaskFailed:
            pass
        except Exception as error:
            self._throttled.say(f"Background work cannot be claimed: {type(error).__name__}: {error}")
        finally:
            connections.close_all()
