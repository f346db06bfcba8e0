"""No silence: what is late, stuck or about to fail is found on schedule and goes when its cause goes."""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q
from django.utils import timezone

from connections import same_source
from connections.causes import NEVER_SENT
from connections.circuit import OPEN_AFTER
from connections.models import Circuit, CircuitState, Lease, Side
from connections.odoo.account import HIDDEN_COMPANY
from core.background import failures
from core.background.heartbeat import silent_since
from core.background.schedules import foreign
from core.models import AlertChannelState, FailingWork
from core.models.finding import Finding
from sync.ledger.imported import OWED_BEFORE
from sync.models import PollState, Progress, Question, Reconciliation, RetryItem, Status
from sync.repair.restored import EVER

LATE_SECONDS = 120  # beyond its interval
CLOCK_SECONDS = 300
KEY_DAYS = 14
REPAIR_TOLD_FOR = timedelta(hours=24)
TOLD_FOR = timedelta(hours=24)  # of what is over once it was found
DISK_BYTES = 512 * 1024**2
SILENT_READS = "odoo_own_documents_only"

logger = logging.getLogger("poller.watch")

Found = tuple[int | None, str, str]  # connection, cause, detail


def watch(*, clock: Callable[[], datetime] = timezone.now) -> list[Finding]:
    """Look for everything at once; what is still there keeps its `since`. Returns what was found."""
    now = clock()
    found, looked = _look_everywhere(now)
    with transaction.atomic():
        rows = {(row.connection_id, row.code): row for row in Finding.objects.select_for_update()}
        if looked:
            gone = [row.pk for key, row in rows.items() if key not in found]
            Finding.objects.filter(pk__in=gone).delete()
        for key, detail in found.items():
            row = rows.get(key) or Finding(connection_id=key[0], code=key[1], since=now)
            row.detail, row.seen_at = detail[:300], now
            row.save()
    return list(Finding.objects.select_related("connection").defer(*SECRETS))


def _look_everywhere(now: datetime) -> tuple[dict[tuple[int | None, str], str], bool]:
    """What was found, and whether every look came to its end: where one did not, nothing counts as gone."""
    found: dict[tuple[int | None, str], str] = {}
    names = {look: f"{__name__}.{look.__name__}" for look in LOOKS}
    good = []
    for look, name in names.items():
        try:
            found |= {(connection, code): detail for connection, code, detail in look(now)}
            good.append(name)
        except (OperationalError, InterfaceError):  # the database is unreachable: no look is to blame
            raise
        except Exception as error:
            logger.exception("A look failed in our own code: %s", name)
            failures.failed(name, type(error).__name__)
    failures.succeeded(good)
    return found, len(good) == len(LOOKS)


SECRETS = ("connection__api_key", "connection__webhook_secret")


def _overdue(now: datetime) -> Iterator[Found]:
    """A connection that nobody polls although it is due."""
    late = PollState.objects.poll_due(now - timedelta(seconds=LATE_SECONDS))
    for pk, at in late.values_list("connection", "next_poll_at"):
        yield pk, "poll_overdue", f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _undelivered(now: datetime) -> Iterator[Found]:
    """A retry whose time has passed, and nothing that would hold it back."""
    held = Circuit.objects.filter(connection=OuterRef("connection"), side=Side.WEBHOOK).filter(
        ~Q(state=CircuitState.CLOSED) | Q(wait_until__gt=now) | Q(paused_at__isnull=False)
    )
    due = RetryItem.objects.due(now - timedelta(seconds=LATE_SECONDS)).filter(connection__enabled=True)
    late = due.exclude(Exists(held)).values("connection").annotate(n=Count("pk")).order_by()
    for row in late:
        yield row["connection"], "delivery_overdue", str(row["n"])


def _needs_person(now: datetime) -> Iterator[Found]:
    """Orders that nobody sends any more, by what stopped them."""
    failed = RetryItem.objects.filter(status=Status.FAILED).exclude(error_code=OWED_BEFORE)
    numbers: Counter[tuple[int, str]] = Counter()
    for row in failed.values("connection", "error_code").annotate(n=Count("pk")).order_by():
        numbers[row["connection"], _stopped_by(row["error_code"])] += row["n"]
    for (connection, code), number in numbers.items():
        yield connection, code, str(number)


def _stopped_by(code: str) -> str:
    """A receiver's refusals are one cause; what it never saw was stopped by a cause of its own."""
    return code if code in NEVER_SENT else "items_need_a_person"


def _circuits(now: datetime) -> Iterator[Found]:
    enabled = Circuit.objects.filter(connection__enabled=True)
    # Odoo's waits are failed polls, and found as such.
    asks_to_wait = Q(side=Side.WEBHOOK, waits__gte=OPEN_AFTER)
    for circuit in enabled.filter(~Q(state=CircuitState.CLOSED) | asks_to_wait):
        if circuit.state != CircuitState.CLOSED:
            yield circuit.connection_id, f"{circuit.side}_circuit_open", circuit.error_code
        if circuit.side == Side.WEBHOOK and circuit.waits >= OPEN_AFTER:
            yield circuit.connection_id, "receiver_rate_limited", ""
    for circuit in enabled.paused(now).filter(side=Side.WEBHOOK, paused_by=""):
        yield circuit.connection_id, "receiver_gone", circuit.paused_reason


def _failing(now: datetime) -> Iterator[Found]:
    failing = PollState.objects.filter(connection__enabled=True, failures__gte=3)
    for pk, code in failing.values_list("connection", "error_code"):
        yield pk, "polls_fail", code


def _doubled(now: datetime) -> Iterator[Found]:
    """Two connections from one database to one receiver: nothing fails, and each order arrives twice."""
    for connection, others in same_source.doubles():
        yield connection.pk, "same_source_twice", same_source.named(others)


def _leases(now: datetime) -> Iterator[Found]:
    """A lease that ended long ago and was never given back: its holder died."""
    stuck = Lease.objects.filter(until__lt=now - timedelta(minutes=10))
    summary = stuck.aggregate(n=Count("pk"), oldest=Min("until"))
    if summary["n"]:
        yield None, "leases_not_returned", str(summary["n"])


def _clocks(now: datetime) -> Iterator[Found]:
    far = Q(clock_offset_seconds__gt=CLOCK_SECONDS) | Q(clock_offset_seconds__lt=-CLOCK_SECONDS)
    rows = PollState.objects.filter(far, connection__enabled=True)
    for pk, seconds in rows.values_list("connection", "clock_offset_seconds"):
        yield pk, "odoo_clock_skew", f"{seconds:+.0f} s"


def _rights(now: datetime) -> Iterator[Found]:
    """What the looks at the user found: rights or a company that hide orders, a key that ends soon."""
    rows = PollState.objects.filter(connection__enabled=True).exclude(account={})
    for pk, account, company in rows.values_list("connection", "account", "connection__company_id"):
        if company is not None and account.get(HIDDEN_COMPANY) == company:
            yield pk, "odoo_company_not_visible", f"res.company {company}"
        if account.get("own_documents_only"):
            yield pk, SILENT_READS, ""
        if account.get("no_sales_rights"):
            yield pk, "odoo_no_sales_rights", ""
        ends = account.get("key_ends_at")
        if ends and datetime.fromisoformat(ends) < now + timedelta(days=KEY_DAYS):
            yield pk, "odoo_key_expires_soon", ends[:10]


def _differences(now: datetime) -> Iterator[Found]:
    """The newest reconciliation of a connection found something and was not asked to repair it, or failed."""
    newest = Reconciliation.objects.values("connection").annotate(last=Max("pk")).values("last")
    for row in Reconciliation.objects.filter(pk__in=newest, finished_at__isnull=False):
        if row.progress == "failed":
            yield row.connection_id, "reconciliation_failed", row.error_code
        elif sum(row.counts.values()) and not row.repair:
            yield row.connection_id, "reconciliation_found", str(sum(row.counts.values()))


def _repaired(now: datetime) -> Iterator[Found]:
    """The newest reconciliation of a connection had to put something right: polling should have seen it."""
    newest = Reconciliation.objects.values("connection").annotate(last=Max("pk")).values("last")
    lately = Reconciliation.objects.filter(pk__in=newest, finished_at__gte=now - REPAIR_TOLD_FOR)
    for row in lately.filter(progress=Progress.DONE, repair=True):
        repaired = sum(row.counts.values()) - row.held_back  # a question tells of what was held back
        if repaired:
            yield row.connection_id, "reconciliation_repaired", str(repaired)


def _pollers(now: datetime) -> Iterator[Found]:
    since = silent_since(now)
    if since is not None:
        yield None, "poller_silent", f"{since:%Y-%m-%d %H:%M:%S} UTC"


def _disk(now: datetime) -> Iterator[Found]:
    """Where the database file, the queue and the cache of this host are."""
    usage = shutil.disk_usage(settings.DATA_DIR)
    if usage.free < min(DISK_BYTES, usage.total // 20):
        yield None, "disk_full_soon", f"{usage.free // 1024**2} MB"


def _channels(now: datetime) -> Iterator[Found]:
    failing = AlertChannelState.objects.filter(channel__enabled=True, failures__gte=3)
    names = list(failing.values_list("channel__name", flat=True))
    if names:
        yield None, "alert_channel_fails", ", ".join(names)


def _questions(now: datetime) -> Iterator[Found]:
    """Questions that wait for a person."""
    asked = Question.objects.open().filter(connection__enabled=True)
    for question in asked.only("connection_id", "kind", "detail"):
        yield question.connection_id, question.code, question.summary


def _sources(now: datetime) -> Iterator[Found]:
    """Results of checks of the databases behind connections."""
    states = PollState.objects.filter(connection__enabled=True)
    for pk, code in states.exclude(deep_check_error="").values_list("connection", "deep_check_error"):
        yield pk, "deep_check_failed", code
    for pk, to in states.filter(went_back_at__gt=now - TOLD_FOR).values_list("connection", "went_back_to"):
        yield pk, "odoo_went_back", f"{to:%Y-%m-%d %H:%M:%S} UTC" if to and to > EVER else ""
    for pk, hidden in states.exclude(hidden={}).values_list("connection", "hidden"):
        yield pk, "odoo_orders_hidden", _hidden_words(hidden)
    for pk in states.filter(database__neutralized=True).values_list("connection", flat=True):
        yield pk, "odoo_neutralized", ""
    late = states.filter(wider_until__gt=now, wider_lookback_seconds__gt=F("connection__lookback_seconds"))
    for pk, detail in late.values_list("connection", "missed_detail"):
        yield pk, "odoo_orders_seen_late", detail


def _hidden_words(hidden: dict[str, Any]) -> str:
    """The number of hidden orders, some names, and their companies."""
    names = ", ".join(hidden.get("names", []))
    more = " …" if hidden.get("orders", 0) > len(hidden.get("names", [])) else ""
    companies = ", ".join(hidden.get("companies", []))
    return f"{hidden.get('orders')}: {names}{more}" + (f" ({companies})" if companies else "")


def _schedules(now: datetime) -> Iterator[Found]:
    """A row that somebody put among the schedules: it never runs, and its writer can write more."""
    rows = foreign(harmless=False)
    if rows:
        yield None, "foreign_schedule", "; ".join(rows)


def _failing_work(now: datetime) -> Iterator[Found]:
    """Last, so that it knows of the looks before."""
    found: dict[int | None, list[str]] = {}
    for row in failures.often(now):
        found.setdefault(row.connection_id, []).append(_words(row))
    for connection, lines in found.items():
        yield connection, "scheduled_work_fails", "; ".join(lines)


def _words(row: FailingWork) -> str:
    return f"{row.name.rpartition('.')[2].strip('_')}: {row.error} ×{row.failures}"


LOOKS: tuple[Callable[[datetime], Iterator[Found]], ...] = (
    _overdue,
    _undelivered,
    _needs_person,
    _circuits,
    _failing,
    _doubled,
    _leases,
    _clocks,
    _rights,
    _differences,
    _repaired,
    _pollers,
    _disk,
    _channels,
    _questions,
    _sources,
    _schedules,
    _failing_work,
)
