"""Deep check: open orders are read again and compared by content, for changes that move no stamp in Odoo.

A line's text or order, a customer's address and, on 18 and newer, line edits that leave the totals as they
were: none of them moves `write_date`, so no poll can see them. Before that every order we know of the last
days is looked up by id: what was deleted, hidden, moved or taken back leaves no stamp either.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from connections import faultpoints
from connections.errors import RemoteError
from connections.models import Connection
from sync.models import LogKind, PollState, QuestionKind, SyncLog
from sync.orders import Change
from sync.polling import questions
from sync.polling.database_identity import require_known
from sync.polling.turn import Busy, Turn, turn
from sync.repair import missed_orders, restored
from sync.repair.compare import ledger_pages, ledger_side
from sync.repair.disappearances import Survey, announce_gone, remember_hidden
from sync.repair.repair import reread, reread_owed_before

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
                _check(mine, log)
            finally:
                log.calls = mine.client.calls
    except Busy:
        _come_back(connection, clock() + timedelta(minutes=1))
        return None
    except RemoteError as error:
        log.error_code, log.error_detail = error.code, error.detail
        _come_back(connection, clock() + timedelta(minutes=settings.DEEP_CHECK_MINUTES))
    PollState.objects.filter(connection=connection).update(deep_check_error=log.error_code)
    log.finished_at = clock()
    log.save()
    return log


def _check(mine: Turn, log: SyncLog) -> None:
    mine.require_first_window()
    require_known(mine)  # also before a further slice: the connection may have been edited since the last one
    ends_at = mine.began + timedelta(seconds=SLICE_SECONDS)
    since = mine.began - timedelta(days=settings.DEEP_CHECK_DAYS)
    log.window_from, log.window_to = since, mine.began
    after_id: int | None = mine.state.deep_after_id
    if after_id is None:
        _look_up_known(mine, since)
        after_id = 0
    log.orders_found += len(reread_owed_before(mine))
    while after_id is not None:
        page = mine.source.undelivered(since=since, after_id=after_id, limit=PAGE)
        items = reread(mine, page, held=_old_ones(mine, page))
        faultpoints.at("checked", page)
        log.orders_found += len(page)
        log.orders_skipped += len(page) - len(items)
        after_id = page[-1].order_id if len(page) == PAGE else None
        if mine.clock() >= ends_at:
            break
    _remember(mine.connection, after_id, mine.clock())


def _look_up_known(mine: Turn, since: datetime) -> None:
    """The beginning of a check: does the database still have what we know?"""
    PollState.objects.filter(connection=mine.connection).update(deep_new_orders=0)
    survey = Survey()
    stale: list[Change] = []
    left_to_polls: set[int] = set()
    next_window = missed_orders.next_window(mine)
    for rows in ledger_pages(mine.connection, since):
        page = ledger_side(mine, rows)
        survey.add(page)
        stale += [each.change for each in page.differences if each.verdict == "stale"]
        cancelled = [each.change for each in page.differences if each.verdict == "cancelled"]
        left_to_polls |= {each.order_id for each in cancelled if each.write_date >= next_window}
    # That an order was cancelled is for the polls to see: they do, unless they could not see it in time.
    survey.gone = {each: verdict for each, verdict in survey.gone.items() if each not in left_to_polls}
    reread(mine, stale)
    faultpoints.at("checked", stale)
    announce_gone(mine, survey)
    remember_hidden(mine, survey.hidden)
    restored.look_closer(mine, survey)
    restored.take_up(mine)
    restored.watch_newest(mine)


def _old_ones(mine: Turn, page: list[Change]) -> set[int]:
    """Orders of a page that polls should have seen first. Returns those that a person has to decide on."""
    found = missed_orders.orders(mine, page)
    if not found:
        return set()
    before = mine.state.deep_new_orders
    held = missed_orders.too_many(mine, before + len(found))
    with mine.writing() as now:
        PollState.objects.filter(connection=mine.connection).update(deep_new_orders=before + len(found))
        if held:
            detail = {"orders": before + len(found), "open": missed_orders.open_orders(mine)}
            questions.ask(mine.connection, QuestionKind.OLD_ORDERS, detail, now)
    if held:
        return {change.order_id for change in found}
    missed_orders.look_back_further(mine, found)
    return set()


def _remember(connection: Connection, after_id: int | None, now: datetime) -> None:
    next_at = now if after_id is not None else now + timedelta(minutes=settings.DEEP_CHECK_MINUTES)
    PollState.objects.filter(connection=connection).update(deep_after_id=after_id, deep_check_at=next_at)


def _come_back(connection: Connection, at: datetime) -> None:
    PollState.objects.filter(connection=connection).update(deep_check_at=at)
