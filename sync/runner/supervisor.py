"""The life of `manage.py runpoller`: one cluster after the other until a signal, and out in time."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from types import FrameType

from django.conf import settings
from django.db import connections

from core.background.runner.broker import give_back
from core.background.runner.cluster import SIGNALS, EmbeddedCluster
from core.background.runner.process_group import Family
from core.background.runner.shared_state import SharedState
from core.background.runner.watchdog import HEARTBEAT_SECONDS, Watchdog
from sync.runner.background_process import BackgroundProcess
from sync.runner.ticker import Ticker

STOP_SECONDS = float(getattr(settings, "STOP_SECONDS", 25))  # for tasks under way to end
LAST_SECONDS = 2.0  # for the database after that; together well below the 30 s that we promise
LOOK_SECONDS = 0.5
STEADY_SECONDS = 300.0  # a cluster that lived this long was a good one
LONGEST_PAUSE_SECONDS = 30.0
SLOW_TICK_SECONDS = 60.0
BACKGROUND_EXITED = "the process for background work has exited"
RESTART_SECONDS = float(getattr(settings, "BACKGROUND_RESTART_SECONDS", 10))  # between two starts of it

logger = logging.getLogger("poller.runpoller")


class Supervisor:
    """Main thread only. It touches neither the database nor the network, so that nothing can hold it up."""

    def __init__(self, *, workers: int) -> None:
        self._workers = workers
        self._shared = SharedState()
        self._cluster: EmbeddedCluster | None = None
        self._background = BackgroundProcess(self._shared)
        self._background_at = 0.0  # when it was started
        self._stop_at: float | None = None  # set once, by a signal
        self._short_lives = 0
        self._stranded: list[int] = []

    def run(self) -> int:
        """Returns the exit code: 0 when no task was cut off, 1 when one had to be."""
        Family().found()
        self._shared.listen()
        for number in SIGNALS:
            signal.signal(number, self._on_signal)
        finished = True
        try:
            while self._stop_at is None:
                finished = self._live_once()
        finally:
            if self._cluster is not None:
                self._cluster.end()
            self._background.end()
        self._give_back_at_last()
        logger.info("The poller has stopped%s.", "" if finished else "; tasks that were cut off are repeated")
        return 0 if finished else 1

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._shared.close()
        if self._stop_at is None:
            self._stop_at = time.monotonic() + STOP_SECONDS
        if self._cluster is not None:
            self._cluster.give_up_starting()

    def _live_once(self) -> bool:
        """One cluster from start to end; returns whether no task was cut off."""
        began_at = time.monotonic()
        cluster = EmbeddedCluster(self._shared, workers=self._workers, heartbeat_seconds=HEARTBEAT_SECONDS)
        self._cluster = cluster
        try:
            cluster.start()
        except Exception as error:
            logger.warning("The queue's processes could not be started, trying again: %s", error)
            self._pause(began_at)
            return True
        logger.info("The poller runs with %d workers, process %d.", self._workers, os.getpid())
        trouble = self._feed(cluster)
        while trouble == BACKGROUND_EXITED and self._stop_at is None:
            logger.warning("The process for background work has exited and is replaced. Polls go on.")
            trouble = self._feed(cluster)
        if self._stop_at is not None:
            finished = cluster.stop(self._stop_at)
            return self._background.stop(self._stop_at) and finished
        self._pause(began_at)
        return True

    def _feed(self, cluster: EmbeddedCluster) -> str:
        """Tick and do background work until a signal comes or something is wrong: what."""
        self._background.start()
        self._background_at = time.monotonic()
        ticker = Ticker(workers=self._workers, stranded=self._stranded)
        self._stranded = []
        ticker.start()
        trouble = self._watch(cluster)
        ticker.leave()
        if trouble and trouble != BACKGROUND_EXITED:
            self._replace(cluster, trouble)
        self._wait_for(ticker)
        return trouble

    def _replace(self, cluster: EmbeddedCluster, trouble: str) -> None:
        logger.warning("The queue's processes are replaced: %s. Work goes on at once.", trouble)
        cluster.end()
        self._stranded = self._shared.taken

    def _watch(self, cluster: EmbeddedCluster) -> str:
        """Until a signal comes, or until something is wrong with the cluster: what."""
        watchdog = Watchdog(self._workers, time.monotonic())
        while self._stop_at is None:
            time.sleep(LOOK_SECONDS)
            if not cluster.is_alive:
                return "their guard has died"
            trouble = watchdog.look(self._shared.signs(), time.monotonic())
            if trouble:
                return trouble
            if not self._background.is_alive and time.monotonic() - self._background_at > RESTART_SECONDS:
                return BACKGROUND_EXITED
        return ""

    def _wait_for(self, ticker: Ticker) -> None:
        """A fork is safe only while no other thread runs."""
        while ticker.is_alive() and self._stop_at is None:
            ticker.join(LOOK_SECONDS)
            if time.monotonic() - ticker.began_at > SLOW_TICK_SECONDS:
                logger.warning("The database has not answered for a minute; the poller waits for it.")
                ticker.began_at = time.monotonic()

    def _pause(self, began_at: float) -> None:
        """None after a good life; longer and longer when clusters die young."""
        if time.monotonic() - began_at > STEADY_SECONDS:
            self._short_lives = 0
        pause = min(LONGEST_PAUSE_SECONDS, 2.0**self._short_lives - 1)
        self._short_lives = min(self._short_lives + 1, 10)
        until = time.monotonic() + pause
        while self._stop_at is None and time.monotonic() < until:
            time.sleep(LOOK_SECONDS)

    def _give_back_at_last(self) -> None:
        """What was taken and not begun is free for others at once, if the database answers in time."""

        def act() -> None:
            try:
                give_back(self._shared.taken)
            except Exception as error:
                logger.warning("Tasks not begun could not be given back, they wait: %s", error)
            finally:
                connections.close_all()

        giving = threading.Thread(target=act, name="giving-back", daemon=True)
        giving.start()
        giving.join(LAST_SECONDS)
