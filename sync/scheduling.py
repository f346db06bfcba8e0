"""What is due, claimed by lease: the same for the tick, the minute's schedule and `runpoller --once`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from connections import leases
from connections.models import odoo_lease_key
from sync.models import PollState

Claim = tuple[str, list[int]]  # token, connections


@transaction.atomic
def claim_polls(now: datetime, limit: int, *, among: Iterable[int] | None = None) -> Claim:
    """Take up to `limit` connections that are due for a poll and whose Odoo database nobody is reading."""
    due = PollState.objects.poll_due(now)
    if among is not None:
        due = due.filter(connection__in=among)
    rows = due.values_list("connection_id", "connection__odoo_url", "connection__database")[:limit]
    keys = {pk: odoo_lease_key(url, database) for pk, url, database in rows}
    token, held = _claim(keys, now)
    ours = _in_one_batch(held, keys)
    _push_on("next_poll_at", ours, now)
    return token, ours


@transaction.atomic
def claim_deliveries(now: datetime, limit: int, *, among: Iterable[int] | None = None) -> Claim:
    """Take up to `limit` connections that owe something due and whose receiver nobody is serving."""
    due = PollState.objects.delivery_due(now)
    if among is not None:
        due = due.filter(connection__in=among)
    ids = due.values_list("connection_id", flat=True)[:limit]
    token, ours = _claim({pk: f"webhook:{pk}" for pk in ids}, now)
    _push_on("deliver_at", ours, now)
    return token, ours


def claim_deep_checks(now: datetime, limit: int) -> list[int]:
    return _take_over("deep_check_at", PollState.objects.deep_check_due(now), now, limit)


def claim_reconciliations(now: datetime, limit: int) -> list[int]:
    return _take_over("reconcile_at", PollState.objects.reconciliation_due(now), now, limit)


def _take_over(column: str, due: QuerySet[PollState], now: datetime, limit: int) -> list[int]:
    """Connections whose check is due; due again in ten minutes should it never be done.

    No lease yet: the check takes its turn itself, and one that runs twice finds nothing the second time.
    """
    ids = list(due.values_list("connection_id", flat=True)[:limit])
    mine = PollState.objects.filter(connection__in=ids, **{f"{column}__lte": now})
    mine.update(**{column: now + timedelta(minutes=10)})
    return ids


def _claim(keys: dict[int, str], now: datetime) -> Claim:
    token = leases.new_token()
    held = leases.claim(keys.values(), token, now=now)
    return token, [pk for pk, key in keys.items() if key in held]


def _in_one_batch(ids: list[int], keys: dict[int, str]) -> list[int]:
    """Without those whose lease goes to an earlier task: they stay due, and the next tick takes them."""
    chosen: list[int] = []
    batches: dict[str, int] = {}
    for pk in ids:
        batch = len(chosen) // settings.BATCH_SIZE
        if batches.setdefault(keys[pk], batch) == batch:
            chosen.append(pk)
    return chosen


def _push_on(column: str, ids: list[int], now: datetime) -> None:
    # A worker that dies leaves its connections due again exactly when its leases end.
    lease_end = now + timedelta(seconds=leases.LEASE_SECONDS)
    if ids:
        PollState.objects.filter(connection__in=ids).update(**{column: lease_end})
