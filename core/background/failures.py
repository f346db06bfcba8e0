"""Work that fails: counted run after run, whatever it is, and forgotten at its first success."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import DatabaseError
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from connections.models import Connection
from core.models import FailingWork

OFTEN = 3  # failures in a row: then it is a finding
FORGOTTEN = timedelta(days=2)  # work that was not tried for so long is no longer there

POLLER: tuple[int | None, ...] = (None,)  # in place of connections: the poller's own work

logger = logging.getLogger("poller.failures")


@contextmanager
def counted(name: str, connections: Sequence[int | None] = POLLER) -> Iterator[None]:
    """Around one run of some work: remembers that it failed, or that it fails no more."""
    try:
        yield
    except (Exception, SystemExit) as error:  # django-q2 ends what takes too long by a SystemExit
        failed(name, type(error).__name__, connections)
        raise
    succeeded([name], connections)


@contextmanager
def apart(name: str, faults: list[Exception]) -> Iterator[None]:
    """The same around one piece of work of several: its fault goes into the list, the next has its turn."""
    try:
        with counted(name):
            yield
    except Exception as error:
        logger.exception("Work failed in our own code: %s", name)
        faults.append(error)


def failed(name: str, error: str, connections: Iterable[int | None] = POLLER) -> None:
    now = timezone.now()
    try:
        for connection in _those_there(connections):
            rows = FailingWork.objects.filter(name=name, connection=connection)
            rows.filter(failed_at__lt=now - FORGOTTEN).delete()
            if not rows.update(failures=F("failures") + 1, error=error[:60], failed_at=now):
                FailingWork.objects.create(
                    name=name, connection_id=connection, error=error[:60], since=now, failed_at=now
                )
    except DatabaseError as problem:
        _not_recorded(name, problem)


def _those_there(connections: Iterable[int | None]) -> list[int | None]:
    """A connection may have been deleted while its work ran."""
    asked = list(connections)
    there = set(Connection.objects.filter(pk__in=[c for c in asked if c]).values_list("pk", flat=True))
    return [connection for connection in asked if connection is None or connection in there]


def succeeded(names: Sequence[str], connections: Sequence[int | None] = POLLER) -> None:
    """Costs one look where nothing had failed."""
    mine = Q(connection__isnull=True) if None in connections else Q(connection__in=connections)
    try:
        rows = FailingWork.objects.filter(mine, name__in=names)
        if rows.exists():
            rows.delete()
    except DatabaseError as problem:
        _not_recorded(", ".join(names), problem)


def often(now: datetime) -> QuerySet[FailingWork]:
    """What failed so many times in a row that a person has to know."""
    alive = Q(connection__isnull=True) | Q(connection__enabled=True)
    return FailingWork.objects.filter(alive, failures__gte=OFTEN, failed_at__gt=now - FORGOTTEN)


def _not_recorded(name: str, problem: DatabaseError) -> None:
    """Work is not to fail because its record does."""
    logger.warning("How %s went could not be recorded: %s", name, type(problem).__name__)
