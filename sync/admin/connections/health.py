"""How one connection stands, for people: labels for the list, and the block on top of its page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from connections.models import Circuit, CircuitState, Connection, Side
from core.admin.base import badge, cause, coming, exactly, explained, listing, moment
from sync.admin.health_labels import COLOURS, HealthState
from sync.models import DeliveryAttempt, PollState, RetryItem, SeenOrder, SentOrder, SyncLog

SENTENCES = {
    HealthState.OK: gettext_lazy("Everything works."),
    HealthState.FAILING: gettext_lazy("The last poll failed."),
    HealthState.OPEN: gettext_lazy(
        "One side failed five times in a row. It is tried again by itself every two minutes."
    ),
    HealthState.LATE: gettext_lazy(
        "A poll is overdue. Perhaps the poller does not run: ask whoever runs this server."
    ),
    HealthState.NEEDS_PERSON: gettext_lazy(
        "Orders need a person: open them below; each says what stopped it and what to do."
    ),
    HealthState.PAUSED: gettext_lazy(
        "Somebody paused it. Press “Resume” to go on; nothing is lost meanwhile."
    ),
    HealthState.DISABLED: gettext_lazy("It is switched off below. Nothing is read and nothing is sent."),
    HealthState.NEW: gettext_lazy("It has not been polled yet. That happens within a minute."),
}


def health_badge(row: Any) -> SafeString:
    health_state = HealthState(row.health_state)
    state = poll_state(row)
    title = cause(state.error_code) if state else ""
    return badge(health_state.label, COLOURS[health_state], title=title or SENTENCES[health_state])


def poll_state(row: Connection) -> PollState | None:
    return getattr(row, "poll_state", None)


def last_poll(row: Connection) -> SafeString | str:
    state = poll_state(row)
    return moment(state.last_polled_at) if state else "-"


def next_poll(row: Any) -> SafeString | str:
    state, now = poll_state(row), timezone.now()
    if state is None or row.health_state in (HealthState.DISABLED, HealthState.PAUSED):
        return "-"
    return coming(state.next_poll_at, now)


def backlog(row: Any) -> SafeString:
    """Numbers that lead to the orders they count."""
    shown = []
    if row.needs_person:
        text = ngettext("%s needs a person", "%s need a person", row.needs_person) % row.needs_person
        shown.append(badge(text, "danger", listing(RetryItem, connection__id__exact=row.pk, status="failed")))
    if row.waiting:
        text = ngettext("%s waiting", "%s waiting", row.waiting) % row.waiting
        shown.append(
            badge(text, "warning", listing(RetryItem, connection__id__exact=row.pk, status="pending"))
        )
    return format_html_join(" ", "{}", ((each,) for each in shown)) if shown else SafeString("-")


def circuit_badge(row: Connection, side: Side) -> SafeString:
    circuit = circuit_of(row, side)
    if circuit is None:
        return badge(_("OK"), "success", title=_("Circuit closed"))
    word, kind = _circuit_word(circuit, timezone.now())
    return badge(word, kind, title=circuit.paused_reason or cause(circuit.error_code) or _("Circuit closed"))


def circuit_of(row: Connection, side: Side) -> Circuit | None:
    return next((circuit for circuit in row.circuits.all() if circuit.side == side), None)


def _circuit_word(circuit: Circuit, now: datetime) -> tuple[Any, str]:
    if circuit.is_paused(now):
        return _("Paused"), "info"
    if circuit.wait_until is not None and circuit.wait_until > now:
        return _("Asked to wait"), "warning"
    words = {
        CircuitState.CLOSED: (_("OK"), "success"),
        CircuitState.HALF_OPEN: (_("Half open"), "warning"),
        CircuitState.OPEN: (_("Open"), "danger"),
    }
    return words[CircuitState(circuit.state)]


def health_block(row: Any) -> dict[str, Any]:
    """What the top of the page shows."""
    state = poll_state(row)
    return {
        "badge": health_badge(row),
        "sentence": SENTENCES[HealthState(row.health_state)],
        "error": explained(state.error_code, state.error_detail) if state and state.error_code else "",
        "sides": [_side(row, side) for side in (Side.ODOO, Side.WEBHOOK)],
        "facts": _facts_of_connection(row, state),
        "links": _links(row),
    }


def _side(row: Connection, side: Side) -> dict[str, Any]:
    circuit, now = circuit_of(row, side), timezone.now()
    notes: list[Any] = []
    if circuit and circuit.is_paused(now):
        words = {
            "by": circuit.paused_by or _("the poller"),
            "why": circuit.paused_reason,
            "at": exactly(circuit.paused_at),
        }
        notes.append(_("Paused by %(by)s at %(at)s: %(why)s") % words)
        if circuit.paused_until:
            notes.append(_("It goes on by itself at %s.") % exactly(circuit.paused_until))
    if circuit and circuit.wait_until and circuit.wait_until > now:
        notes.append(_("It asked us to wait until %s.") % exactly(circuit.wait_until))
    if circuit and circuit.failures:
        notes.append(
            ngettext("%s failure in a row.", "%s failures in a row.", circuit.failures) % circuit.failures
        )
    if side == Side.WEBHOOK:
        notes += [
            signs_until(at) for at in row.retired_secrets.values_list("valid_until", flat=True) if at > now
        ]
    return {
        "name": side.label,
        "badge": circuit_badge(row, side),
        "notes": notes,
        "error": explained(circuit.error_code) if circuit and circuit.error_code else "",
    }


def signs_until(at: datetime) -> str:
    return _("An old webhook secret signs beside the new one until %s.") % exactly(at)


def _facts_of_connection(row: Any, state: PollState | None) -> list[tuple[Any, Any]]:
    facts: list[tuple[Any, Any]] = [(_("Backlog"), backlog(row))]
    if state is None:
        return facts
    version = str(state.server.get("version", "")) if state.server else ""
    if row.database_in_ids != row.database:
        facts.append((_("Database in ids"), row.database_in_ids))
    return [
        (_("Last poll"), moment(state.last_polled_at)),
        (_("Last good poll"), moment(state.last_success_at)),
        (_("Next poll"), next_poll(row)),
        (_("Last order seen"), moment(state.last_order_at)),
        *facts,
        (_("Odoo version"), version or "-"),
    ]


def _links(row: Connection) -> list[tuple[str, Any]]:
    mine = {"connection__id__exact": row.pk}
    return [
        (listing(SeenOrder, **mine), _("Orders seen")),
        (listing(SentOrder, **mine), _("Sent orders")),
        (listing(RetryItem, **mine), _("Retry items")),
        (listing(DeliveryAttempt, **mine), _("Delivery attempts")),
        (listing(SyncLog, **mine), _("Sync logs")),
    ]
