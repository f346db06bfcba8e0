"""System checks: the settings as they are pass, and each way to lose or repeat work has its own refusal."""

import contextlib
import sqlite3

import pytest
from django.conf import settings as project
from django.test import override_settings

from core.background import checks


def ids(messages):
    return [message.id for message in messages]


def test_the_settings_as_they_are_pass():
    assert checks.check_queue() == checks.check_secret_key() == checks.check_sqlite() == []


@pytest.mark.parametrize(
    ("key", "value", "id"),
    [
        ("timeout", None, "sync.E001"),
        ("timeout", 0, "sync.E001"),
        ("timeout", True, "sync.E001"),
        ("retry", None, "sync.E002"),
        ("retry", 540, "sync.E002"),
        ("bulk", 50, "sync.E002"),
        ("queue_limit", 100, "sync.E002"),
        ("max_attempts", 0, "sync.E003"),
        ("ack_failures", False, "sync.E004"),
        ("save_limit", 250, "sync.E005"),
        ("guard_cycle", 0.3, "sync.E006"),
        ("catch_up", True, "sync.E007"),
        ("sync", True, "sync.E008"),
        ("orm", "elsewhere", "sync.E009"),
    ],
)
def test_each_number_has_its_reason(key, value, id):
    with override_settings(Q_CLUSTER=project.Q_CLUSTER | {key: value}):
        [message] = checks.check_queue()
    assert message.id == id
    named = {"bulk": "retry", "queue_limit": "retry"}.get(key, key)  # these two decide what `retry` has to be
    assert message.msg.startswith(f"Q_CLUSTER['{named}'] is ") and message.hint


@pytest.mark.parametrize(
    "missing", ["timeout", "retry", "max_attempts", "ack_failures", "save_limit", "catch_up", "orm"]
)
def test_django_q2s_own_defaults_are_refused(missing):
    conf = {key: value for key, value in project.Q_CLUSTER.items() if key != missing}
    with override_settings(Q_CLUSTER=conf):
        assert len(checks.check_queue()) == 1


@pytest.mark.parametrize("workers", [1, 2, 4, 16, 64])
def test_any_number_of_workers_is_fine(workers):
    with override_settings(Q_CLUSTER=project.Q_CLUSTER | {"workers": workers, "queue_limit": workers}):
        assert checks.check_queue() == []


def test_redis_needs_no_database_for_the_queue():
    conf = {key: value for key, value in project.Q_CLUSTER.items() if key != "orm"}
    with override_settings(Q_CLUSTER=conf | {"redis": "redis://127.0.0.1:6379/0"}):
        assert checks.check_queue() == []


def test_a_missing_secret_key_is_named():
    with override_settings(SECRET_KEY=""):
        assert ids(checks.check_secret_key()) == ["sync.E010"]


@pytest.mark.parametrize(
    ("backend", "found"),
    [
        ("django.core.cache.backends.locmem.LocMemCache", ["sync.W011"]),
        ("django.core.cache.backends.dummy.DummyCache", ["sync.W011"]),
        ("odoopoller.caches.JSONFileCache", []),
        ("django.core.cache.backends.redis.RedisCache", []),
    ],
)
def test_a_cache_of_one_process_only_is_named(backend, found):
    with override_settings(CACHES={"default": {"BACKEND": backend, "LOCATION": "somewhere"}}):
        assert ids(checks.check_cache()) == found


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"transaction_mode": "IMMEDIATE", "timeout": 20}, []),
        ({"transaction_mode": "DEFERRED", "timeout": 20}, ["sync.E012"]),
        ({"timeout": 20}, ["sync.E012"]),
        ({"transaction_mode": "IMMEDIATE"}, ["sync.E013"]),
    ],
)
def test_sqlite_waits_instead_of_failing(options, found, monkeypatch):
    database = {"ENGINE": "django.db.backends.sqlite3", "OPTIONS": options}
    monkeypatch.setattr(checks.settings, "DATABASES", {"default": database})
    assert ids(checks.check_sqlite()) == found


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("mode", "table", "found"), [("wal", 1, []), ("delete", 1, ["sync.W014"]), ("delete", 0, [])]
)
def test_a_sqlite_file_in_use_is_in_wal_mode(mode, table, found, tmp_path, monkeypatch):
    with contextlib.closing(sqlite3.connect(tmp_path / "data.sqlite3")) as database:
        database.execute(f"PRAGMA journal_mode={mode}")
        if table:
            database.execute("CREATE TABLE something (id)")
    with opened(tmp_path / "data.sqlite3") as handler:
        monkeypatch.setattr(checks, "connections", handler)
        assert ids(checks.check_journal(databases=["default"])) == found
    assert checks.check_journal(databases=None) == []


@contextlib.contextmanager
def opened(path):
    handler = checks.connections.__class__(
        {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path)}}
    )
    yield handler
    handler.close_all()
