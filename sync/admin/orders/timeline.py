"""The story of one order: what became of it and why, every version, every try, every act of a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from connections.causes import Cause, explain
from connections.models import Circuit, CircuitState, Side
from core.admin.base import badge, coming, exactly, page, pretty, shortly
from sync.admin.labels import EVENT_WORDS, PROBLEM_WORDS, STATUS_COLOURS
from sync.admin.orders.version_diff import ValueChange, changes, content, money
from sync.models import DeliveryAttempt, RetryItem, RowState, RunRow, SeenOrder, SentOrder, Status

VERSIONS_SHOWN = 50
TRIES_SHOWN = 200
ACTS_SHOWN = 100
ICONS = {
    Status.PENDING: "schedule",
    Status.SENT: "check",
    Status.FAILED: "priority_high",
    Status.DISCARDED: "delete",
    Status.SUPERSEDED: "update",
}


@dataclass
class Entry:
    """One event of the story; a version has its tries inside."""

    at: datetime | None
    icon: str
    title: str
    colour: str = ""
    label: Any = ""
    lines: list[str] = field(default_factory=list)
    link: str = ""
    version: VersionEntry | None = None

    @property
    def number(self) -> int:
        return self.version.number if self.version else 0

    @property
    def exact(self) -> str:
        return exactly(self.at)


@dataclass
class VersionEntry:
    number: int
    item: RetryItem | None = None
    sent: SentOrder | None = None
    tries: list[Try] = field(default_factory=list)
    changed: list[ValueChange] | None = None  # None: not known any more
    body: str = ""
    event_id: str = ""
    next_try: Any = ""


@dataclass(frozen=True)
class Try:
    number: int
    at: str
    delivered: bool
    status: int | None
    took: str
    cause: Cause | None
    detail: str
    answer: str


def story(request: HttpRequest, order: SeenOrder) -> dict[str, Any]:
    """What the page of an order shows, in a constant number of queries."""
    sees_all = request.user.has_perm("sync.view_payload")
    versions = _versions(order, sees_all=sees_all)
    entries = [*_beginning(order), *(_version_entry(each) for each in versions), *_acts(order, versions)]
    epoch = order.write_date
    entries.sort(key=lambda entry: (entry.at or epoch, entry.number), reverse=True)
    newest = versions[-1] if versions else None
    contents = _contents(newest) if sees_all and newest else []
    return {
        "order": order,
        "verdict": _summary(order, newest),
        "holds": list(_holds(order)) if _is_waiting(newest) else [],
        "facts": [*_facts_of_order(order), *_former_names(order, versions), *contents],
        "notes": list(_notes(order)),
        "entries": entries,
        "sees_all": sees_all,
        "zone": timezone.get_current_timezone_name(),
    }


def _versions(order: SeenOrder, *, sees_all: bool) -> list[VersionEntry]:
    mine = {"connection": order.connection_id, "order_id": order.order_id}
    items = RetryItem.objects.filter(**mine).order_by("-version")[:VERSIONS_SHOWN]
    sent = SentOrder.objects.filter(**mine).order_by("-version")[:VERSIONS_SHOWN]
    found: dict[int, VersionEntry] = {}
    for row in sent:
        found.setdefault(row.version, VersionEntry(row.version)).sent = row
    for item in items:
        found.setdefault(item.version, VersionEntry(item.version)).item = item
    for attempt in DeliveryAttempt.objects.filter(**mine).order_by("-id")[:TRIES_SHOWN]:
        version = found.setdefault(attempt.version, VersionEntry(attempt.version))
        version.tries.append(_try(attempt, sees_all=sees_all))
    versions = [found[number] for number in sorted(found)]
    _compare(versions, sees_all=sees_all)
    return versions


def _try(row: DeliveryAttempt, *, sees_all: bool) -> Try:
    return Try(
        number=row.number,
        at=shortly(row.started_at),
        delivered=row.delivered,
        status=row.status,
        took=_("%s ms") % number_format(row.duration_ms, force_grouping=True),
        cause=explain(row.error_code) if row.error_code else None,
        detail=row.error_detail,
        answer=pretty(row.answer.encode()) if sees_all and row.answer else "",
    )


def _compare(versions: list[VersionEntry], *, sees_all: bool) -> None:
    """Without the right to payloads one reads what changed, but not from what into what."""
    before: dict[str, Any] | None = None
    for version in versions:
        body = version.item.body if version.item else None
        after = content(body)
        if before and after:
            found = changes(before, after)
            version.changed = found if sees_all else [ValueChange(change.what) for change in found]
        before = after or None
        version.body = pretty(body) if sees_all and body is not None else ""
        row = version.item or version.sent
        version.event_id = row.event_id if row else ""
        if version.item and version.item.status == Status.PENDING:
            version.next_try = coming(version.item.next_retry_at)


def _version_entry(version: VersionEntry) -> Entry:
    row: Any = version.item or version.sent
    if row is None:  # its row has aged out, its tries have not
        return Entry(None, "inventory_2", _("Version %s") % version.number, version=version)
    status = Status(version.item.status) if version.item else Status.SENT
    words = {"number": version.number, "event": EVENT_WORDS.get(row.event, row.event)}
    entry = Entry(
        at=version.item.created_at if version.item else (row.sent_at or row.write_date),
        icon=ICONS[status],
        title=_("Version %(number)s: %(event)s") % words,
        colour=STATUS_COLOURS[status],
        label=badge(status.label, STATUS_COLOURS[status]),
        version=version,
    )
    if version.sent and version.sent.seeded:
        entry.label, entry.icon, entry.colour = "", "history", ""
        entry.lines.append(_("Known from before the start; it was not sent."))
    if row.replay:
        entry.lines.append(_("Sent again by a person."))
    if version.sent and version.sent.sent_at:
        entry.lines.append(_("Delivered: %s") % exactly(version.sent.sent_at))
    if status == Status.DISCARDED and version.item:
        by = {"by": version.item.discarded_by, "why": version.item.discard_reason}
        entry.lines.append(_("Given up by %(by)s: %(why)s") % by)
    return entry


def _beginning(order: SeenOrder) -> Iterator[Entry]:
    yield Entry(order.write_date, "edit_note", _("Written in Odoo for the last time"))
    yield Entry(order.seen_at, "visibility", _("Seen by us for the last time"))


def _acts(order: SeenOrder, versions: Iterable[VersionEntry]) -> Iterator[Entry]:
    for logged in _logged(order, versions):
        who = logged.user.get_full_name() or logged.user.get_username()
        yield Entry(logged.action_time, "person", who, lines=[logged.get_change_message()])
    rows = RunRow.objects.filter(connection=order.connection_id, order_id=order.order_id)
    for row in rows.exclude(state=RowState.WAITING).select_related("run").order_by("-id")[:ACTS_SHOWN]:
        words = {"kind": row.run.get_kind_display(), "by": row.run.asked_by, "total": row.run.total}
        line = ngettext(
            "%(kind)s, with %(total)s order in all", "%(kind)s, with %(total)s orders in all", row.run.total
        )
        entry = Entry(row.done_at, "published_with_changes", row.run.asked_by, link=page(row.run))
        entry.lines = [line % words, *filter(None, [_step(row), row.run.reason])]
        yield entry


def _step(row: RunRow) -> str:
    if row.state == RowState.LEFT:
        return _("left alone")
    if not row.after:
        return ""
    before = Status(row.before).label if row.before in Status.values else row.before
    after = Status(row.after).label if row.after in Status.values else row.after
    return f"{before} → {after}"


def _logged(order: SeenOrder, versions: Iterable[VersionEntry]) -> Iterable[LogEntry]:
    """What the history of the admin says about the order and its versions."""
    ids: list[str] = [str(order.pk)]
    for version in versions:
        ids += [str(row.pk) for row in (version.item, version.sent) if row is not None]
    types = ContentType.objects.get_for_models(SeenOrder, RetryItem, SentOrder)
    mine = {types[SeenOrder].pk: {str(order.pk)}}
    mine[types[RetryItem].pk] = {str(each.item.pk) for each in versions if each.item}
    mine[types[SentOrder].pk] = {str(each.sent.pk) for each in versions if each.sent}
    rows = LogEntry.objects.filter(content_type__in=list(mine), object_id__in=ids).select_related("user")
    return [r for r in rows[:ACTS_SHOWN] if r.content_type_id and r.object_id in mine[r.content_type_id]]


def _is_waiting(newest: VersionEntry | None) -> bool:
    return bool(newest and newest.item and newest.item.status in (Status.PENDING, Status.FAILED))


def _summary(order: SeenOrder, newest: VersionEntry | None) -> dict[str, Any]:
    """Where the order is, in one sentence, and what to do."""
    item = newest.item if newest else None
    if item is not None and item.status == Status.FAILED:
        words = explain(item.error_code or "unknown")
        return _said("bad", "error", _("It did not arrive, and needs a person"), words, item)
    if item is not None and item.status == Status.PENDING:
        why = explain(item.error_code) if item.error_code else None
        when = coming(item.next_retry_at)
        return _said("warn", "schedule", _("It waits to be delivered"), why, item) | {"next_try": when}
    if item is not None and item.status == Status.DISCARDED:
        by = {"by": item.discarded_by, "why": item.discard_reason}
        return _said("info", "delete", _("%(by)s gave it up: %(why)s") % by)
    if newest and newest.sent and newest.sent.sent_at:
        return _said("good", "check_circle", _("The receiver has it since %s") % exactly(newest.sent.sent_at))
    if order.seeded:
        return _said("info", "history", _("It is from before the start, so it was not sent"))
    return _said("info", "info", _("Nothing had to be sent"))


def _said(
    kind: str, icon: str, title: str, cause: Cause | None = None, item: RetryItem | None = None
) -> dict[str, Any]:
    detail = f"{item.error_code}: {item.error_detail}".strip(": ") if item and item.error_code else ""
    return {"kind": kind, "icon": icon, "title": title, "cause": cause, "detail": detail}


def _holds(order: SeenOrder) -> Iterator[dict[str, Any]]:
    """What holds up everything of this connection, and so this order too."""
    now = timezone.now()
    for circuit in Circuit.objects.filter(connection=order.connection_id, side=Side.WEBHOOK):
        if circuit.is_paused(now):
            words = {"by": circuit.paused_by or _("the poller"), "why": circuit.paused_reason}
            said = _("Deliveries of this shop are paused by %(by)s: %(why)s") % words
            if circuit.paused_until:
                said += " " + _("It ends %s.") % exactly(circuit.paused_until)
            yield _said("info", "pause", said)
        elif circuit.state != CircuitState.CLOSED:
            yield _said("warn", "bolt", "", explain("webhook_circuit_open"))
        elif circuit.wait_until and circuit.wait_until > now:
            yield _said(
                "warn", "hourglass", _("The receiver asked us to wait until %s") % exactly(circuit.wait_until)
            )


def _facts_of_order(order: SeenOrder) -> list[tuple[Any, Any]]:
    return [
        (_("Written in Odoo"), exactly(order.write_date)),
        (_("Seen"), exactly(order.seen_at)),
        (_("Customer reference"), order.reference or "–"),
        (_("Odoo id"), str(order.order_id)),
    ]


def _notes(order: SeenOrder) -> Iterator[tuple[str, Any]]:
    """Fields that were left empty, and what is wrong with them in Odoo."""
    for note in order.left_empty:
        path, __, problem = note.partition(": ")
        yield path, PROBLEM_WORDS.get(problem, problem)


def _former_names(order: SeenOrder, versions: Iterable[VersionEntry]) -> list[tuple[Any, Any]]:
    """By which it may be known at the receiver."""
    rows = [row for version in versions for row in (version.sent, version.item) if row is not None]
    names = dict.fromkeys(row.order_name for row in rows if row.order_name != order.order_name)
    return [(_("Called before"), ", ".join(names))] if names else []


def _contents(version: VersionEntry) -> list[tuple[Any, Any]]:
    body = content(version.item.body if version.item else None)
    order, customer, items = body.get("order"), body.get("customer"), body.get("items")
    if not isinstance(order, dict) or not isinstance(customer, dict) or not isinstance(items, list):
        return []
    total, facts = order.get("amount_total"), [(_("Customer"), str(customer.get("name") or "–"))]
    if isinstance(total, int | float):
        facts.append((_("Total"), money(total, str(order.get("currency") or ""))))
    facts.append((_("Lines"), str(len(items))))
    return facts
