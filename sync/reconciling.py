"""Reconcile: compare what Odoo has with the ledger, order by order, and repair what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from connections.errors import RemoteError
from connections.models import Connection
from connections.odoo import account as account_of
from sync.comparing import PAGE, Difference, ledger_pages, ledger_side, odoo_side
from sync.models import PollState, Progress, Reconciliation
from sync.orders import Change
from sync.repairing import cancel_gone, reread
from sync.turns import Busy, Turn, turn

REPAIR_AT_ONCE = 200
SLICE_SECONDS = 30  # then the poll gets its turn; the comparison goes on where it stopped
KEPT_DIFFERENCES = 1000
FORGOTTEN = timedelta(minutes=2)
SOON = timedelta(minutes=10)
FORGOTTEN_AT_ONCE = 50
VERDICTS = ("missing", "stale", "cancelled", "deleted", "extra")


def ask(
    connection: Connection, *, since: datetime, repair: bool, by: str = "", now: datetime
) -> Reconciliation:
    """Write down that a reconciliation is wanted; `run` does it."""
    return Reconciliation.objects.create(
        connection=connection, since=since, repair=repair, requested_by=by, requested_at=now
    )


def forgotten(now: datetime) -> list[Reconciliation]:
    """Those that were asked for and that no task has begun: the queue may lose a wake-up."""
    late = Reconciliation.objects.filter(progress=Progress.WAITING, requested_at__lt=now - FORGOTTEN)
    return list(late.order_by("requested_at")[:FORGOTTEN_AT_ONCE])


def reconcile_due(connection: Connection, *, clock: Callable[[], datetime] = timezone.now) -> Reconciliation:
    """The scheduled one: the last days, with repair. After a fault of ours it comes again soon."""
    now, state = clock(), PollState.objects.filter(connection=connection)
    state.update(reconcile_at=now + timedelta(hours=settings.RECONCILE_HOURS))
    try:
        since = now - timedelta(days=settings.RECONCILE_DAYS)
        return run(ask(connection, since=since, repair=True, now=now), clock=clock)
    except Exception:
        state.update(reconcile_at=now + SOON)
        raise


def run(wanted: Reconciliation, *, clock: Callable[[], datetime] = timezone.now) -> Reconciliation:
    """Compare, repair when that is wanted, and keep the verdicts. A remote fault ends up in the row.

    One that somebody else has begun is left to them. After SLICE_SECONDS it waits again, so that the shop's
    poll gets its turn; the next `run` goes on.
    """
    waiting = Reconciliation.objects.filter(pk=wanted.pk, progress=Progress.WAITING)
    if not waiting.update(progress=Progress.RUNNING, started_at=clock()):
        wanted.refresh_from_db()
        return wanted
    wanted.refresh_from_db()
    try:
        with turn(wanted.connection, clock=clock) as mine:
            calls = wanted.calls
            try:
                whole = _compare(mine, wanted)
                if whole:
                    _look_at_account(mine)
            finally:
                wanted.calls = calls + mine.client.calls
        wanted.progress = Progress.DONE if whole else Progress.WAITING
    except Busy:
        _busy(wanted)
    except RemoteError as error:
        wanted.progress = Progress.FAILED
        wanted.error_code, wanted.error_detail = error.code, error.detail
    except Exception as error:  # a fault of ours: the row tells at once, not only when it has aged
        wanted.error_code, wanted.error_detail = "unknown", type(error).__name__
        wanted.progress, wanted.finished_at = Progress.FAILED, clock()
        wanted.save()
        raise
    wanted.finished_at = None if wanted.progress == Progress.WAITING else clock()
    wanted.save()
    return wanted


def _busy(wanted: Reconciliation) -> None:
    """One that is half done tries again later, from its last whole page on."""
    if wanted.after_id is not None:
        wanted.refresh_from_db(fields=["counts", "differences", "orders_compared"])
        wanted.progress = Progress.WAITING
    else:
        wanted.progress, wanted.error_code = Progress.FAILED, "odoo_busy"


def _look_at_account(mine: Turn) -> None:
    """Rights that hide orders and a key that ends soon make no noise: they are asked for."""
    account = account_of.look(mine.client, mine.connection.company_id)
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
