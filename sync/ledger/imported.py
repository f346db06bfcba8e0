"""What another poller sent and owed, as rows that were made of its file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import QuerySet

from sync.models import RetryItem, SeenOrder, SentOrder, Status

OWED_BEFORE = "legacy_owed"


def add_imported(seen: Sequence[SeenOrder], sent: Sequence[SentOrder], items: Sequence[RetryItem]) -> None:
    """The caller holds `lock` and knows that none of these orders is there yet."""
    SeenOrder.objects.bulk_create(seen)
    SentOrder.objects.bulk_create(sent)
    RetryItem.objects.bulk_create(items)


def forget_imported(connection_id: int) -> None:
    """Undo `add_imported` on a connection that was never polled here."""
    for model in (SeenOrder, SentOrder, RetryItem):
        model._default_manager.filter(connection=connection_id).delete()


def owed_before(connection_id: int) -> QuerySet[RetryItem]:
    """What another poller owed, not read anew yet."""
    return RetryItem.objects.filter(connection=connection_id, status=Status.FAILED, error_code=OWED_BEFORE)


def fail_imported(connection_id: int, order_ids: Iterable[int]) -> int:
    """What still stands as the other poller left it needs a person: Odoo shows these orders no longer."""
    return owed_before(connection_id).filter(order_id__in=list(order_ids)).update(error_code="legacy_gone")
