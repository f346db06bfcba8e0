"""The sandbox's shops as connections: added once, and pointed at where the sandbox is now."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db.models import Max

from connections.forms import filled
from connections.models import Connection, Start
from sync.models import SeenOrder

PREFIX = "sandbox-"  # of external ids: what begins so is ours to mend
POLL_SECONDS = 5


def connect(state: Path) -> int:
    """A connection for each shop of the state file; returns how many were added. Raises CommandError."""
    before = Connection.objects.count()
    for shop in json.loads(state.read_text()):
        _connect(shop)
    return Connection.objects.count() - before


def newest_order() -> int:
    """The highest id of an order that any sandbox has had: the next one goes on from there."""
    orders = SeenOrder.objects.filter(connection__external_id__startswith=PREFIX)
    return orders.aggregate(newest=Max("order_id"))["newest"] or 0


def _connect(shop: dict[str, Any]) -> None:
    external_id = f"{PREFIX}{shop['database']}"
    known = Connection.objects.filter(external_id=external_id).first()
    values = {
        "odoo_url": shop["url"],
        "database": shop["database"],
        "username": shop["username"],
        "api_key": shop["api_key"],
        "webhook_url": shop["webhook_url"],
        "webhook_secret": shop["webhook_secret"],
    }
    if known is not None and _is_current(known, values):
        return
    if known is None:
        values |= {
            "name": f"Sandbox: Odoo {shop['version']} ({shop['name']})",
            "external_id": external_id,
            "poll_interval_seconds": POLL_SECONDS,
            "start": Start.ALL,
        }
    form = filled(known, values)
    if not form.is_valid():
        raise CommandError(f"{external_id}: {form.errors.as_text()}")
    form.save()


def _is_current(connection: Connection, values: dict[str, Any]) -> bool:
    stored = {name: getattr(connection, name) for name in values}
    stored |= {name: stored[name].reveal() for name in ("api_key", "webhook_secret")}
    return stored == values
