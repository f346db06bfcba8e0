"""The one alert that cannot be read from the database: that it does not answer."""

from __future__ import annotations

import logging
import socket
import threading
from datetime import datetime, timedelta

from django.utils import translation

from core.models import AlertChannel
from core.monitoring.alerts.channels import Place, send
from core.monitoring.alerts.messages import away_message

PATIENCE = timedelta(minutes=2)
REMEMBERED = timedelta(minutes=1)
AGAIN = timedelta(hours=6)

logger = logging.getLogger("poller.alerts")


class Emergency:
    """What one poller remembers of the channels, for the time when it cannot ask."""

    def __init__(self) -> None:
        self._places: list[Place] = []
        self._read_at: datetime | None = None
        self._away_since: datetime | None = None
        self._told_at: datetime | None = None

    def database_works(self, now: datetime) -> None:
        """After each good tick: read the channels now and then, and tell when the trouble is over."""
        since, told = self._away_since, self._told_at is not None
        self._away_since = self._told_at = None
        if self._read_at is None or now - self._read_at >= REMEMBERED:
            self._places = [Place.of(channel) for channel in AlertChannel.objects.filter(enabled=True)]
            self._read_at = now
        if since is not None and told:
            self._tell(since, now, over=True)

    def database_is_away(self, now: datetime) -> None:
        """After each tick that failed for it."""
        self._away_since = self._away_since or now
        due = self._told_at is None or now - self._told_at >= AGAIN
        if due and now - self._away_since >= PATIENCE:
            self._told_at = now
            self._tell(self._away_since, now, over=False)

    def _tell(self, since: datetime, now: datetime, *, over: bool) -> None:
        """In a thread of its own: the next tick does not wait for Slack."""

        def act() -> None:
            for place in places:
                with translation.override(place.language):
                    code, _ = send(place, away_message(socket.gethostname(), since, over=over), now=now)
                if code:
                    logger.warning("The alert channel %s could not be told: %s", place.name, code)

        places = list(self._places)
        threading.Thread(target=act, name="emergency", daemon=True).start()
