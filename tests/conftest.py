"""What every test may ask for: connections, a clock that is told the time, services that may be missing."""

import gc
import os
import shutil
import sys
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import redis
from django.conf import settings
from django.core.cache import caches
from django.utils import translation

from tests import factories
from tests.doubles.node import Node, installed
from tests.factories import NOON

ROOT = Path(__file__).parent.parent
POSTGRES_URL = os.environ.get("POLLER_TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres")
REDIS_URL = os.environ.get("POLLER_TEST_REDIS", "redis://127.0.0.1:6379/15")
CHROMIUM = Path(os.environ.get("POLLER_TEST_CHROMIUM", "/usr/bin/chromium"))


# What is collected stays: looking through it for garbage again and again took a tenth of the suite.
gc.disable()


def pytest_collection_finish():
    gc.freeze()
    gc.set_threshold(20_000, 20, 10)
    gc.enable()


def pytest_unconfigure():
    shutil.rmtree(settings.DATA_DIR, ignore_errors=True)


class Clock:
    """Stands still until a test moves it; call it for the time."""

    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now

    def advance(self, seconds=0, **parts):
        """The new time; takes seconds or timedelta's keywords: advance(5), advance(hours=2)."""
        self.now += timedelta(seconds=seconds, **parts)
        return self.now


@pytest.fixture
def clock():
    return Clock(NOON)


@pytest.fixture(autouse=True)
def empty_cache():
    for name in settings.CACHES:
        caches[name].clear()


@pytest.fixture(autouse=True)
def own_language():
    """A request in Spanish leaves Spanish behind in its thread."""
    with translation.override(settings.LANGUAGE_CODE):
        yield


@pytest.fixture
def make_connection(db):
    """A connection with sane values; every keyword replaces one."""
    made = 0

    def make(**values):
        nonlocal made
        made += 1
        return factories.connection(made, **values)

    return make


@pytest.fixture
def connection(make_connection):
    return make_connection()


@pytest.fixture
def environment(tmp_path):
    """What a child process (`manage.py ...`) gets: the product's own settings, data in an empty folder."""
    product = {"DJANGO_SETTINGS_MODULE": "odoopoller.settings", "POLLER_DATA_DIR": str(tmp_path / "var")}
    return os.environ | product | {"DATABASE_URL": ""}


@pytest.fixture
def manage():
    """The start of a command line for a child process."""
    return [sys.executable, str(ROOT / "manage.py")]


@pytest.fixture(scope="session")
def postgres_url():
    """A PostgreSQL server on which databases may be made."""
    try:
        psycopg.connect(POSTGRES_URL, connect_timeout=3).close()
    except psycopg.OperationalError:
        pytest.skip("PostgreSQL is not reachable (POLLER_TEST_POSTGRES, or 127.0.0.1:5432, no password)")
    return POSTGRES_URL


@pytest.fixture(scope="session")
def redis_url():
    """A Redis database that tests may fill and empty."""
    try:
        redis.Redis.from_url(REDIS_URL, socket_connect_timeout=3).ping()
    except redis.RedisError:
        pytest.skip("Redis is not reachable (POLLER_TEST_REDIS, or 127.0.0.1:6379)")
    return REDIS_URL


@pytest.fixture(scope="session")
def node(pytestconfig):
    """JavaScript with the official `standardwebhooks`; the first test that asks has it installed by npm."""
    return Node(installed(pytestconfig.cache))


@pytest.fixture(scope="session")
def chromium():
    """The path of a browser."""
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed (POLLER_TEST_CHROMIUM, or Debian's package chromium)")
    return str(CHROMIUM)
