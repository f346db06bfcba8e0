"""Resend on a person's word: read the orders afresh from Odoo and owe them again as replays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from time import monotonic, sleep

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from connections import leases
from connections.errors import Contract, RemoteError, on_side
from connections.models import Connection
from connections.odoo.client import connect
from connections.odoo.server import Server
from sync import ledger
from sync.ledger import Found
from sync.models import LogKind, PollState, RetryItem, SeenOrder, SyncLog
from sync.orders import Order
from sync.sources.odoo import WANTED, OdooSource

WAIT_SECONDS = 30


class Busy(Exception):
    """Somebody else is reading this Odoo database and did not finish in time."""


class NoSuchOrder(LookupError):
    """The names of orders that the shop does not have."""


def resend(
    connection: Connection,
    *,
    order_ids: Sequence[int] | None = None,
    names: Sequence[str] | None = None,
    last: int | None = None,
    clock: Callable[[], datetime] = timezone.now,
) -> list[RetryItem]:
    """Owe these orders again, as Odoo has them now: a new version and a fresh event each, marked as replay.

    Choose by Odoo ids, by names, or the `last` so many that we know of. The tick delivers them. Raises
    RemoteError, Busy, or NoSuchOrder with the names.
    """
    PollState.objects.create_missing(clock())
    token = _take_turn(connection, clock)
    began = clock()
    try:
        client = connect(connection, _remembered(connection), now=began, wanted=WANTED)
        orders = _read(OdooSource(client, connection.company_id), connection, order_ids, names, last)
        with transaction.atomic():
            _still_ours(connection, token, clock())
            found = [Found.of(connection, order, replay=True) for order in orders]
            items = ledger.owe(found, clock())
            SyncLog.objects.create(
                connection=connection,
                kind=LogKind.RESEND,
                started_at=began,
                finished_at=clock(),
                orders_found=len(orders),
                calls=client.calls,
            )
        return items
    except RemoteError as error:
        raise on_side("odoo", error) from None
    finally:
        leases.release([connection.odoo_lease_key], token)


def latest(connection: Connection, count: int) -> list[int]:
    """Odoo ids of the orders that were written last, of those we know."""
    rows = SeenOrder.objects.filter(connection=connection).exclude(state="cancel")
    return list(rows.order_by("-write_date", "-order_id").values_list("order_id", flat=True)[:count])


def _read(
    source: OdooSource,
    connection: Connection,
    order_ids: Sequence[int] | None,
    names: Sequence[str] | None,
    last: int | None,
) -> list[Order]:
    wanted = list(order_ids or [])
    if names:
        by_name = source.find(names)
        missing = [name for name in names if name not in by_name]
        if missing:
            raise NoSuchOrder(", ".join(missing))
        wanted += by_name.values()
    if last:
        wanted += latest(connection, last) or source.newest(last)
    read = source.read(wanted)
    unreadable = [order for order in read if not isinstance(order, Order)]
    if unreadable:
        raise Contract("odoo_unreadable_order", unreadable[0].reason)
    orders = {order.order_id: order for order in read if isinstance(order, Order)}
    gone = [str(order_id) for order_id in wanted if order_id not in orders]
    if gone:
        raise NoSuchOrder(_("Odoo no longer has the orders with ids %s") % ", ".join(gone))
    return [orders[order_id] for order_id in dict.fromkeys(wanted)]


def _take_turn(connection: Connection, clock: Callable[[], datetime]) -> str:
    """The lease of the Odoo database, waiting for a poll under way to end."""
    token, deadline = leases.new_token(), monotonic() + WAIT_SECONDS
    while not leases.claim([connection.odoo_lease_key], token, now=clock(), seconds=120):
        if monotonic() > deadline:
            raise Busy(connection.name)
        sleep(0.2)
    return token


def _still_ours(connection: Connection, token: str, now: datetime) -> None:
    if not leases.renew([connection.odoo_lease_key], token, now=now):
        raise Busy(connection.name)
    ledger.lock([connection.pk])


def _remembered(connection: Connection) -> Server | None:
    stored = PollState.objects.filter(connection=connection).values_list("server", flat=True).first()
    return Server.from_json(stored or {})
