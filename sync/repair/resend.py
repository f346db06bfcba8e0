"""Resend on a person's word: read the orders afresh from Odoo and owe them again as replays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from django.utils import timezone

from connections.errors import Contract
from connections.models import Connection
from sync import ledger
from sync.ledger import Found
from sync.ledger.names import ids_by_name
from sync.models import LogKind, RetryItem, SeenOrder, SyncLog
from sync.orders import Order, SeveralOrders
from sync.polling.database_identity import require_no_other
from sync.polling.read import read_whole
from sync.polling.turn import Busy, Turn, turn

__all__ = ["Busy", "NoSuchOrder", "SeveralOrders", "latest", "resend"]


class NoSuchOrder(LookupError):
    """The names, or ids, of orders that the shop does not have."""

    def __init__(self, *missing: str) -> None:
        super().__init__(", ".join(missing))
        self.missing = missing


def resend(
    connection: Connection,
    *,
    order_ids: Sequence[int] | None = None,
    names: Sequence[str] | None = None,
    last: int | None = None,
    clock: Callable[[], datetime] = timezone.now,
    also: Callable[[], None] = lambda: None,
    in_background: bool = False,
) -> list[RetryItem]:
    """Owe these orders again, as Odoo has them now: a new version and a fresh event each, marked as replay.

    Choose by Odoo ids, by names, or the `last` so many that we know of. The tick delivers them. `also` is
    done in the same transaction. Raises RemoteError, Busy, NoSuchOrder with the names, or SeveralOrders
    where a name means more than one.
    """
    with turn(connection, clock=clock, in_background=in_background) as mine:
        require_no_other(mine)
        wanted = _wanted(mine, order_ids, names, last)
        found = _read(mine, wanted)
        with mine.writing() as now:
            items = ledger.owe(found, now)
            also()
            SyncLog.objects.create(
                connection=connection,
                kind=LogKind.RESEND,
                started_at=mine.began,
                finished_at=now,
                orders_found=len(found),
                calls=mine.client.calls,
            )
    return items


def latest(connection: Connection, count: int) -> list[int]:
    """Odoo ids of the orders that were written last, of those we know."""
    rows = SeenOrder.objects.filter(connection=connection).exclude(state="cancel")
    return list(rows.order_by("-write_date", "-order_id").values_list("order_id", flat=True)[:count])


def _wanted(
    mine: Turn, order_ids: Sequence[int] | None, names: Sequence[str] | None, last: int | None
) -> list[int]:
    wanted = list(order_ids or [])
    if names:
        by_name = mine.source.find(names, once=ids_by_name(mine.connection.pk, names))
        missing = [name for name in names if name not in by_name]
        if missing:
            raise NoSuchOrder(*missing)
        wanted += by_name.values()
    if last:
        wanted += latest(mine.connection, last) or mine.source.newest(last)
    return list(dict.fromkeys(wanted))


def _read(mine: Turn, wanted: Sequence[int]) -> list[Found]:
    """All of these, or none: a person asked for each."""
    read, sure_until = read_whole(mine.source, wanted)
    orders: dict[int, Found] = {}
    for order in read:
        if not isinstance(order, Order):
            raise Contract("odoo_unreadable_order", order.reason)
        orders[order.order_id] = Found.of(mine.connection, order, sure_until=sure_until, replay=True)
    gone = [str(order_id) for order_id in wanted if order_id not in orders]
    if gone:
        raise NoSuchOrder(*gone)
    return [orders[order_id] for order_id in wanted]
