"""Another language of a connection: saved so that open orders are sent again in it, or so that none is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction

from connections import leases
from connections.forms import ConnectionForm
from connections.models import Connection
from sync import ledger
from sync.models import PollState


@contextmanager
def saving(forms: Iterable[ConnectionForm], now: datetime) -> Iterator[None]:
    """Save these valid forms in here."""
    changing = [form for form in forms if form.language_changes]
    with without_sending([form.instance.pk for form in changing if form.keeps_language]):
        yield
    # Open orders are read at once, not within the hour.
    begun = PollState.objects.filter(connection__in=[form.instance.pk for form in changing])
    begun.filter(window_to__isnull=False).update(deep_check_at=now, deep_after_id=None)


@contextmanager
def without_sending(connection_ids: list[int]) -> Iterator[None]:
    """What the receivers of these have stays as it is until it changes in Odoo.

    What is being read in the former language is lost, else it would be compared with the new one.
    """
    with transaction.atomic():
        stored = Connection.objects.without_secrets().filter(pk__in=connection_ids)
        leases.revoke([connection.odoo_lease_key for connection in stored])
        yield
        for connection_id in ledger.lock(connection_ids):
            ledger.know_by_stamp(connection_id)
