"""When polls become due, as the database says: looked at each second, a little ahead of time."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.system.scratch import Scratch

EACH_SECONDS = 1.0
AHEAD_SECONDS = 3.0
SOON = """
    SELECT c.database, p.next_poll_at FROM sync_pollstate p
    JOIN connections_connection c ON c.id = p.connection_id
    WHERE p.next_poll_at > '{now}' AND p.next_poll_at <= '{then}'
"""


class Dues:
    """From `with` to its end. `moments` are seconds of the epoch, by shop."""

    def __init__(self, scratch: Scratch) -> None:
        self.moments: dict[str, set[float]] = defaultdict(set)
        self._scratch = scratch
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dues", daemon=True)

    def _run(self) -> None:
        while not self._ended.is_set():
            began_at = time.monotonic()
            self._look(datetime.now(UTC))
            self._ended.wait(max(0.0, began_at + EACH_SECONDS - time.monotonic()))

    def _look(self, now: datetime) -> None:
        then = now + timedelta(seconds=AHEAD_SECONDS)
        for shop, due_at in self._scratch.query(SOON.format(now=_text(now), then=_text(then))):
            self.moments[shop].add(_moment(due_at))

    def __enter__(self) -> Dues:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def before(self, end: float) -> dict[str, list[float]]:
        """Those that were due by then."""
        return {shop: [at for at in found if at <= end] for shop, found in self.moments.items()}


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


def _moment(value: Any) -> float:
    """SQLite keeps text, in UTC."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value).replace(tzinfo=UTC)
    return float(moment.timestamp())
