"""Heartbeats of pollers, for monitors and upgrades."""

from __future__ import annotations

import os
import socket
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Max

from core.models import PollerHeartbeat, ScheduleStatus

INTERVAL = timedelta(seconds=10)
SILENT = timedelta(seconds=60)
FORGOTTEN = timedelta(days=1)
PLAIN_QUEUE = "plain qcluster"  # it has no heartbeat of its own: its tick of each minute is
PLAIN_SILENT = timedelta(seconds=150)


class Heartbeat:
    """The signs of this process. A poller that stops takes its sign away; one that dies leaves it behind."""

    def __init__(self, *, workers: int) -> None:
        self._host, self._process, self._workers = socket.gethostname()[:100], os.getpid(), workers
        self._started_at: datetime | None = None
        self._last_at: datetime | None = None

    @property
    def key(self) -> str:
        return f"{self._host}:{self._process}"

    def record(self, now: datetime) -> None:
        """Once in ten seconds, however often it is called."""
        if self._last_at is not None and now - self._last_at < INTERVAL:
            return
        self._started_at = self._started_at or now
        self._last_at = now
        facts = {
            "host": self._host,
            "process": self._process,
            "version": settings.VERSION,
            "workers": self._workers,
            "started_at": self._started_at,
            "seen_at": now,
        }
        PollerHeartbeat.objects.update_or_create(key=self.key, defaults=facts)

    def end(self) -> None:
        if self._last_at is not None:
            PollerHeartbeat.objects.filter(key=self.key).delete()


def silent_since(now: datetime) -> datetime | None:
    """Since when no poller was heard, of those that did not stop in good order; None when one lives."""
    last = PollerHeartbeat.objects.aggregate(at=Max("seen_at"))["at"]
    return last if last is not None and last < now - SILENT else None


def heartbeat_of_plain_queue(now: datetime) -> None:
    ScheduleStatus.objects.update_or_create(name=PLAIN_QUEUE, defaults={"started_at": now})


def is_running(now: datetime) -> bool:
    """Whether somebody does what is asked for: a poller that lives, or a plain qcluster."""
    if PollerHeartbeat.objects.filter(seen_at__gte=now - SILENT).exists():
        return True
    return ScheduleStatus.objects.filter(name=PLAIN_QUEUE, started_at__gte=now - PLAIN_SILENT).exists()
