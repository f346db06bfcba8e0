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
    seen: dict[str, datetime | None] = {"lost_stamp": lost_stamp} if lost_stamp else {}
    seen |= {"went_back_at": now, "went_back_to": None} if went_back else {}
    if seen:
        PollState.objects.filter(connection=connection).update(**seen)


def look_closer(mine: Turn, survey: Survey) -> None:
    """Judge by a check of the last days and by the newest order together.

    Orders that stand as they stood before, or whose numbers were given again, are evident. A newest order
    that is gone may have been deleted: then everything is compared all the same, but nothing is said of it.
    """
    lost, state = mine.state.lost_stamp, mine.state
    undone = [stamp for stamp in (lost, survey.undone_since) if stamp is not None]
    if not undone:
        return
    noticed = state.went_back_at is not None and state.went_back_to is None  # by the poll that sent us
    if survey.undone_since is not None or noticed:
        went_back(mine, min(undone))
    elif lost is not None and _is_behind(mine, lost):
        deleted = sum(verdict == "deleted" for verdict in survey.gone.values())
        if deleted >= SEVERAL:
            went_back(mine, lost)
        else:
            compare_everything(mine)
    with mine.writing():
        PollState.objects.filter(connection=mine.connection).update(lost_stamp=None)


def _is_behind(mine: Turn, stamp: datetime) -> bool:
    newest = mine.source.last_written()
    return newest is None or newest < stamp


def went_back(mine: Turn, undone_since: datetime) -> None:
    """Say to which moment, the newest stamp before what was undone, and compare everything."""
    moment = mine.source.last_written(before=undone_since)
    with mine.writing() as now:
        PollState.objects.filter(connection=mine.connection).update(
            went_back_at=now, went_back_to=moment or EVER
        )
    compare_everything(mine)


def compare_everything(mine: Turn) -> None:
    """Ask for a comparison of every order we know; once a day at most."""
    lately = Reconciliation.objects.filter(connection=mine.connection, whole=True)
    with mine.writing() as now:
        if not lately.filter(requested_at__gt=now - ONCE_IN).exclude(progress=Progress.FAILED).exists():
            Reconciliation.objects.create(
                connection=mine.connection,
                since=EVER,
                whole=True,
                repair=True,
                requested_at=now,
                next_at=now,
            )
