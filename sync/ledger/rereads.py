"""Orders that wait to be read again, or for a person's word."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Exists, OuterRef

from sync.models import PollState, RetryItem, SeenOrder
from sync.orders import Change


def rereads(connection_ids: Iterable[int]) -> dict[int, list[Change]]:
    """Orders that are to be read again whatever the source lists, of which nothing waits to be delivered."""
    marked = SeenOrder.objects.filter(connection__in=set(connection_ids), reread=True)
    waiting = RetryItem.objects.pending().filter(
        connection=OuterRef("connection"), order_id=OuterRef("order_id")
    )
    found: dict[int, list[Change]] = {}
    rows = marked.exclude(Exists(waiting)).order_by("order_id")
    for number, order_id, at, state in rows.values_list("connection", "order_id", "write_date", "state"):
        found.setdefault(number, []).append(Change(order_id, at, state))
    return found


def reread_done(connection_id: int, order_ids: Iterable[int]) -> None:
    """These were asked for again, whether or not they are still there. The caller holds `lock`."""
    marked = SeenOrder.objects.filter(connection=connection_id, reread=True)
    marked.filter(order_id__in=list(order_ids)).update(reread=False)
    PollState.objects.filter(connection=connection_id).update(has_rereads=marked.exists())


def forget_rereads(connection_ids: Iterable[int]) -> None:
    """Let polls look no longer where no order is marked any more: something else has read it."""
    for connection_id in connection_ids:
        if not SeenOrder.objects.filter(connection=connection_id, reread=True).exists():
            PollState.objects.filter(connection=connection_id).update(has_rereads=False)


def send_held(connection_id: int) -> int:
    """A person's word: read what was held with the next poll and send it. Returns how many orders."""
    held = SeenOrder.objects.filter(connection=connection_id, held=True)
    return held.update(held=False, reread=True)


def leave_held(connection_id: int) -> int:
    """A person's word: what was held counts as from before the start. Returns how many orders."""
    return SeenOrder.objects.filter(connection=connection_id, held=True).update(held=False, seeded=True)
