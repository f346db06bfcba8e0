"""Reconcile: compare what Odoo has with the ledger, order by order, and repair what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from connections.errors import RemoteError
from connections.models import Connection
from connections.odoo import account as account_of
from sync import missed, questions, restored
from sync.comparing import PAGE, Difference, ledger_pages, ledger_side, odoo_side
from sync.database_identity import require_known, require_same_uuid
from sync.models import PollState, Progress, QuestionKind, Reconciliation
from sync.repairing import reread
from sync.survey import Survey, announce_gone
from sync.turns import Busy, Turn, turn

SLICE_SECONDS = 30  # then the poll gets its turn; the comparison goes on where it stopped
KEPT_DIFFERENCES = 1000
FORGOTTEN = timedelta(minutes=2)
FORGOTTEN_AT_ONCE = 50
VERDICTS = ("missing", "stale", "cancelled", "deleted", "extra", "moved", "replaced")


def ask(
    connection: Connection, *, since: datetime, repair: bool, by: str = "", now: datetime
) -> Reconciliation:
    """Write down that a reconciliation is wanted; `run` does it."""
    return Reconciliation.objects.create(
        connection=connection, since=since, repair=repair, requested_by=by, requested_at=now
    )


def forgotten(now: datetime) -> list[Reconciliation]:
    """Those that were asked for and that no task has begun: the queue may lose a wake-up.

    Those after a restore are asked for by a check, which queues nothing.
    """
    waiting = Reconciliation.objects.filter(progress=Progress.WAITING)
    late = waiting.filter(Q(requested_at__lt=now - FORGOTTEN) | Q(whole=True))
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
                    _conclude(mine, wanted)
            finally:
                wanted.calls = calls + mine.client.calls
        wanted.progress = Progress.DONE if whole else Progress.WAITING
    except Busy:
        _busy(wanted)
    except RemoteError as error:
        wanted.progress = Progress.FAILED
        wanted.error_code, wanted.error_detail = error.code, error.detail
    wanted.finished_at = None if wanted.progress == Progress.WAITING else clock()
    wanted.save()
    return wanted


def _busy(wanted: Reconciliation) -> None:
    """One that is half done tries again later, from its last whole page on."""
    if wanted.after_id is not None:
        wanted.refresh_from_db(fields=["counts", "differences", "orders_compared", "survey"])
        wanted.progress = Progress.WAITING
    else:
        wanted.progress, wanted.error_code = Progress.FAILED, "odoo_busy"


def _conclude(mine: Turn, wanted: Reconciliation) -> None:
    """All is compared: what is gone is announced, or asked about; then the daily look at the user."""
    survey = Survey.from_json(wanted.survey)
    if wanted.repair:
        wanted.held_back = announce_gone(mine, survey)
    if survey.undone_since is not None:
        restored.went_back(mine, survey.undone_since)
    require_same_uuid(mine)
    _look_at_account(mine)


def _look_at_account(mine: Turn) -> None:
    """Rights that hide orders and a key that ends soon make no noise: they are asked for."""
    account = account_of.look(mine.client)
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
    """What was written lately, there and here; returns the last id compared, or None at the end."""
    after_id = wanted.after_id or 0
    page = mine.source.changes(since=wanted.since, after_id=after_id, limit=PAGE)
    up_to_id = page[-1].order_id if len(page) == PAGE else None
    differences, covered = odoo_side(mine, page)
    survey.covered += covered
    _take(mine, wanted, survey, differences, compared=len(page))
    in_odoo = {change.order_id for change in page}
    for rows in ledger_pages(mine.connection, wanted.since, after_id=after_id, up_to_id=up_to_id):
        known = [row for row in rows if row.order_id not in in_odoo and row.state != "cancel"]
        found = ledger_side(mine, known)
        survey.add(found)
        _take(mine, wanted, survey, found.differences, compared=len(known))
    return up_to_id


def _compare_known(mine: Turn, wanted: Reconciliation, survey: Survey) -> int | None:
    """The next page of all the orders we know, however old and whatever became of them."""
    rows = next(ledger_pages(mine.connection, None, after_id=wanted.after_id or 0), [])
    found = ledger_side(mine, rows)
    survey.add(found)
    _take(mine, wanted, survey, found.differences, compared=len(rows))
    return rows[-1].order_id if rows else None


def _take(
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
    room = KEPT_DIFFERENCES - len(wanted.differences)
    wanted.differences = wanted.differences + [d.to_json() for d in differences[:room]]
    wanted.orders_compared += compared


def _repair(mine: Turn, wanted: Reconciliation, differences: list[Difference]) -> None:
    missing = [each.change for each in differences if each.verdict == "missing"]
    late = missed.orders(mine, missing)
    held = set[int]()
    if late and missed.too_many(mine, wanted.counts["missing"]):
        held = {change.order_id for change in missing}
        detail = {"orders": wanted.counts["missing"], "open": missed.open_orders(mine)}
        with mine.writing() as now:
            questions.ask(mine.connection, QuestionKind.OLD_ORDERS, detail, now)
    elif late:
        missed.look_back_further(mine, late)
    stale = [each.change for each in differences if each.verdict == "stale"]
    reread(mine, missing + stale, held=held)
