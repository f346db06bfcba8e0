"""A database that went back in time: everything we know of it is compared, however old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db.models import Max

from sync.models import PollState, Progress, Reconciliation, SeenOrder
from sync.models.reconciliation import ReconciliationQuerySet
from sync.orders import Change
from sync.polling.newest import newest_of
from sync.polling.turn import Turn
from sync.repair.compare import Difference, LedgerPage, health_state
from sync.repair.disappearances import Survey

AT_ONCE = timedelta(0)
AGAIN_IN = timedelta(hours=1)
ONCE_IN = timedelta(days=1)
CLOCKS = timedelta(minutes=10)  # ours and that of Odoo
CANDIDATES = 20  # of the orders we know, those written last
EVER = datetime(2000, 1, 1, tzinfo=UTC)
SEVERAL = 2


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
        if deleted >= SEVERAL and _has_older(mine, lost):
            went_back(mine, lost)
        else:
            _suspect(mine)
    with mine.writing():
        PollState.objects.filter(connection=mine.connection).update(lost_stamp=None)


def _is_behind(mine: Turn, stamp: datetime) -> bool:
    newest = mine.source.last_written()
    return newest is None or newest < stamp


def _has_older(mine: Turn, stamp: datetime) -> bool:
    """Without any order from before there is no moment to name: the database was emptied, not restored."""
    return mine.source.last_written(before=stamp) is not None


def went_back(mine: Turn, undone_since: datetime, *, again_in: timedelta = AT_ONCE) -> None:
    """Say to which moment, the newest stamp before what was undone, and compare everything."""
    moment = mine.source.last_written(before=undone_since)
    with mine.writing() as now:
        PollState.objects.filter(connection=mine.connection).update(
            went_back_at=now, went_back_to=moment or EVER
        )
        _compare_everything(mine, now, at=now + again_in)


def _suspect(mine: Turn) -> None:
    """Orders are deleted every day: what only may have been a restore is looked into once a day."""
    lately = _whole(mine).exclude(progress=Progress.FAILED).aggregate(at=Max("requested_at"))["at"]
    with mine.writing() as now:
        _compare_everything(mine, now, at=max(now, lately + ONCE_IN) if lately else now)


def _compare_everything(mine: Turn, now: datetime, *, at: datetime) -> None:
    """Every order we know, from the first one on: one that has begun saw some before the last restore."""
    waiting = _whole(mine).filter(progress=Progress.WAITING, started_at__isnull=True).first()
    if waiting is None:
        Reconciliation.objects.create(
            connection=mine.connection, since=EVER, whole=True, repair=True, requested_at=now, next_at=at
        )
    elif waiting.next_at is not None:
        _whole(mine).filter(pk=waiting.pk).update(next_at=min(at, waiting.next_at))


def with_the_known_stamp(mine: Turn, page: LedgerPage) -> list[Difference]:
    """Of a page's orders those that we saw since the moment Odoo went back to, and that stand at the stamp we
    know. A line's text or a customer's address moves none, and was taken back with all the rest."""
    to, at = mine.state.went_back_to, mine.state.went_back_at
    if to is None or at is None or mine.began - at > ONCE_IN:
        return []
    told = {each.order_id for each in page.differences} | {row.order_id for row in page.hidden}
    return [
        Difference("stale", Change(row.order_id, row.write_date, row.state), row.order_name)
        for row in page.rows
        if row.is_known_as_open and row.seen_at >= to - CLOCKS and row.order_id not in told
    ]


def take_up(mine: Turn) -> None:
    """A comparison of everything that failed goes on where it stopped: nobody asks for it again."""
    with mine.writing() as now:
        Reconciliation.objects.broken_off(now).filter(connection=mine.connection).update(
            progress=Progress.WAITING, next_at=now, finished_at=None, error_code="", error_detail=""
        )


def _whole(mine: Turn) -> ReconciliationQuerySet:
    return Reconciliation.objects.filter(connection=mine.connection, whole=True)


def watch_newest(mine: Turn) -> None:
    """A poll forgets the order it watched once that was taken back; until the next one is written it watches
    none. So the newest of those that stand is watched."""
    if mine.state.newest_id is not None:
        return
    rows = SeenOrder.objects.filter(connection=mine.connection).order_by("-write_date")[:CANDIDATES]
    found = newest_of(health_state(mine, list(rows)), None)
    if found is not None:
        with mine.writing():
            PollState.objects.filter(connection=mine.connection).update(
                newest_id=found.order_id, newest_stamp=found.write_date
            )
