"""Everything of one connection leaves the ledger, in small steps."""

from __future__ import annotations

from core.background.bulk import delete_in_steps
from sync.models import DeliveryAttempt, RetryItem, SeenOrder, SentOrder


def delete_all(connection_id: int) -> None:
    """What refers to others goes before them; what keeps an order from being sent twice goes last."""
    for model in (DeliveryAttempt, RetryItem, SentOrder, SeenOrder):
        delete_in_steps(model._default_manager.filter(connection=connection_id))
