"""Counters only grow, and are right while rows come, settle and age out."""

from datetime import timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from sync.metrics import counters
from sync.models import DeliveryAttempt, MonitorCount, MonitorMark, SentOrder, SyncLog
from tests import factories


def numbers(world):
    """{(name, label): number} of the one connection."""
    return {(name, label): number for (name, _, label), (number, _) in counters.sums(world.clock()).items()}


@pytest.fixture
def busy(world):
    """Three polls; two orders delivered, one of them at the second try."""
    world.receiver.set_mode("main", "500", count=1)
    world.confirmed()
    world.confirmed()
    world.wait(minutes=3)
    return world


def test_what_happened_is_counted_at_once(busy):
    found = numbers(busy)
    assert found["polls", "ok"] == SyncLog.objects.count()
    assert found["attempts", "delivered"] == 2
    assert found["attempts", "receiver_error"] == 1
    assert found["orders", "found"] == 2
    assert sum(n for (name, _), n in found.items() if name == "lag") == 2


def test_counting_changes_no_sum_and_counts_nothing_twice(busy):
    before = numbers(busy)
    for _ in range(3):
        busy.clock.advance(60)
        counters.count(busy.clock())
        assert numbers(busy) == before
    assert MonitorCount.objects.get(name="attempts", label="delivered").number == 2


def test_much_is_counted_in_short_transactions(busy, monkeypatch):
    """An hour in which nobody counted must not lock the tables for as long as it takes to add it up."""
    monkeypatch.setattr(counters, "AT_ONCE", 2)
    before, rows = numbers(busy), SyncLog.objects.count()
    busy.clock.advance(60)
    counts = [counters.count(busy.clock()) for _ in range(rows)]
    assert counts[0] <= 2 * len(counters.SOURCES) and counts[-1] == 0
    assert sum(counts) == rows + DeliveryAttempt.objects.count() + SentOrder.objects.count()
    assert numbers(busy) == before


def test_rows_that_do_not_tell_their_age_hold_nothing_up(busy, monkeypatch):
    """The first look at ten thousand shops seeds 300,000 rows that were never sent."""
    monkeypatch.setattr(counters, "AT_ONCE", 2)
    last = SentOrder.objects.order_by("pk").last()
    values = {"write_date": last.write_date, "seeded": True, "sent_at": None}
    for number in range(7):
        factories.sent(busy.connection, number=9000 + number, **values)
    busy.clock.advance(60)
    for _ in range(20):
        counters.count(busy.clock())
    assert MonitorMark.objects.get(table="sentorder").last_id == last.pk, "nothing tells that they are old"
    busy.confirmed()
    busy.wait(minutes=3)
    before = numbers(busy)
    for _ in range(20):
        counters.count(busy.clock())
    assert MonitorMark.objects.get(table="sentorder").last_id == SentOrder.objects.latest("pk").pk
    assert numbers(busy) == before


def test_sums_outlive_the_rows(busy):
    busy.clock.advance(60)
    counters.count(busy.clock())
    before = numbers(busy)
    for model in (DeliveryAttempt, SyncLog, SentOrder):
        model.objects.all().delete()
    assert numbers(busy) == before


def test_what_is_young_is_left_for_the_next_time(busy):
    busy.poll()
    counters.count(busy.clock())
    last = SyncLog.objects.latest("pk")
    assert last.finished_at > busy.clock() - counters.SETTLED
    before = numbers(busy)["polls", "ok"]
    busy.clock.advance(60)
    counters.count(busy.clock())
    assert numbers(busy)["polls", "ok"] == before == SyncLog.objects.count()


def test_an_import_is_no_delivery(busy):
    lags = sum(n for (name, _), n in numbers(busy).items() if name == "lag")
    written = busy.clock() - timedelta(days=9)
    factories.sent(busy.connection, write_date=written, sent_at=busy.clock(), event_id="")
    assert sum(n for (name, _), n in numbers(busy).items() if name == "lag") == lags


def test_a_large_ledger_makes_no_minute_longer(busy):
    """What is fresh is found by its ids: an index of moments or of shops leads through all there ever was."""
    if database.vendor != "sqlite":
        pytest.skip("the plan is read from SQLite")
    busy.clock.advance(60)
    with CaptureQueriesContext(database) as captured:
        counters.count(busy.clock())
        counters.sums(busy.clock())
    tables = ("sync_synclog", "sync_deliveryattempt", "sync_sentorder")
    asked = [
        q["sql"] for q in captured if q["sql"].startswith("SELECT") and any(t in q["sql"] for t in tables)
    ]
    assert len(asked) >= 4 * len(tables)
    with database.cursor() as cursor:
        for sql in asked:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            ways = [row[3] for row in cursor.fetchall() if any(table in row[3] for table in tables)]
            newest_of_all = "WHERE" not in sql and sql.endswith("ORDER BY 1 DESC LIMIT 1")  # reads one row
            expected = "SCAN sync_" if newest_of_all else "USING INTEGER PRIMARY KEY"
            assert ways and all(expected in way for way in ways), (sql, ways)
