"""How a connection stands, in one word and in numbers, and what holds its deliveries back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from connections.causes import explain
from connections.models import Circuit, CircuitState, Connection, Side
from sync.health import with_backlog, with_health_state
from sync.models import PollState


def connection_rows(now: datetime) -> list[dict[str, Any]]:
    """One row per connection, in a fixed number of queries and without reading a secret."""
    connections = Connection.objects.without_secrets().select_related("poll_state")
    rows = with_backlog(with_health_state(connections, now)).prefetch_related("circuits")
    return [_row(row, now) for row in rows]


def _row(connection: Any, now: datetime) -> dict[str, Any]:
    state: PollState | None = getattr(connection, "poll_state", None)
    circuits = {circuit.side: circuit for circuit in connection.circuits.all()}
    return {
        "id": connection.pk,
        "name": connection.name,
        "external_id": connection.external_id,
        "enabled": connection.enabled,
        "health": connection.health_state,
        "odoo_url": connection.odoo_url,
        "database": connection.database,
        "database_in_ids": connection.database_in_ids,
        "language": connection.language,
        "webhook_url": connection.webhook_url,
        "poll_interval_seconds": connection.poll_interval_seconds,
        "last_polled_at": state.last_polled_at if state else None,
        "last_success_at": state.last_success_at if state else None,
        "waiting": connection.waiting,
        "failed": connection.needs_person,
        "odoo": _circuit_word(circuits.get(Side.ODOO), now),
        "webhook": _circuit_word(circuits.get(Side.WEBHOOK), now),
        "error_code": state.error_code if state else "",
    }


def _circuit_word(circuit: Circuit | None, now: datetime) -> str:
    if circuit is None:
        return CircuitState.CLOSED.value
    return "paused" if circuit.is_paused(now) else circuit.state


def held_back(connection: Connection, now: datetime | None = None) -> list[str]:
    """Sentences that say why nothing is sent to this receiver now, and what to do; none when nothing is."""
    now = now or timezone.now()
    reasons = []
    if not connection.enabled:
        reasons.append(_("The connection is disabled: manage.py editconnection %s --enabled") % connection.pk)
    for circuit in connection.circuits.filter(side=Side.WEBHOOK):
        reasons += _circuit_reasons(circuit, now)
    return reasons


def _circuit_reasons(circuit: Circuit, now: datetime) -> Iterable[str]:
    words = {
        "by": circuit.paused_by or _("the poller"),
        "reason": circuit.paused_reason or "-",
        "until": timezone.localtime(circuit.wait_until or now).strftime("%Y-%m-%d %H:%M:%S"),
        "cause": explain(circuit.error_code).title,
        "id": circuit.connection_id,
    }
    if circuit.is_paused(now):
        yield (
            _(
                "The receiver is paused by %(by)s (%(reason)s): "
                "manage.py resetcircuit %(id)s --side webhook --resume"
            )
            % words
        )
    if circuit.state == CircuitState.OPEN:
        yield (
            _(
                "The receiver's circuit is open (%(cause)s); it is tried again by itself within 2 minutes. "
                "At once: manage.py resetcircuit %(id)s --side webhook"
            )
            % words
        )
    if circuit.wait_until is not None and circuit.wait_until > now:
        yield _("The receiver asked us to wait until %(until)s.") % words
