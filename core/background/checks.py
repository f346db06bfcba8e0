"""System checks on the queue and its database: each refuses a setting that loses or repeats work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connections

PRIVATE_CACHES = ("locmem.LocMemCache", "dummy.DummyCache")
BUSY_SECONDS = 10

Conf = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """What Q_CLUSTER has to say about one key, and why."""

    id: str
    key: str
    is_kept: Callable[[Conf], bool]
    wanted: str
    reason: str

    def broken(self, conf: Conf) -> list[CheckMessage]:
        if self.is_kept(conf):
            return []
        text = f"Q_CLUSTER[{self.key!r}] is {conf.get(self.key)!r}. {self.reason}"
        return [Error(text, hint=f"Set it to {self.wanted}.", id=self.id)]


def longest_stay_seconds(conf: Conf) -> float:
    """The longest way of a task once it is taken: behind all that is prefetched, then its own time."""
    workers = int(conf.get("workers") or 1)
    prefetched = int(conf.get("queue_limit") or workers**2)
    in_hand = max(int(conf.get("bulk") or 1), workers)  # of the pusher, in front of a full queue
    return ((prefetched + in_hand) / workers + 1) * float(conf["timeout"])


def _is_seconds(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


RULES = (
    Rule(
        "sync.E001",
        "timeout",
        lambda conf: _is_seconds(conf.get("timeout")),
        "a number of seconds",
        "Without a limit a task that hangs keeps its worker for ever.",
    ),
    Rule(
        "sync.E002",
        "retry",
        lambda conf: (
            not _is_seconds(conf.get("timeout"))
            or (_is_seconds(conf.get("retry")) and conf["retry"] > longest_stay_seconds(conf))
        ),
        "more than (queue_limit / workers + 2) x timeout",
        "A task still waiting for its turn would be handed out a second time.",
    ),
    Rule(
        "sync.E003",
        "max_attempts",
        lambda conf: conf.get("max_attempts") == 1,
        "1",
        "What failed is tried again by the poller's own clock, not by the queue.",
    ),
    Rule(
        "sync.E004",
        "ack_failures",
        lambda conf: conf.get("ack_failures") is True,
        "True",
        "A task that raises would come back for ever.",
    ),
    Rule(
        "sync.E005",
        "save_limit",
        lambda conf: conf.get("save_limit", 250) < 0,
        "-1",
        "Keeping successes makes the queue several times slower.",
    ),
    Rule(
        "sync.E006",
        "guard_cycle",
        lambda conf: conf.get("guard_cycle", 0.5) == 0.5,
        "0.5",
        "With other values django-q2's countdown misses zero and a hanging worker is never ended.",
    ),
    Rule(
        "sync.E007",
        "catch_up",
        lambda conf: conf.get("catch_up") is False,
        "False",
        "After a pause every missed minute would be made up for.",
    ),
    Rule(
        "sync.E008",
        "sync",
        lambda conf: not conf.get("sync"),
        "False",
        "Tasks would run inside the loop that hands them out.",
    ),
    Rule(
        "sync.E009",
        "orm",
        lambda conf: bool(conf.get("redis")) or conf.get("orm") in settings.DATABASES,
        "the name of a database, or give REDIS_URL",
        "The queue has no place to be.",
    ),
)


@register("queue")
def check_queue(**_: Any) -> list[CheckMessage]:
    """Q_CLUSTER keeps to the numbers that the poller was proven with."""
    conf: Conf = settings.Q_CLUSTER
    return [message for rule in RULES for message in rule.broken(conf)]


@register(Tags.security)
def check_secret_key(**_: Any) -> list[CheckMessage]:
    """Tasks are signed with it; with none the queue cannot be read."""
    try:
        if settings.SECRET_KEY:
            return []
    except ImproperlyConfigured:
        pass
    hint = "`python -m odoopoller.make_env` writes a fresh one to .env."
    return [Error("SECRET_KEY is missing: tasks cannot be signed.", hint=hint, id="sync.E010")]


@register(Tags.caches)
def check_cache(**_: Any) -> list[CheckMessage]:
    """The cache is one for all processes of a host."""
    backend = settings.CACHES[settings.Q_CLUSTER.get("cache", "default")]["BACKEND"]
    if not backend.endswith(PRIVATE_CACHES):
        return []
    text = f"The cache {backend} is not shared between processes: nobody sees that the queue is alive."
    return [Warning(text, hint="Use a file, a database or Redis.", id="sync.W011")]


@register("queue")
def check_sqlite(**_: Any) -> list[CheckMessage]:
    """SQLite under several processes needs two settings, or writers fail instead of waiting."""
    options = [
        database.get("OPTIONS", {})
        for database in settings.DATABASES.values()
        if database["ENGINE"].endswith("sqlite3")
    ]
    found: list[CheckMessage] = []
    if any(option.get("transaction_mode") != "IMMEDIATE" for option in options):
        text = "SQLite's transaction_mode is not IMMEDIATE: transactions fail with 'database is locked'."
        found.append(Error(text, hint="Set OPTIONS['transaction_mode'] to IMMEDIATE.", id="sync.E012"))
    if any(option.get("timeout", 5) < BUSY_SECONDS for option in options):
        text = "SQLite's timeout is short: writers that wait for each other fail with 'database is locked'."
        found.append(Error(text, hint=f"Set OPTIONS['timeout'] to {BUSY_SECONDS} or more.", id="sync.E013"))
    return found


@register(Tags.database)
def check_journal(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """A SQLite file with tables in it is in WAL mode. Runs with `migrate` and `check --database default`."""
    return [
        Warning(
            f"The SQLite database {alias!r} is not in WAL mode: readers and writers block each other.",
            hint="Stop everything that uses it and run manage.py migrate, which switches it.",
            id="sync.W014",
        )
        for alias in databases or ()
        if connections[alias].vendor == "sqlite" and not _is_wal(alias)
    ]


def _is_wal(alias: str) -> bool:
    try:
        with connections[alias].cursor() as cursor:
            if not connections[alias].introspection.table_names(cursor):
                return True  # nothing there yet: migrate comes first
            cursor.execute("PRAGMA journal_mode")
            return cursor.fetchone()[0] in ("wal", "memory")
    except OperationalError:
        return True  # no database at all is somebody else's news
