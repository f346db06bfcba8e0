"""Circuits of many connections at once: read in one statement, written in one where something changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from connections import circuit
from connections.circuit import Health
from connections.errors import RemoteError
from connections.models import Circuit, Side
from connections.odoo.responses import RATE_LIMITED

FIELDS = ("state", "failures", "successes", "opened_at", "wait_until", "error_code", "waits")


@dataclass(slots=True)
class SideState:
    """One side as we work with it: its health now, what is stored, and whether people paused it."""

    health: Health
    stored: Health
    paused: bool


def load(connection_ids: Iterable[int], side: Side, now: datetime) -> dict[int, SideState]:
    """Every connection gets a state; one without a row is closed."""
    wanted = set(connection_ids)
    rows = Circuit.objects.filter(connection__in=wanted, side=side)
    states = {row.connection_id: _state(row, now) for row in rows}
    return {pk: states.get(pk) or SideState(Health(), Health(), False) for pk in wanted}


def store(states: dict[int, SideState], side: Side) -> None:
    """Write the healths that changed since they were read or written."""
    changed = {pk: state for pk, state in states.items() if state.health != state.stored}
    rows = [Circuit(connection_id=pk, side=side, **_columns(state.health)) for pk, state in changed.items()]
    Circuit.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["connection", "side"], update_fields=FIELDS
    )
    for state in changed.values():
        state.stored = state.health


def after_error(health: Health, error: RemoteError, now: datetime) -> Health:
    """What a fault of Odoo teaches its side: 429 asks to wait, all else is a failure and may ask too."""
    if error.code == RATE_LIMITED:
        return circuit.after_rate_limit(health, now, error.retry_at)
    health = circuit.after_failure(health, now, error.code)
    return circuit.after_wait(health, error.retry_at) if error.retry_at else health


def _state(row: Circuit, now: datetime) -> SideState:
    health = Health(*(getattr(row, name) for name in FIELDS))
    return SideState(health, health, row.is_paused(now))


def _columns(health: Health) -> dict[str, object]:
    return {name: getattr(health, name) for name in FIELDS}
