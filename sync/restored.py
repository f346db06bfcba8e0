"""A database that went back in time: everything we know of it is compared, however old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sync.models import PollState, Progress, Reconciliation
from sync.turns import Turn

ONCE_IN = timedelta(days=1)
EVER = datetime(2000, 1, 1, tzinfo=UTC)


def went_back(mine: Turn) -> Reconciliation | None:
    """Note to which moment, and ask for a comparison of every order we know; once a day at most."""
    newest = mine.source.last_written()
    with mine.writing() as now:
        PollState.objects.filter(connection=mine.connection).update(went_back_at=now, went_back_to=newest)
        lately = Reconciliation.objects.filter(connection=mine.connection, whole=True)
        if lately.filter(requested_at__gt=now - ONCE_IN).exclude(progress=Progress.FAILED).exists():
            return None
        return Reconciliation.objects.create(
            connection=mine.connection, since=EVER, whole=True, repair=True, requested_at=now
        )
