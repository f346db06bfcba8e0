"""Delete a connection with all that is known of it."""

from typing import Any

from django.db.models import QuerySet

from connections.models import Connection
from sync.models import DeliveryAttempt, RetryItem, SeenOrder, SentOrder, SyncLog

CHUNK = 2000
# What refers to others goes before them; what keeps an order from being sent twice goes last.
KNOWN = (DeliveryAttempt, RetryItem, SyncLog, SentOrder, SeenOrder)


def remove(connection: Connection) -> None:
    """Stop it, then delete in small steps, so that a long history does not keep others from writing.

    Stopped halfway it leaves a disabled connection that can be removed again.
    """
    Connection.objects.filter(pk=connection.pk).update(enabled=False)
    for model in KNOWN:
        rows: QuerySet[Any] = model._default_manager.filter(connection=connection).order_by("pk")
        while ids := list(rows.values_list("pk", flat=True)[:CHUNK]):
            model._default_manager.filter(pk__in=ids).delete()
    connection.delete()
