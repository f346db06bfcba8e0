"""What people configure of connections, how their sides do, and who works."""

from connections.models.circuit import Circuit, CircuitQuerySet, CircuitState, Side, pause, resume
from connections.models.connection import (
    EVENTS,
    SHARED_HOSTS_SUFFIX,
    Connection,
    ConnectionQuerySet,
    Protocol,
    RetiredSecret,
    Start,
    default_events,
    odoo_lease_key,
)
from connections.models.lease import Lease

__all__ = [
    "EVENTS",
    "SHARED_HOSTS_SUFFIX",
    "Circuit",
    "CircuitQuerySet",
    "CircuitState",
    "Connection",
    "ConnectionQuerySet",
    "Lease",
    "Protocol",
    "RetiredSecret",
    "Side",
    "Start",
    "default_events",
    "odoo_lease_key",
    "pause",
    "resume",
]
