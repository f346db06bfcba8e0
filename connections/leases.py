"""Leases: one worker at a time on one thing, and whoever has lost a lease writes nothing."""

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db import connection

from connections.models import Lease

LEASE_SECONDS = 60
RENEW_SECONDS = 10

_CLAIM = """
    INSERT INTO connections_lease (key, token, until) VALUES {rows}
    ON CONFLICT (key) DO UPDATE SET token = excluded.token, until = excluded.until
    WHERE connections_lease.until <= %s
    RETURNING key
"""


def new_token() -> str:
    return secrets.token_hex(16)


def claim(keys: Iterable[str], token: str, *, now: datetime, seconds: float = LEASE_SECONDS) -> set[str]:
    """Take every free lease among `keys` in one statement; returns the keys that are now ours."""
    wanted = sorted(set(keys))  # one order for everybody, so that two claims cannot block each other
    if not wanted:
        return set()
    moment = connection.ops.adapt_datetimefield_value
    until = moment(now + timedelta(seconds=seconds))
    values = [value for key in wanted for value in (key, token, until)]
    statement = _CLAIM.format(rows=", ".join(["(%s, %s, %s)"] * len(wanted)))
    with connection.cursor() as cursor:
        cursor.execute(statement, [*values, moment(now)])
        return {row[0] for row in cursor.fetchall()}


def renew(keys: Iterable[str], token: str, *, now: datetime, seconds: float = LEASE_SECONDS) -> set[str]:
    """Hold on to our leases; returns those still ours.

    Called first in a transaction it is the fence: the rows stay locked until the commit, so nobody can
    take a lease over while its holder writes.
    """
    ours = Lease.objects.filter(key__in=set(keys), token=token, until__gt=now)
    held = set(ours.select_for_update().values_list("key", flat=True))
    if held:
        Lease.objects.filter(key__in=held, token=token).update(until=now + timedelta(seconds=seconds))
    return held


def take_over(keys: Iterable[str], token: str, mine: str, *, now: datetime) -> set[str]:
    """Make leases our own that were claimed for us with `token`; returns those. Inside a transaction.

    What a task does first: run twice, even at the same moment, it gets them once.
    """
    claimed = Lease.objects.filter(key__in=set(keys), token=token, until__gt=now)
    held = set(claimed.select_for_update().order_by("key").values_list("key", flat=True))
    until = now + timedelta(seconds=LEASE_SECONDS)
    Lease.objects.filter(key__in=held).update(token=mine, until=until)
    return held


def release(keys: Iterable[str], token: str) -> None:
    """Give leases back at once."""
    Lease.objects.filter(key__in=set(keys), token=token).delete()


def release_each(free_at: Mapping[str, datetime | None], token: str) -> None:
    """Give leases back: at once, or to end at a moment where a rate limit asks for a pause."""
    release((key for key, at in free_at.items() if at is None), token)
    for key, at in free_at.items():
        if at is not None:
            Lease.objects.filter(key=key, token=token).update(until=at)
