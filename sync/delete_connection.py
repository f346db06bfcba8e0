"""Delete a connection with all that is known of it."""

from connections.models import Connection
from core.background.bulk import delete_in_steps
from sync import ledger
from sync.models import SyncLog


def remove(connection: Connection) -> None:
    """Stop it, then delete in small steps, so that a long history does not keep others from writing.

    Stopped halfway it leaves a disabled connection that can be removed again.
    """
    Connection.objects.filter(pk=connection.pk).update(enabled=False)
    delete_in_steps(SyncLog.objects.filter(connection=connection))
    ledger.delete_all(connection.pk)
    connection.delete()
