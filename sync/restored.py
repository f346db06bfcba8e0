"""A database that went back in time: everything we know of it is compared, however old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from connections.models import Connection
from sync import questions
from sync.models import PollState, Progress, Reconciliation
from sync.survey import Survey
from sync.turns import Turn

ONCE_IN = timedelta(days=1)
EVER = datetime(2000, 1, 1, tzinfo=UTC)
SEVERAL = 2


def check_at_once(
    connection: Connection, lost_stamp: datetime | None, now: datetime, *, went_back: bool
) -> None:
    """A poll saw something that a deep check is to look into. `lost_stamp`: see PollState."""
    questions.check_at_once(connection.pk, now)
    seen: dict[str, datetime] = {"lost_stamp": lost_stamp} if lost_stamp else {}
    seen |= {"went_back_at": now} if went_back else {}
    if seen:
        PollState.objects.filter(connection=connection).update(**seen)


def look_closer(mine: Turn, survey: Survey) -> None:
    """What a check of the last days and the newest order tell together.

    Orders that stand as they stood before, or whose numbers were given again, are evident. A newest order
    that is gone may have been deleted: then everything is compared all the same, but nothing is said of it.
    """
    lost = mine.state.lost_stamp
    if lost is None and not survey.went_back:
        return
    newest = mine.source.last_written()
    is_behind = lost is not None and (newest is None or newest < lost)
    deleted = sum(verdict == "deleted" for verdict in survey.gone.values())
    noticed = mine.state.went_back_at is not None and mine.state.went_back_at > mine.began - ONCE_IN
    if survey.went_back or (is_behind and (noticed or deleted >= SEVERAL)):
        went_back(mine)
    elif is_behind:
        compare_everything(mine)
    with mine.writing():
        PollState.objects.filter(connection=mine.connection).update(lost_stamp=None)


def went_back(mine: Turn) -> None:
    """Say to which moment, and compare everything."""
    newest = mine.source.last_written()
    with mine.writing() as now:
        PollState.objects.filter(connection=mine.connection).update(went_back_at=now, went_back_to=newest)
    compare_everything(mine)


def compare_everything(mine: Turn) -> None:
    """Ask for a comparison of every order we know; once a day at most."""
    lately = Reconciliation.objects.filter(connection=mine.connection, whole=True)
    with mine.writing() as now:
        if not lately.filter(requested_at__gt=now - ONCE_IN).exclude(progress=Progress.FAILED).exists():
            Reconciliation.objects.create(
                connection=mine.connection, since=EVER, whole=True, repair=True, requested_at=now
            )
