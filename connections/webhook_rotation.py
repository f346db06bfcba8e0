"""Changing a webhook secret: the old one signs beside the new one for a while, or ends at once."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from connections.models import Connection, RetiredSecret
from connections.secrets.fields import Secret, reveal

MOST_HOURS = 30 * 24


def usual_overlap() -> timedelta:
    return timedelta(hours=min(settings.SECRET_OVERLAP_HOURS, MOST_HOURS))


@transaction.atomic
def rotate(connection: Connection, secret: str, *, overlap: timedelta, by: str, now: datetime) -> None:
    """Put a new secret in force; the one before signs on for `overlap`. Writes nothing else of the row."""
    retire(connection, secret, overlap=overlap, by=by, now=now)
    connection.webhook_secret = Secret(secret)  # type: ignore[assignment]  # the field is not typed
    connection.save(update_fields=["webhook_secret", "updated_at"])


@transaction.atomic
def retire(connection: Connection, successor: str, *, overlap: timedelta, by: str, now: datetime) -> None:
    """What happens to the stored secret when `successor` takes its place.

    No overlap: it and all older ones end now. A successor that is one of the old ones is old no more.
    """
    before = _stored(connection)
    if not overlap or before is None:
        connection.retired_secrets.all().delete()
        return
    for old in connection.retired_secrets.all():
        if reveal(old.secret) in (successor, before):
            old.delete()
    if before and before != successor:
        RetiredSecret.objects.create(
            connection=connection,
            secret=Secret(before),
            valid_until=now + overlap,
            retired_at=now,
            retired_by=by[:150],
        )


def _stored(connection: Connection) -> str | None:
    """The secret in force; None when no key can read it, so that typing a new one is always a way out."""
    rows = Connection.objects.select_for_update().filter(pk=connection.pk)
    try:
        secret = rows.values_list("webhook_secret", flat=True).get()
        for old in connection.retired_secrets.all():
            reveal(old.secret)
        return str(reveal(secret))
    except ImproperlyConfigured:
        return None
