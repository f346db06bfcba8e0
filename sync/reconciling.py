"""Reconcile: compare what Odoo has with the ledger, order by order, and repair what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from connections.errors import RemoteError
from connections.models import Connection
from connections.odoo import account as account_of
from sync import ledger
from sync.comparing import PAGE, Difference, ledger_pages, ledger_side, odoo_side
from sync.models import PollState, Progress, Reconciliation
from sync.orders import Change
from sync.repairing import cancel_gone, reread
from sync.turns import BUSY_SECONDS, Busy, Turn, turn

REPAIR_AT_ONCE = 200
SLICE_SECONDS = 30  # then the poll gets its turn; the comparison goes on where it stopped
KEPT_DIFFERENCES = 1000
VERDICTS = ("missing", "stale", "cancelled", "deleted", "extra")


def ask(
    connection: Connection,
    *,
    since: datetime,
    repair: bool,
    by: str = "",
    now: datetime,
    next_at: datetime | None = None,
) -> Reconciliation:
    """Write down that a reconciliation is wanted; `run` does it. One under way that covers it is joined.

    With `next_at` background work leaves it alone until then: for who runs it at once.
    """
    return ask_or_join(connection, since=since, repair=repair, by=by, now=now, next_at=next_at)[0]


def ask_or_join(
    connection: Connection,
    *,
    since: datetime,
    repair: bool,
    by: str = "",
    now: datetime,
    next_at: datetime | None = None,
) -> tuple[Reconciliation, bool]:
    """The same, and whether this joined one that was asked for before.

    One that nobody has begun is widened to what is wanted now; one that has begun is joined where it looks
    far enough back, and repairs if that is wanted.
    """
    PollState.objects.create_missing(now)
    with transaction.atomic():
        ledger.lock([connection.pk])  # two who ask at once ask for one
        mine = Reconciliation.objects.filter(connection=connection)
        for row in mine.under_way(now).order_by("pk"):
            if _covers(row, since, repair) or _widened(row, since, repair, by):
                return row, True
        row = Reconciliation.objects.create(
            connection=connection,
            since=since,
            repair=repair,
            requested_by=by,
            requested_at=now,
            next_at=next_at or now,
        )
    return row, False


def _covers(row: Reconciliation, since: datetime, repair: bool) -> bool:
    return row.since <= since and (row.repair or not repair)


def _widened(row: Reconciliation, since: datetime, repair: bool, by: str) -> bool:
    untouched = Reconciliation.objects.filter(pk=row.pk, progress=Progress.WAITING, started_at__isnull=True)
    row.since, row.repair = min(row.since, since), row.repair or repair
    row.requested_by = row.requested_by or by
    values = {"since": row.since, "repair": row.repair, "requested_by": row.requested_by}
    return bool(untouched.update(**values))


def reconcile_due(
    connection: Connection, *, clock: Callable[[], datetime] = timezone.now, in_background: bool = False
) -> Reconciliation:
    """The scheduled one: the last days, with repair."""
    now = clock()
    PollState.objects.filter(connection=connection).update(
        reconcile_at=now + timedelta(hours=settings.RECONCILE_HOURS)
    )
    since = now - timedelta(days=settings.RECONCILE_DAYS)
    return run(ask(connection, since=since, repair=True, now=now), clock=clock, in_background=in_background)


def run(
    wanted: Reconciliation, *, clock: Callable[[], datetime] = timezone.now, in_background: bool = False
) -> Reconciliation:
    """Compare, repair when that is wanted, and keep the verdicts. A remote fault ends up in the row.

    One that somebody else has begun is left to them. After SLICE_SECONDS it waits again, so that the shop's
    poll gets its turn; the next `run` goes on. In the background it also waits where it gets no turn.
    """
    if begin(wanted, clock()):
        go_on(wanted, clock=clock, in_background=in_background)
    return wanted


def begin(wanted: Reconciliation, now: datetime) -> bool:
    """Take it for ourselves; False where somebody else has begun it."""
    waiting = Reconciliation.objects.filter(pk=wanted.pk, progress=Progress.WAITING)
    begun = waiting.update(progress=Progress.RUNNING, started_at=now)
    wanted.refresh_from_db()
    return bool(begun)


def go_on(wanted: Reconciliation, *, clock: Callable[[], datetime], in_background: bool) -> None:
    """The next slice of one that we have begun."""
    try:
        with turn(wanted.connection, clock=clock, in_background=in_background) as mine:
            calls = wanted.calls
            try:
                whole = _compare(mine, wanted)
                if whole:
                    _look_at_account(mine)
            finally:
                wanted.calls = calls + mine.client.calls
        wanted.progress = Progress.DONE if whole else Progress.WAITING
        wanted.next_at = clock()
    except Busy:
        _busy(wanted, clock(), in_background)
    except RemoteError as error:
        wanted.progress = Progress.FAILED
        wanted.error_code, wanted.error_detail = error.code, error.detail
    wanted.finished_at = None if wanted.progress == Progress.WAITING else clock()
    wanted.save()


def _busy(wanted: Reconciliation, now: datetime, in_background: bool) -> None:
    """One that is half done tries again later, from its last whole page on."""
    if wanted.after_id is not None or in_background:
        wanted.refresh_from_db(fields=["counts", "differences", "orders_compared"])
        wanted.progress, wanted.next_at = Progress.WAITING, now + timedelta(seconds=BUSY_SECONDS)
    else:
        wanted.progress, wanted.error_code = Progress.FAILED, "odoo_busy"


def _look_at_account(mine: Turn) -> None:
    """Rights that hide orders and a key that ends soon make no noise: they are asked for."""
    account = account_of.look(mine.client)
    PollState.objects.filter(connection=mine.connection).update(account=account)


def _compare(mine: Turn, wanted: Reconciliation) -> bool:
    """Page by page; returns whether it came to the end."""
    mine.require_first_window()
    ends_at = mine.began + timedelta(seconds=SLICE_SECONDS)
    while True:
        after_id = wanted.after_id or 0
        page = mine.source.changes(since=wanted.since, after_id=after_id, limit=PAGE)
        up_to_id = page[-1].order_id if len(page) == PAGE else None
        for differences, compared in _differences(mine, wanted.since, page, after_id, up_to_id):
            _keep(wanted, differences, compared)
            if wanted.repair:
                _repair(mine, differences)
        if up_to_id is None:
            return True
        wanted.after_id = up_to_id
        wanted.save(update_fields=["orders_compared", "counts", "differences", "after_id"])
        if mine.clock() >= ends_at:
            return False


def _keep(wanted: Reconciliation, differences: list[Difference], compared: int) -> None:
    counts = Counter(dict.fromkeys(VERDICTS, 0) | wanted.counts)
    counts.update(difference.verdict for difference in differences)
    wanted.counts = dict(counts)
    room = KEPT_DIFFERENCES - len(wanted.differences)
    wanted.differences = wanted.differences + [d.to_json() for d in differences[:room]]
    wanted.orders_compared += compared


def _repair(mine: Turn, differences: list[Difference]) -> None:
    changed = [d.change for d in differences if d.verdict in ("missing", "stale", "cancelled")]
    for start in range(0, len(changed), REPAIR_AT_ONCE):
        reread(mine, changed[start : start + REPAIR_AT_ONCE])
    cancel_gone(mine, [d.change.order_id for d in differences if d.verdict in ("deleted", "extra")])


def _differences(
    mine: Turn, since: datetime, page: list[Change], after_id: int, up_to_id: int | None
) -> Iterator[tuple[list[Difference], int]]:
    """Of ids in (after_id, up_to_id], with the number of orders: what Odoo has, then what only we have."""
    yield odoo_side(mine, page), len(page)
    in_odoo = {change.order_id for change in page}
    for rows in ledger_pages(mine.connection, since, after_id=after_id, up_to_id=up_to_id):
        rows = [row for row in rows if row.order_id not in in_odoo]
        yield ledger_side(mine, rows), len(rows)
