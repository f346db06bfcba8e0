"""Whom the guard over every test of sync sees writing the ledger."""

import pytest
from django.db import connection as database

from sync import ledger
from sync.models import RetryItem
from tests.conftest import ROOT
from tests.factories import owed
from tests.sync.only_writer import OnlyWriter

pytestmark = pytest.mark.django_db


def written_from(name):
    """Write an item from code that says it is this file; returns what a guard of its own has against it."""
    guard, code = OnlyWriter(), compile("RetryItem.objects.update(attempts=1)", str(ROOT / name), "exec")
    with database.execute_wrapper(guard):
        exec(code, {"RetryItem": RetryItem})
    assert guard.seen == 1
    return [other.split(":")[0] for other in guard.others]


@pytest.fixture
def only_writer():
    """Without the guard that is over every test: here others do write."""


@pytest.mark.parametrize("name", ["sync/repair/repair.py", "sync/admin/search.py", "odoopoller/health.py"])
def test_others_are_seen(name):
    assert written_from(name) == [name]


@pytest.mark.parametrize("name", ["sync/ledger/owe.py", "tests/factories.py"])
def test_the_ledger_and_tests_may(name):
    assert written_from(name) == []


def test_bulk_writes_belong_to_who_asked_for_them(connection):
    owed(connection)
    guard = OnlyWriter()
    with database.execute_wrapper(guard):
        ledger.delete_all(connection.pk)
    assert guard.seen > 0 and guard.others == []


def test_a_connection_that_goes_takes_its_rows_along(connection):
    owed(connection)
    guard = OnlyWriter()
    code = compile("connection.delete()", str(ROOT / "sync/delete_connection.py"), "exec")
    with database.execute_wrapper(guard):
        exec(code, {"connection": connection})
    assert guard.seen > 0 and guard.others == []
