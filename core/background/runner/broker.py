"""django-q2's broker, made to survive a database that is away, and to show that its cluster works."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Sequence
from typing import Any

from django.db import connections
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from core.background.runner.shared_state import SharedState
from core.background.runner.throttled_log import ThrottledLog

HEARTBEAT = "core.background.runner.shared_state.heartbeat"
PAUSE_SECONDS = 1.0

_WAITING = f'SELECT 1 FROM "{OrmQ._meta.db_table}" WHERE key = %s AND lock < %s LIMIT 1'  # noqa: S608

Taken = list[tuple[int | None, str]]

logger = logging.getLogger("poller.queue")


class WatchedBroker:
    """Stands before the real broker in every process of one cluster.

    Every so often the pusher finds a beat among the tasks. It goes the way of all tasks, from the pusher
    through a worker to the monitor, but not through the shared queue: another host's cluster can neither
    answer for this one nor take its beats away.
    """

    def __init__(self, shared: SharedState, *, heartbeat_seconds: float) -> None:
        self._broker = get_broker()
        self._shared = shared
        self._heartbeat_seconds = heartbeat_seconds
        self._heartbeat_at = 0.0
        self._throttled = ThrottledLog(logger)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)

    def dequeue(self) -> Taken | None:
        """Tasks as (row of the queue, signed package); None after a pause when there are none."""
        if self._shared.is_closing:
            time.sleep(Conf.POLL)
            return None
        taken = self._take()
        if time.monotonic() - self._heartbeat_at < self._heartbeat_seconds:
            return taken
        self._heartbeat_at = time.monotonic()
        return [*(taken or ()), (None, heartbeat_package())]

    def acknowledge(self, ack_id: int) -> None:
        # Left to itself the monitor dies of this. The row comes again later, and finds its lease gone.
        try:
            self._broker.acknowledge(ack_id)
        except Exception as error:
            self._throttled.say(f"A finished task could not be taken off the queue: {error}")

    def set_stat(self, key: str, value: str, timeout: int) -> None:
        """The guard does this on each round."""
        self._shared.guarded()
        self._broker.set_stat(key, value, timeout)

    def _take(self) -> Taken | None:
        # Left to itself the pusher waits 10 s and dies of this.
        try:
            if self._is_empty():
                time.sleep(Conf.POLL)
                return None
            taken: Taken | None = self._broker.dequeue()
        except Exception as error:
            self._throttled.say(f"The queue cannot be read, trying again each second: {error}")
            time.sleep(PAUSE_SECONDS)
            return None
        self._shared.took(ack_id for ack_id, _ in taken or ())
        return taken

    def _is_empty(self) -> bool:
        """Of a queue in the database: looking five times a second must not cost what taking a task does."""
        if not isinstance(self._broker, ORM):
            return False
        self._broker.get_connection()  # a new one, where the database was away
        with connections[Conf.ORM].cursor() as cursor:
            moment = connections[Conf.ORM].ops.adapt_datetimefield_value(timezone.now())
            cursor.execute(_WAITING, [self._broker.list_key, moment])
            return cursor.fetchone() is None


def heartbeat_package() -> str:
    task = {
        "id": uuid.uuid4().hex,
        "name": "heartbeat",
        "func": HEARTBEAT,
        "args": (),
        "kwargs": {},
        "save": False,
    }
    return str(SignedPackage.dumps(task | {"started": timezone.now()}))


def give_back(ack_ids: Sequence[int]) -> int:
    """Rows that a dead cluster had taken may be taken again at once, not after `retry` seconds.

    Returns how many there were. Redis keeps no such rows: there the leases of the lost tasks run out.
    """
    if not ack_ids or not isinstance(get_broker(), ORM):
        return 0
    now = timezone.now()
    rows = OrmQ.objects.using(Conf.ORM).filter(pk__in=ack_ids, lock__gt=now)
    return int(rows.update(lock=now))
