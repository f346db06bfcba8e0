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
KEPT_DIFFERENCES = 1000
FORGOTTEN = timedelta(minutes=2)
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
    """The scheduled one: the last days, with repair."""
    now = clock()
    PollState.objects.filter(connection=connection).update(
        reconcile_at=now + timedelta(hours=settings.RECONCILE_HOURS)
    )
    since = now - timedelta(days=settings.RECONCILE_DAYS)
    return run(ask(connection, since=since, repair=True, now=now), clock=clock)


def run(wanted: Reconciliation, *, clock: Callable[[], datetime] = timezone.now) -> Reconciliation:
    """Compare, repair when that is wanted, and keep the verdicts. A remote fault ends up in the row.

    One that somebody else has begun is left to them.
    """
    waiting = Reconciliation.objects.filter(pk=wanted.pk, progress=Progress.WAITING)
    if not waiting.update(progress=Progress.RUNNING, started_at=clock()):
        wanted.refresh_from_db()
        return wanted
    wanted.refresh_from_db(fields=["progress", "started_at"])
    try:
        with turn(wanted.connection, clock=clock) as mine:
            try:
                _compare(mine, wanted)
                _look_at_account(mine)
            finally:
                wanted.calls = mine.client.calls
        wanted.progress = Progress.DONE
    except Busy:
        wanted.progress, wanted.error_code = Progress.FAILED, "odoo_busy"
    except RemoteError as error:
        wanted.progress = Progress.FAILED
        wanted.error_code, wanted.error_detail = error.code, error.detail
    wanted.finished_at = clock()
    wanted.save()
    return wanted


def _look_at_account(mine: Turn) -> None:
    """Rights that hide orders and a key that ends soon make no noise: they are asked for."""
    account = account_of.look(mine.client)
    PollState.objects.filter(connection=mine.connection).update(account=account)


def _compare(mine: Turn, wanted: Reconciliation) -> None:
    mine.require_first_window()
    counts: Counter[str] = Counter(dict.fromkeys(VERDICTS, 0))
    kept: list[dict[str, object]] = []
    for differences, compared in _differences(mine, wanted.since):
        counts.update(difference.verdict for difference in differences)
        kept += [d.to_json() for d in differences[: KEPT_DIFFERENCES - len(kept)]]
        if wanted.repair:
            _repair(mine, differences)
        wanted.orders_compared += compared
        wanted.counts, wanted.differences = dict(counts), kept
        wanted.save(update_fields=["orders_compared", "counts", "differences"])


def _repair(mine: Turn, differences: list[Difference]) -> None:
    changed = [d.change for d in differences if d.verdict in ("missing", "stale", "cancelled")]
    for start in range(0, len(changed), REPAIR_AT_ONCE):
        reread(mine, changed[start : start + REPAIR_AT_ONCE])
    cancel_gone(mine, [d.change.order_id for d in differences if d.verdict in ("deleted", "extra")])


def _differences(mine: Turn, since: datetime) -> Iterator[tuple[list[Difference], int]]:
    """Page by page, with the number of orders compared: first what Odoo has, then what only we have."""
    seen_in_odoo: set[int] = set()
    for page in _pages(mine, since):
        seen_in_odoo |= {change.order_id for change in page}
        yield odoo_side(mine, page), len(page)
    for rows in ledger_pages(mine.connection, since):
        rows = [row for row in rows if row.order_id not in seen_in_odoo]
        yield ledger_side(mine, rows), len(rows)


def _pages(mine: Turn, since: datetime) -> Iterator[list[Change]]:
    after_id = 0
    while True:
        page = mine.source.changes(since=since, after_id=after_id, limit=PAGE)
        yield page
        if len(page) < PAGE:
            return
        after_id = page[-1].order_id
