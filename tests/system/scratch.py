"""A data folder and an empty database of its own for one run, and the environment that points to them."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import orjson
import psycopg
import redis

ROOT = Path(__file__).resolve().parent.parent.parent
VARIANTS = ("sqlite", "postgres", "redis")  # redis: PostgreSQL, and the queue in Redis
POSTGRES_URL = os.environ.get("POLLER_TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres")
REDIS_SERVER = os.environ.get("POLLER_TEST_REDIS", "redis://127.0.0.1:6379/15").rpartition("/")[0]
REDIS_DATABASES = range(1, 14)
FILE = "poller.sqlite3"
QUEUE = "django_q:odoopoller:q"
OWNED = "bench:owner"


class Scratch:
    """Migrated and empty. `variant` is one of VARIANTS; `variables` are more of the product's settings.

    A copy of `like`, which nobody has used, is made in no time.
    """

    def __init__(self, variant: str, *, like: Scratch | None = None, **variables: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="odoopoller-bench-"))
        self.variant = variant
        self._name = f"bench_{uuid.uuid4().hex[:12]}"
        self._redis_url = _take_redis() if variant == "redis" else ""
        if not self.is_sqlite:
            _on_server(f'CREATE DATABASE "{self._name}"' + (f' TEMPLATE "{like._name}"' if like else ""))
        self.environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "odoopoller.settings",
            "ENV_FILE": os.devnull,
            "SECRET_KEY": "for-benches-only-" + "0123456789" * 5,
            "POLLER_ENCRYPTION_KEY": "YmVuY2hlcy1vbmx5LWJlbmNoZXMtb25seS1iZW5jaGU=",
            "POLLER_ALLOWED_NETWORKS": "127.0.0.0/8",
            "POLLER_DATA_DIR": str(self.folder),
            "POLLER_LOG_FORMAT": "json",
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self._redis_url,
            **variables,
        }
        if like is None:
            self._migrate()
        elif self.is_sqlite:
            shutil.copyfile(like.folder / FILE, self.folder / FILE)

    def _migrate(self) -> None:
        try:
            self.run(str(ROOT / "manage.py"), "migrate", "-v0")
        except BaseException:
            self.close()
            raise

    @property
    def is_sqlite(self) -> bool:
        return self.variant == "sqlite"

    @property
    def database_url(self) -> str:
        if self.is_sqlite:
            return f"sqlite:///{self.folder / FILE}"
        return urlunsplit(urlsplit(POSTGRES_URL)._replace(path=f"/{self._name}"))

    def run(self, *arguments: str, stdin: bytes = b"") -> str:
        """Python with these arguments, to its end; returns what it printed. Raises CalledProcessError."""
        command = [sys.executable, *arguments]
        result = subprocess.run(command, env=self.environment, cwd=ROOT, input=stdin, capture_output=True)
        if result.returncode:
            sys.stderr.write(result.stderr.decode(errors="replace"))
            result.check_returncode()
        return result.stdout.decode()

    def connect(self, accesses: list[Mapping[str, Any]], **fields: Any) -> None:
        """A connection for each shop of a stage; `fields` are the same for all."""
        words = {
            "url": "odoo_url",
            **{w: w for w in ("name", "database", "username", "api_key", "webhook_url", "webhook_secret")},
        }
        rows = [
            {words[key]: value for key, value in access.items() if key in words}
            | {"external_id": access["name"]}
            | fields
            for access in accesses
        ]
        self.run("-m", "tests.system.add_connections", stdin=orjson.dumps(rows))

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a statement, if it has any, committed. Booleans are 0 and 1 on SQLite."""
        with self._opened() as database:
            cursor = database.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []

    def empty_queue(self) -> None:
        """Whatever waits in it or was taken from it."""
        if self._redis_url:
            with redis.Redis.from_url(self._redis_url) as server:
                server.delete(QUEUE)
        else:
            self.query("DELETE FROM django_q_ormq")

    def number(self, statement: str) -> int:
        return int(self.query(statement)[0][0] or 0)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Any]:
        if self.is_sqlite:
            database: Any = sqlite3.connect(self.folder / FILE, timeout=30)
        else:
            database = psycopg.connect(self.database_url, options="-c timezone=UTC")
        with contextlib.closing(database), database:
            yield database

    def close(self, *, keep: bool = False) -> None:
        """Everything goes, except the folder and the database if they are to be kept."""
        if not self.is_sqlite and not keep:
            _on_server(f'DROP DATABASE IF EXISTS "{self._name}" WITH (FORCE)')
        if self._redis_url:
            with redis.Redis.from_url(self._redis_url) as server:
                server.flushdb()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)


def is_reachable(variant: str) -> bool:
    """Whether the servers this variant needs are there."""
    try:
        if variant != "sqlite":
            psycopg.connect(POSTGRES_URL, connect_timeout=3).close()
        if variant == "redis":
            redis.Redis.from_url(f"{REDIS_SERVER}/0", socket_connect_timeout=3).ping()
    except (psycopg.OperationalError, redis.RedisError):
        return False
    return True


def _on_server(statement: str) -> None:
    with psycopg.connect(POSTGRES_URL, autocommit=True) as server:
        server.execute(statement)


def _take_redis() -> str:
    """A Redis database that is empty and that nobody else takes at the same time."""
    for number in REDIS_DATABASES:
        url = f"{REDIS_SERVER}/{number}"
        with redis.Redis.from_url(url) as server:
            if server.dbsize() == 0 and server.set(OWNED, os.getpid(), nx=True):
                return url
    raise RuntimeError("No empty Redis database among 1 to 13; a run that was killed may have left some.")
