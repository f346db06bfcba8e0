"""Whole orders, and up to which second we can be sure of what was read of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sync.orders import Order, Unreadable
from sync.polling import window
from sync.sources.odoo.source import OdooSource


def read_whole(
    source: OdooSource, order_ids: Sequence[int]
) -> tuple[list[Order | Unreadable], datetime | None]:
    """The orders, and a second on the server's clock that was over when their reading began.

    Stamps are whole seconds: an order written in a later one may be written again without a new stamp.
    Raises RemoteError.
    """
    client, began = source.client, source.client.now()
    orders = source.read(order_ids)
    if client.server_time is None:
        return orders, None
    return orders, window.read_at(client.server_time, (client.now() - began).total_seconds())
