"""Nudge: a caller that knows a connection's token may ask for it to be polled at once. A hint, never data."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db.models import Q

from connections.models import Connection
from connections.secrets.fields import reveal
from sync.models import NudgeToken, PollState

APART = timedelta(seconds=1)  # what comes closer together is one nudge


def nudge(token: str, now: datetime) -> None:
    """Have the connection of this token polled by the next tick; an unknown token does nothing."""
    digest = _digest(token)
    if not cache.add(f"nudge:{digest}", 1, timeout=APART.total_seconds()):
        return  # the same look will do for both
    row = NudgeToken.objects.filter(digest=digest).only("digest", "connection_id").first()
    if row is None or not hmac.compare_digest(row.digest, digest):
        return
    quiet = Q(nudged_at__isnull=True) | Q(nudged_at__lte=now - APART)
    PollState.objects.filter(quiet, connection=row.connection_id).update(nudged_at=now)


def token_of(connection: Connection, now: datetime) -> str:
    """The connection's token; made when it is first asked for."""
    row = NudgeToken.objects.filter(connection=connection).first()
    return str(reveal(row.token)) if row is not None else renew(connection, now)


def renew(connection: Connection, now: datetime) -> str:
    """A new token. The old one is worth nothing from now on."""
    token = secrets.token_urlsafe(32)
    NudgeToken.objects.update_or_create(
        connection=connection, defaults={"token": token, "digest": _digest(token), "created_at": now}
    )
    return token


def nudge_path(token: str) -> str:
    return f"/nudge/{token}/"


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
