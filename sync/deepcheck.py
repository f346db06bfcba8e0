"""Deep check: open orders are read again and compared by content, for changes that move no stamp in Odoo.

A line's text or order, a customer's address and, on 18 and newer, line edits that leave the totals as they
were: none of them moves `write_date`, so no poll can see them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from connections.errors import RemoteError
from connections.models import Connection
from sync.comparing import ledger_pages, ledger_side
from sync.models import LogKind, PollState, SyncLog
from sync.repairing import cancel_gone, reread, reread_owed_before
from sync.turns import Busy, Turn, turn

PAGE = 200
SLICE_SECONDS = 30  # then the poll gets its turn; the check goes on where it stopped


def deep_check(connection: Connection, *, clock: Callable[[], datetime] = timezone.now) -> SyncLog | None:
    """Read what is open of the last days again; returns the log, or None when Odoo was busy with us.

    What differs is owed as a new version, and the tick delivers it. Raises for no remote fault.
    """
    log = SyncLog(connection=connection, kind=LogKind.DEEP_CHECK, started_at=clock())
    try:
        with turn(connection, clock=clock, wait_seconds=5, in_background=True) as mine:
            try:
                _read_pages(mine, log)
            finally:
                log.calls = mine.client.calls
    except Busy:
        _come_back(connection, clock() + timedelta(minutes=1))
        return None
    except RemoteError as error:
        log.error_code, log.error_detail = error.code, error.detail
        _come_back(connection, clock() + timedelta(minutes=settings.DEEP_CHECK_MINUTES))
    log.finished_at = clock()
    log.save()
    return log


def _read_pages(mine: Turn, log: SyncLog) -> None:
    mine.require_first_window()
    state, ends_at = mine.state, mine.began + timedelta(seconds=SLICE_SECONDS)
    since = mine.began - timedelta(days=settings.DEEP_CHECK_DAYS)
    log.window_from, log.window_to = since, mine.began
    log.orders_found += len(reread_owed_before(mine))
    after_id: int | None = state.deep_after_id or 0
    while after_id is not None:
        page = mine.source.undelivered(since=since, after_id=after_id, limit=PAGE)
        items = reread(mine, page)
        log.orders_found += len(page)
        log.orders_skipped += len(page) - len(items)
        after_id = page[-1].order_id if len(page) == PAGE else None
        if mine.clock() >= ends_at:
            break
    if after_id is None:
        _find_gone(mine, since)
    _remember(mine.connection, after_id, mine.clock())


def _find_gone(mine: Turn, since: datetime) -> None:
    """Orders that were cancelled and deleted, or made quotations again, between two polls."""
    for rows in ledger_pages(mine.connection, since):
        gone = [d for d in ledger_side(mine, rows) if d.verdict in ("deleted", "extra")]
        cancel_gone(mine, [difference.change.order_id for difference in gone])


def _remember(connection: Connection, after_id: int | None, now: datetime) -> None:
    next_at = now if after_id is not None else now + timedelta(minutes=settings.DEEP_CHECK_MINUTES)
    PollState.objects.filter(connection=connection).update(deep_after_id=after_id, deep_check_at=next_at)


def _come_back(connection: Connection, at: datetime) -> None:
    PollState.objects.filter(connection=connection).update(deep_check_at=at)
