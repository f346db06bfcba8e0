"""Limits to what a source may say at once before a person is asked: pure numbers."""

from __future__ import annotations

from connections.models import Connection

ALL_FROM = 3  # so many orders gone are too many where they are all there were
MOST_OLD_ORDERS = 50
MOST_OLD_ORDERS_PERCENT = 20


def too_many_gone(connection: Connection, gone: int, covered: int) -> bool:
    """`gone` of the `covered` orders that a check looked at are to be announced as cancelled."""
    if gone >= ALL_FROM and gone >= covered:
        return True
    share = gone * 100 > connection.most_disappearances_percent * covered
    return gone > connection.most_disappearances and share


def too_many_old(old: int, open_orders: int) -> bool:
    """`old` orders that nobody knows, dated before the window, against those the receiver knows as open."""
    return old > MOST_OLD_ORDERS and old * 100 > MOST_OLD_ORDERS_PERCENT * open_orders
