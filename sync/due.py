"""What is due, claimed by lease: the same for the tick, the minute's schedule and `runpoller --once`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from connections import leases
from connections.models import odoo_lease_key
from sync.models import PollState, Run, RunKind

_DUE = """
    SELECT EXISTS (SELECT 1 FROM sync_pollstate AS state
                   JOIN connections_connection AS shop ON shop.id = state.connection_id AND shop.enabled = %s
                   WHERE state.hold = '' AND (state.next_poll_at <= %s OR state.nudged_at IS NOT NULL)),
           EXISTS (SELECT 1 FROM sync_pollstate AS state
                   JOIN connections_connection AS shop ON shop.id = state.connection_id AND shop.enabled = %s
                   WHERE state.hold = '' AND state.deliver_at <= %s)
"""
_PUSH_ON = """
    UPDATE sync_pollstate SET {column} = %s
    WHERE connection_id IN (SELECT connection_id FROM sync_pollstate
                            WHERE connection_id IN ({places}) AND {column} <= %s
                            ORDER BY connection_id {for_update})
    RETURNING connection_id
"""

Claim = tuple[str, list[int]]  # token, connections

RUNS_LOOKED_AT = 20  # somebody may work on the first ones


def due_kinds(now: datetime) -> tuple[bool, bool]:
    """Whether polls and whether deliveries may be due: one cheap look, which every second can afford.

    Of paused sides it says yes too; the claim itself knows better.
    """
    moment = connection.ops.adapt_datetimefield_value(now)
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [True, moment, True, moment])
        polls, deliveries = cursor.fetchone()
    return bool(polls), bool(deliveries)


def claim_polls(now: datetime, limit: int, *, among: Iterable[int] | None = None) -> Claim:
    """Take up to `limit` connections that are due for a poll and whose Odoo database nobody is reading."""
    PollState.objects.apply_nudges(now)
    due = PollState.objects.poll_due(now)
    if among is not None:
        due = due.filter(connection__in=among)
    rows = due.values_list("connection_id", "connection__odoo_url", "connection__database")[:limit]
    return _claim("next_poll_at", {pk: odoo_lease_key(url, database) for pk, url, database in rows}, now)


def claim_deliveries(now: datetime, limit: int, *, among: Iterable[int] | None = None) -> Claim:
    """Take up to `limit` connections that owe something due and whose receiver nobody is serving."""
    due = PollState.objects.delivery_due(now)
    if among is not None:
        due = due.filter(connection__in=among)
    ids = due.values_list("connection_id", flat=True)[:limit]
    return _claim("deliver_at", {pk: f"webhook:{pk}" for pk in ids}, now)


def claim_runs(now: datetime, limit: int, *, kinds: Iterable[str] = tuple(RunKind.values)) -> list[Claim]:
    """Take up to `limit` runs whose next step is due and on which nobody works; a claim for each."""
    found: list[Claim] = []
    for run in Run.objects.due(now).filter(kind__in=kinds)[:RUNS_LOOKED_AT]:
        token = leases.new_token()
        if len(found) < limit and leases.claim([run.lease_key], token, now=now):
            found.append((token, [run.pk]))
    return found


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


def _claim(column: str, keys: dict[int, str], now: datetime) -> Claim:
    """Of these connections, with their lease keys, those that are ours and still due."""
    token = leases.new_token()
    if not keys:
        return token, []
    with transaction.atomic():
        held = leases.claim(keys.values(), token, now=now)
        chosen = _in_one_batch([pk for pk, key in keys.items() if key in held], keys)
        due = _push_on(column, chosen, now)
        ours = [pk for pk in chosen if pk in due]  # another host may have been there since we looked
        leases.release(held - {keys[pk] for pk in ours}, token)
    return token, ours


def _in_one_batch(ids: list[int], keys: dict[int, str]) -> list[int]:
    """Without those whose lease goes to an earlier task: they stay due, and the next tick takes them."""
    chosen: list[int] = []
    batches: dict[str, int] = {}
    for pk in ids:
        batch = len(chosen) // settings.BATCH_SIZE
        if batches.setdefault(keys[pk], batch) == batch:
            chosen.append(pk)
    return chosen


def _push_on(column: str, ids: list[int], now: datetime) -> set[int]:
    """Returns those that were due. A worker that dies leaves them due again exactly when its leases end."""
    if not ids:
        return set()
    moment = connection.ops.adapt_datetimefield_value
    lease_end = moment(now + timedelta(seconds=leases.LEASE_SECONDS))
    for_update = "FOR UPDATE" if connection.features.has_select_for_update else ""
    statement = _PUSH_ON.format(column=column, places=", ".join(["%s"] * len(ids)), for_update=for_update)
    with connection.cursor() as cursor:
        cursor.execute(statement, [lease_end, *ids, moment(now)])
        return {row[0] for row in cursor.fetchall()}
