"""Reconcile: compare what Odoo has with the ledger, order by order, and repair what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from connections import faultpoints
from connections.errors import RemoteError
from connections.models import Connection
from connections.odoo import account as account_of
from connections.odoo.responses import RATE_LIMITED
from sync import ledger
from sync.models import PollState, Progress, QuestionKind, Reconciliation
from sync.polling import questions
from sync.polling.database_identity import require_known, require_same_uuid
from sync.polling.turn import BUSY_SECONDS, Busy, Turn, turn
from sync.repair import missed_orders, restored
from sync.repair.compare import PAGE, Difference, ledger_pages, ledger_side, odoo_side
from sync.repair.disappearances import Survey, announce_gone, look_again
from sync.repair.repair import reread

SLICE_SECONDS = 30  # then the poll gets its turn; the comparison goes on where it stopped
KEPT_DIFFERENCES = 1000
SOON = timedelta(minutes=10)
VERDICTS = ("missing", "stale", "cancelled", "deleted", "extra", "moved", "replaced")


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
        for row in mine.under_way(now).filter(whole=False).order_by("pk"):
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
    """The scheduled one, with repair. After a fault of ours it comes again soon."""
    now, state = clock(), PollState.objects.filter(connection=connection)
    state.update(reconcile_at=now + timedelta(hours=settings.RECONCILE_HOURS))
    try:
        wanted = ask(connection, since=_since(connection, now), repair=True, now=now)
        return run_step(wanted, clock=clock, in_background=in_background)
    except Exception:
        state.update(reconcile_at=now + SOON)
        raise


def _since(connection: Connection, now: datetime) -> datetime:
    """The last days, and whatever was written since the last scheduled one that came to its end.

    A connection may be paused, held or out of reach for weeks, and what a poll missed before that is found by
    nobody else once it is wholly delivered.
    """
    last = Reconciliation.objects.scheduled().filter(connection=connection, progress=Progress.DONE)
    begun = PollState.objects.filter(connection=connection).values_list("started_at", flat=True)
    compared_until = last.aggregate(at=Max("requested_at"))["at"] or begun.first() or now
    days = timedelta(days=settings.RECONCILE_DAYS)
    return min(now - days, compared_until - missed_orders.LONGEST_LOOKBACK)


def run_step(
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
                    _conclude(mine, wanted)
            finally:
                wanted.calls = calls + mine.client.calls
        wanted.progress = Progress.DONE if whole else Progress.WAITING
        wanted.next_at = clock()
    except Busy:
        _busy(wanted, clock(), in_background)
    except RemoteError as error:
        if error.code == RATE_LIMITED and wanted.after_id is not None:
            _busy(wanted, clock(), in_background)
        else:
            wanted.progress = Progress.FAILED
            wanted.error_code, wanted.error_detail = error.code, error.detail
    except Exception as error:  # a fault of ours: the row tells at once, not only when it has aged
        wanted.error_code, wanted.error_detail = "unknown", type(error).__name__
        wanted.progress, wanted.finished_at = Progress.FAILED, clock()
        wanted.save()
        raise
    wanted.finished_at = None if wanted.progress == Progress.WAITING else clock()
    wanted.save()


def _busy(wanted: Reconciliation, now: datetime, in_background: bool) -> None:
    """One that is half done tries again later, from its last whole page on."""
    if wanted.after_id is not None or in_background:
        wanted.refresh_from_db(fields=["counts", "differences", "orders_compared", "survey"])
        wanted.progress, wanted.next_at = Progress.WAITING, now + timedelta(seconds=BUSY_SECONDS)
    else:
        wanted.progress, wanted.error_code = Progress.FAILED, "odoo_busy"


def _conclude(mine: Turn, wanted: Reconciliation) -> None:
    """All is compared: what is gone is announced, or asked about; then the daily look at the user."""
    survey = Survey.from_json(wanted.survey)
    if wanted.repair:
        look_again(mine, survey)
        wanted.held_back = announce_gone(mine, survey)
    if survey.undone_since is not None:
        # One that saw everything comes once more: perhaps Odoo went back in the middle of it.
        again_in = restored.AGAIN_IN if wanted.whole else restored.AT_ONCE
        restored.went_back(mine, survey.undone_since, again_in=again_in)
    if wanted.whole:
        restored.watch_newest(mine)
    require_same_uuid(mine)
    _look_at_account(mine)


def _look_at_account(mine: Turn) -> None:
    """Rights that hide orders and a key that ends soon make no noise: they are asked for."""
    account = account_of.look(mine.client, mine.connection.company_id)
    PollState.objects.filter(connection=mine.connection).update(account=account)


def _compare(mine: Turn, wanted: Reconciliation) -> bool:
    """Page by page; returns whether it came to the end."""
    mine.require_first_window()
    require_known(mine)
    ends_at = mine.began + timedelta(seconds=SLICE_SECONDS)
    survey = Survey.from_json(wanted.survey)
    compare_page = _compare_known if wanted.whole else _compare_page
    while True:
        up_to_id = compare_page(mine, wanted, survey)
        wanted.survey = survey.to_json()
        if up_to_id is None:
            return True
        wanted.after_id = up_to_id
        wanted.save(update_fields=["orders_compared", "counts", "differences", "after_id", "survey"])
        if mine.clock() >= ends_at:
            return False


def _compare_page(mine: Turn, wanted: Reconciliation, survey: Survey) -> int | None:
    """Compare what was written lately, there and here; returns the last id compared, or None at the end."""
    after_id = wanted.after_id or 0
    page = mine.source.changes(since=wanted.since, after_id=after_id, limit=PAGE)
    up_to_id = page[-1].order_id if len(page) == PAGE else None
    differences, covered = odoo_side(mine, page)
    survey.covered += covered
    _take_page(mine, wanted, survey, differences, compared=len(page))
    in_odoo = {change.order_id for change in page}
    for rows in ledger_pages(mine.connection, wanted.since, after_id=after_id, up_to_id=up_to_id):
        known = [row for row in rows if row.order_id not in in_odoo and row.state != "cancel"]
        found = ledger_side(mine, known)
        survey.add(found)
        _take_page(mine, wanted, survey, found.differences, compared=len(known))
    return up_to_id


def _compare_known(mine: Turn, wanted: Reconciliation, survey: Survey) -> int | None:
    """The next page of all the orders we know, however old and whatever became of them."""
    rows = next(ledger_pages(mine.connection, None, after_id=wanted.after_id or 0), [])
    found = ledger_side(mine, rows)
    survey.add(found)
    _take_page(mine, wanted, survey, found.differences, compared=len(rows))
    _read_again(mine, wanted, restored.with_the_known_stamp(mine, found))
    return rows[-1].order_id if rows else None


def _read_again(mine: Turn, wanted: Reconciliation, doubtful: list[Difference]) -> None:
    """Compare these by content; those that differ are kept as stale."""
    differ = {item.order_id for item in reread(mine, [each.change for each in doubtful])}
    _keep(wanted, [each for each in doubtful if each.order_id in differ], 0)


def _take_page(
    mine: Turn, wanted: Reconciliation, survey: Survey, differences: list[Difference], *, compared: int
) -> None:
    """Keep the verdicts; repair what needs no look at the whole first."""
    _keep(wanted, differences, compared)
    survey.add_differences(differences)
    if wanted.repair:
        _repair(mine, wanted, differences)


def _keep(wanted: Reconciliation, differences: list[Difference], compared: int) -> None:
    counts = Counter(dict.fromkeys(VERDICTS, 0) | wanted.counts)
    counts.update(difference.verdict for difference in differences)
    wanted.counts = dict(counts)
    free = KEPT_DIFFERENCES - len(wanted.differences)
    wanted.differences = wanted.differences + [d.to_json() for d in differences[:free]]
    wanted.orders_compared += compared


def _repair(mine: Turn, wanted: Reconciliation, differences: list[Difference]) -> None:
    missing = [each.change for each in differences if each.verdict == "missing"]
    late = missed_orders.orders(mine, missing)
    held = set[int]()
    if late and missed_orders.too_many(mine, wanted.counts["missing"]):
        held = {change.order_id for change in missing}
        detail = {"orders": wanted.counts["missing"], "open": missed_orders.open_orders(mine)}
        with mine.writing() as now:
            questions.ask(mine.connection, QuestionKind.OLD_ORDERS, detail, now)
    elif late:
        missed_orders.look_back_further(mine, late)
    stale = [each.change for each in differences if each.verdict == "stale"]
    reread(mine, missing + stale, held=held)
    faultpoints.at("repaired", differences)
