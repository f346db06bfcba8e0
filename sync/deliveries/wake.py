"""What was waiting is looked at within seconds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sync import ledger
from sync.models import PollState


def wake(connection_ids: Iterable[int], now: datetime) -> None:
    """Poll these connections and serve their receivers at the next tick."""
    ids = set(connection_ids)
    PollState.objects.create_missing(now)
    PollState.objects.filter(connection__in=ids).wake(now)
    ledger.wake_deliveries(ids, now)
