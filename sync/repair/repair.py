"""Bring the ledger up to what Odoo has, the normal way: a version is owed, delivered and logged."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from sync import ledger
from sync.ledger import Found
from sync.models import RetryItem
from sync.orders import Change, Order, Unreadable
from sync.polling.first_run import taken_over
from sync.polling.read import read_whole
from sync.polling.turn import Turn

READ_AT_ONCE = 200


def reread(mine: Turn, changes: Sequence[Change], *, held: Collection[int] = ()) -> list[RetryItem]:
    """Read these orders whole, compare their content with the ledger, and owe what differs.

    `held`: of those that nobody knows yet, the ones that a person has to decide on first.
    """
    items: list[RetryItem] = []
    for start in range(0, len(changes), READ_AT_ONCE):
        wanted = {change.order_id: change for change in changes[start : start + READ_AT_ONCE]}
        orders, sure_until = read_whole(mine.source, list(wanted))
        found = [_found(mine, wanted[order.order_id], order, sure_until) for order in orders]
        found = [replace(each, held=each.order_id in held) for each in found]
        with mine.writing() as now:
            items += ledger.owe(found, now)
    return items


def reread_owed_before(mine: Turn) -> list[RetryItem]:
    """Read what another poller owed and owe it anew. What Odoo no longer shows needs a person."""
    marks = ledger.owed_before(mine.connection.pk).order_by("order_id")
    items: list[RetryItem] = []
    while rows := list(marks.values_list("order_id", "write_date")[:READ_AT_ONCE]):
        items += reread(mine, [Change(order_id, stamp, "sale") for order_id, stamp in rows])
        ledger.fail_imported(mine.connection.pk, [order_id for order_id, _ in rows])
    return items


def cancel_gone(mine: Turn, order_ids: Sequence[int]) -> list[RetryItem]:
    """Tell the receiver that these orders are no longer confirmed in Odoo: deleted, or quotations again."""
    if not order_ids:
        return []
    items: list[RetryItem] = []
    connections = {mine.connection.pk: mine.connection}
    for start in range(0, len(order_ids), READ_AT_ONCE):
        keys = [(mine.connection.pk, order_id) for order_id in order_ids[start : start + READ_AT_ONCE]]
        with mine.writing() as now:
            items += ledger.owe(list(ledger.endings(keys, connections, now).values()), now)
    return items


def _found(mine: Turn, change: Change, order: Order | Unreadable, sure_until: datetime | None) -> Found:
    if isinstance(order, Unreadable):
        before = mine.start.is_before(change.order_id, change.date_order)
        return Found.unreadable(mine.connection, change, order.reason, before_start=before)
    before = mine.start.is_before(order.order_id, order.date_order)
    earlier = taken_over(mine.start.taken_over_until, order)
    return Found.of(mine.connection, order, sure_until=sure_until, before_start=before, taken_over=earlier)
