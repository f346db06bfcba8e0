"""Leases: one worker at a time on one thing, and one that has lost its lease writes nothing."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from connections.models import Lease

LEASE_SECONDS = 60
RENEW_SECONDS = 10

_CLAIM = """
    INSERT INTO connections_lease (key, token, until) VALUES {places}
    ON CONFLICT (key) DO UPDATE SET token = excluded.token, until = excluded.until
    WHERE connections_lease.until <= %s
    RETURNING key
"""
# Rows are locked in the order of their keys, as claims do: else two of these could wait for each other.
_RENEW = """
    UPDATE connections_lease SET token = %s, until = %s
    WHERE key IN (SELECT key FROM connections_lease WHERE key IN ({places}) AND token = %s AND until > %s
                  ORDER BY key {for_update})
    RETURNING key
"""
_RELEASE = """
    DELETE FROM connections_lease
    WHERE key IN (SELECT key FROM connections_lease WHERE key IN ({places}) AND token = %s
                  ORDER BY key {for_update})
"""


def new_token() -> str:
    return secrets.token_hex(16)


def claim(keys: Iterable[str], token: str, *, now: datetime, seconds: float = LEASE_SECONDS) -> set[str]:
    """Take every free lease among `keys` in one statement; returns the keys that are now ours."""
    wanted = sorted(set(keys))  # one order for everybody, so that two claims cannot block each other
    if not wanted:
        return set()
    until = _as_stored(now + timedelta(seconds=seconds))
    values = [value for key in wanted for value in (key, token, until)]
    statement = _CLAIM.format(places=", ".join(["(%s, %s, %s)"] * len(wanted)))
    return _keys(statement, [*values, _as_stored(now)])


def renew(keys: Iterable[str], token: str, *, now: datetime, seconds: float = LEASE_SECONDS) -> set[str]:
    """Hold on to our leases; returns those still ours.

    Called first in a transaction it is the fence: the rows stay locked until the commit, so nobody can
    take a lease over while its holder writes.
    """
    return _pass_on(keys, token, token, now=now, seconds=seconds)


def take_over(keys: Iterable[str], token: str, mine: str, *, now: datetime) -> set[str]:
    """Make leases our own that were claimed for us with `token`; returns those.

    What a task does first: run twice, even at the same moment, it gets them once.
    """
    return _pass_on(keys, token, mine, now=now, seconds=LEASE_SECONDS)


def release(keys: Iterable[str], token: str) -> None:
    """Give leases back at once."""
    wanted = sorted(set(keys))
    if wanted:
        with connection.cursor() as cursor:
            cursor.execute(_statement(_RELEASE, wanted), [*wanted, token])


def release_each(free_at: Mapping[str, datetime | None], token: str) -> None:
    """Give leases back: at once, or to end at a moment where a rate limit asks for a pause."""
    release((key for key, at in free_at.items() if at is None), token)
    for key, at in free_at.items():
        if at is not None:
            Lease.objects.filter(key=key, token=token).update(until=at)


def revoke(keys: Iterable[str]) -> None:
    """Take leases from their holders: what they have read cannot be written any more and is read again.

    Waits for a write under way. For what must not be mixed with work that began before.
    """
    for key in sorted(set(keys)):
        Lease.objects.filter(key=key).delete()


def _pass_on(keys: Iterable[str], token: str, to: str, *, now: datetime, seconds: float) -> set[str]:
    """From one token to another, or to itself. Two that do it at once wait for each other in the database."""
    wanted = sorted(set(keys))
    if not wanted:
        return set()
    until = _as_stored(now + timedelta(seconds=seconds))
    return _keys(_statement(_RENEW, wanted), [to, until, *wanted, token, _as_stored(now)])


def _keys(statement: str, values: Sequence[Any]) -> set[str]:
    # Plain statements: these run several times for every handful of polls, and Django takes longer to
    # build one than the database to execute it.
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return {row[0] for row in cursor.fetchall()}


def _statement(template: str, keys: Sequence[str]) -> str:
    for_update = "FOR UPDATE" if connection.features.has_select_for_update else ""
    return template.format(places=", ".join(["%s"] * len(keys)), for_update=for_update)


def _as_stored(moment: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(moment)
