"""What the old poller's rows prove: what counts as sent, what is owed, where to read from. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from sync.legacy.database import OldRetry, OldSent, OldShop

# It forgets all but so many sent orders of a connection: fewer rows than that are all there ever were.
KEPT = 30
# Orders it delivered and forgot are made known this far back, so that their changes are told.
FOLLOWED = timedelta(days=60)
SECOND = timedelta(seconds=1)  # its moments are whole ones


class Fate(StrEnum):
    OWED = "owed"  # it was still trying: read again and sent
    GAVE_UP = "gave_up"  # its tries ran out: a person decides
    DISCARDED = "discarded"  # a person gave it up


@dataclass(frozen=True, slots=True)
class Told:
    """A version that the receiver has from the old poller."""

    write_date: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Untold:
    """A version that it does not have."""

    fate: Fate
    write_date: datetime
    since: datetime
    attempts: int
    error: str


@dataclass(slots=True)
class OrderHistory:
    """One order: versions sent, oldest first, and at most one after them that was not."""

    order_id: int
    name: str
    told: list[Told] = field(default_factory=list)
    untold: Untold | None = None


@dataclass(slots=True)
class History:
    """One shop. `overtaken` counts retries that newer deliveries had made pointless.

    Reading begins at `read_from`; orders confirmed before are none of ours (None: it never polled this shop).
    Unknown orders written up to `told_until` count as delivered, those written later were missed and are
    sent (None: its memory is whole, so every unknown one was missed).
    """

    orders: list[OrderHistory]
    overtaken: int
    read_from: datetime | None
    told_until: datetime | None

    def count(self, fate: Fate) -> int:
        return sum(order.untold is not None and order.untold.fate is fate for order in self.orders)

    @property
    def told(self) -> int:
        return sum(bool(order.told) for order in self.orders)


def history_of(shop: OldShop, *, look_back: timedelta) -> History:
    orders: dict[int, OrderHistory] = {}
    registered = _only_registered(shop, look_back)
    for sent in registered:
        orders[sent.order_id] = OrderHistory(sent.order_id, sent.name, untold=_never_tried(sent))
    for sent in [*(row for row in shop.sent if row not in registered), *_sent_by_retry(shop.retries)]:
        order = orders.setdefault(sent.order_id, OrderHistory(sent.order_id, sent.name))
        if all(told.write_date != sent.write_date for told in order.told):
            order.told.append(Told(sent.write_date, sent.sent_at))
    for order in orders.values():
        order.told.sort(key=lambda told: told.write_date)
        order.untold = None if order.told else order.untold  # listed first, and sent later on
    overtaken = _add_untold(orders, shop.retries)
    read_from, told_until = _start_line(shop, look_back)
    return History(list(orders.values()), overtaken, read_from, told_until)


def _only_registered(shop: OldShop, look_back: timedelta) -> list[OldSent]:
    """What is listed as sent and never was: orders of a shop that was empty when the old poller began."""
    sight, created_at, reached = shop.connection.first_sight, shop.connection.created_at, _reached(shop)
    if sight is None or created_at is None or reached is None:
        return []
    began, ended = sight
    since = max(created_at, reached - look_back)
    tried = {retry.order_id for retry in shop.retries}
    found = [row for row in shop.sent if row.sent_at and began <= row.sent_at <= ended + SECOND]
    return [row for row in found if row.write_date > since and row.order_id not in tried]


def _never_tried(sent: OldSent) -> Untold:
    return Untold(Fate.OWED, sent.write_date, sent.sent_at or sent.write_date, 0, "")


def _reached(shop: OldShop) -> datetime | None:
    sent_at = max((row.sent_at for row in shop.sent if row.sent_at), default=None)
    return shop.connection.last_sync_at or sent_at


def _sent_by_retry(retries: Iterable[OldRetry]) -> list[OldSent]:
    """Without a stamp the payload was at least as new as the row."""
    rows = [(r, r.write_date or r.created_at or r.updated_at) for r in retries if r.status == "sent"]
    return [OldSent(r.order_id, r.name, stamp, r.updated_at) for r, stamp in rows if stamp is not None]


def _add_untold(orders: dict[int, OrderHistory], retries: Iterable[OldRetry]) -> int:
    """The newest unsent row of each order, if nothing newer was sent; returns how many were passed over."""
    newest: dict[int, OldRetry] = {}
    overtaken = 0
    for retry in retries:
        if retry.status == "sent":
            continue
        overtaken += retry.order_id in newest
        newest[retry.order_id] = retry
    for retry in newest.values():
        order = orders.setdefault(retry.order_id, OrderHistory(retry.order_id, retry.name))
        if _is_overtaken(retry, order):
            overtaken += 1
        else:
            order.untold = _untold(retry)
    return overtaken


def _is_overtaken(retry: OldRetry, order: OrderHistory) -> bool:
    if not order.told:
        return False
    if retry.write_date is not None:
        return retry.write_date <= order.told[-1].write_date
    sent_at = max((told.sent_at for told in order.told if told.sent_at), default=None)
    return sent_at is not None and retry.created_at is not None and sent_at >= retry.created_at


def _untold(retry: OldRetry) -> Untold:
    fate = Fate.OWED
    if retry.status != "pending":
        fate = Fate.GAVE_UP if retry.attempts >= retry.max_attempts else Fate.DISCARDED
    since = retry.created_at or retry.updated_at or datetime.fromisoformat("1970-01-01T00:00:00+00:00")
    return Untold(fate, retry.write_date or since, since, retry.attempts, retry.last_error)


def _start_line(shop: OldShop, look_back: timedelta) -> tuple[datetime | None, datetime | None]:
    """`read_from` and `told_until`. What committed late it lost, so its watermark is not to be trusted."""
    connection = shop.connection
    reached = _reached(shop)
    if reached is None:
        return None, None
    first_day = connection.created_at or reached - look_back
    proved_from = _proved_from(shop)
    if proved_from is None:
        return max(first_day, reached - look_back), None
    return max(first_day, reached - max(look_back, FOLLOWED)), max(proved_from, reached - look_back)


def _proved_from(shop: OldShop) -> datetime | None:
    """From when on every delivery is surely remembered; None when all are.

    It keeps the latest deliveries. Where they went out in the order of their stamps, everything stamped after
    the oldest one kept is known; else only what was written after that one was sent.
    """
    sent = shop.sent
    if len(sent) < KEPT and shop.connection.sent_in_logs <= len(sent):
        return None
    if not sent:
        return shop.connection.last_sync_at
    oldest = min(row.write_date for row in sent)
    if all(one.write_date <= later.write_date for one, later in pairwise(sent)):
        return oldest
    return min((row.sent_at for row in sent if row.sent_at), default=oldest)
