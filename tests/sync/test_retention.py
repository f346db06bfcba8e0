"""What ages out, what stays, and what is put right by the way."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.sessions.models import Session
from django.db import connection as database

from connections.models import Lease, pause
from sync import retention
from sync.models import DeliveryAttempt, PollState, Reconciliation, RetryItem, SyncLog
from sync.retention import housekeep, wake_overdue
from tests import factories
from tests.conftest import NOON
from tests.factories import logged, owed, polled, tried

pytestmark = pytest.mark.django_db


def days(number):
    return NOON - timedelta(days=number)


@pytest.fixture(autouse=True)
def keep(settings):
    settings.KEEP_LOGS_DAYS = 30
    settings.KEEP_IDLE_LOGS_HOURS = 24
    settings.KEEP_ATTEMPTS_DAYS = 20
    settings.KEEP_PAYLOADS_DAYS = 10


@pytest.mark.parametrize(
    ("age_days", "values", "stays"),
    [
        (31, {"orders_sent": 1}, False),
        (29, {"orders_sent": 1}, True),
        (29, {"orders_found": 1}, True),
        (29, {"orders_failed": 1}, True),
        (29, {"error_code": "odoo_timeout"}, True),
        (2, {}, False),
        (0.9, {}, True),
    ],
)
def test_logs_age_out_and_idle_ones_sooner(connection, age_days, values, stays):
    logged(connection, finished_at=days(age_days), **values)
    housekeep(NOON)
    assert SyncLog.objects.exists() is stays


def test_attempts_age_out_but_not_their_items(connection):
    item = owed(connection)
    tried(item, started_at=days(21))
    young = tried(item, started_at=days(19), number=2)
    assert housekeep(NOON)["attempts"] == 1
    assert list(DeliveryAttempt.objects.all()) == [young]
    assert RetryItem.objects.count() == 1


@pytest.mark.parametrize(
    ("status", "age_days", "kept"),
    [
        ("sent", 11, False),
        ("discarded", 11, False),
        ("superseded", 11, False),
        ("sent", 9, True),
        ("pending", 400, True),
        ("failed", 400, True),
    ],
)
def test_payloads_of_closed_items_are_forgotten_and_their_rows_stay(connection, status, age_days, kept):
    is_open = status in ("pending", "failed")
    closed_at = None if is_open else days(age_days)
    owed(connection, status=status, closed_at=closed_at, created_at=days(age_days))
    housekeep(NOON)
    assert (RetryItem.objects.get().body is not None) is kept


@pytest.mark.parametrize(
    ("status", "age_days", "stays"),
    [("sent", 21, False), ("sent", 19, True), ("discarded", 400, True), ("superseded", 400, True)],
)
def test_sent_items_go_when_neither_bytes_nor_tries_are_kept(connection, status, age_days, stays):
    owed(connection, status=status, closed_at=days(age_days), created_at=days(age_days))
    housekeep(NOON)
    assert RetryItem.objects.exists() is stays


def test_reconciliations_age_out_and_one_whose_worker_died_is_ended(connection):
    values = {"connection": connection, "since": days(40)}
    Reconciliation.objects.create(**values, requested_at=days(31))
    dead = Reconciliation.objects.create(
        **values, requested_at=days(1), started_at=days(1), progress="running"
    )
    at_work = Reconciliation.objects.create(
        **values, requested_at=NOON, started_at=NOON - timedelta(minutes=5), progress="running"
    )
    housekeep(NOON)
    assert dict(Reconciliation.objects.values_list("pk", "progress")) == {
        dead.pk: "failed",
        at_work.pk: "running",
    }


def test_the_last_scheduled_reconciliation_that_was_done_stays(connection):
    """The next one begins where it left off."""
    values = {"connection": connection, "since": days(40), "progress": "done"}
    for age in (33, 32):
        Reconciliation.objects.create(**values, repair=True, requested_at=days(age))
    Reconciliation.objects.create(**values, repair=True, requested_by="ana", requested_at=days(31))
    housekeep(NOON)
    assert [row.requested_at for row in Reconciliation.objects.all()] == [days(32)]


def test_old_webhook_secrets_are_erased_when_they_sign_no_more(connection):
    for hours in (-1, 0, 1):
        until = NOON + timedelta(hours=hours)
        connection.retired_secrets.create(secret=f"s{hours}", valid_until=until, retired_at=NOON)
    assert housekeep(NOON)["retired_secrets"] == 2
    assert connection.retired_secrets.get().secret.reveal() == "s1"


def test_leases_sessions_and_logins_age_out(connection):
    Lease.objects.create(key="dead", token="t", until=days(2))
    Lease.objects.create(key="alive", token="t", until=NOON)
    Session.objects.create(session_key="old", session_data="", expire_date=days(1))
    Session.objects.create(session_key="new", session_data="", expire_date=NOON + timedelta(hours=1))
    for model in (AccessAttempt, AccessFailureLog, AccessLog):
        extra = {"failures_since_start": 1} if model is AccessAttempt else {}
        for name, at in (("old", days(31)), ("new", days(1))):
            row = model.objects.create(username=name, ip_address="192.0.2.1", user_agent=name, **extra)
            model.objects.filter(pk=row.pk).update(attempt_time=at)
    counts = housekeep(NOON)
    assert counts["leases"] == counts["sessions"] == counts["login_attempts"] == 1
    assert list(Lease.objects.values_list("key", flat=True)) == ["alive"]
    assert list(Session.objects.values_list("session_key", flat=True)) == ["new"]
    for model in (AccessAttempt, AccessFailureLog, AccessLog):
        assert list(model.objects.values_list("username", flat=True)) == ["new"]


def test_a_second_round_finds_nothing(connection):
    logged(connection, finished_at=days(40))
    assert any(housekeep(NOON).values())
    assert not any(housekeep(NOON).values())


def test_work_is_done_in_chunks_and_all_of_it(connection, monkeypatch):
    monkeypatch.setattr(retention, "CHUNK", 2)
    for number in range(7):
        logged(connection, finished_at=days(40))
        logged(connection, finished_at=days(5 + number), orders_sent=number % 2)
    assert housekeep(NOON)["sync_logs"] == 7
    assert SyncLog.objects.count() == 3


def test_a_round_ends_when_its_time_is_over(connection, monkeypatch):
    monkeypatch.setattr(retention, "CHUNK", 1)
    for _number in range(5):
        logged(connection, finished_at=days(40))
    seconds = iter(range(0, 10_000, 20))
    housekeep(NOON, clock=lambda: next(seconds))
    assert 0 < SyncLog.objects.count() < 5


def test_idle_logs_between_others_are_walked_over_once(
    connection, monkeypatch, django_assert_max_num_queries
):
    monkeypatch.setattr(retention, "CHUNK", 10)
    for number in range(60):
        logged(connection, finished_at=days(5) + timedelta(minutes=number), orders_sent=number % 2)
    with django_assert_max_num_queries(26):
        housekeep(NOON)
    assert SyncLog.objects.count() == 30


# --- deliveries that would be forgotten -----------------------------------------------------------------

LATER = NOON + timedelta(hours=2)


@pytest.mark.parametrize(
    ("deliver_at", "next_retry_at", "expected"),
    [
        (None, NOON - timedelta(hours=1), NOON),
        (None, LATER, LATER),
        (LATER, NOON - timedelta(hours=1), NOON),
        (LATER, LATER, LATER),
        (NOON + timedelta(minutes=5), NOON, NOON + timedelta(minutes=5)),
        (NOON - timedelta(minutes=5), NOON - timedelta(hours=1), NOON - timedelta(minutes=5)),
    ],
)
def test_what_waits_is_looked_at_in_time(connection, deliver_at, next_retry_at, expected):
    polled(connection, deliver_at=deliver_at)
    owed(connection, next_retry_at=next_retry_at)
    wake_overdue(NOON)
    assert PollState.objects.get().deliver_at == expected


def _disabled(connection):
    connection.enabled = False
    connection.save()


def _paused(connection):
    pause([connection], by="ana", reason="moving house")


def _nothing_waits(connection):
    RetryItem.objects.update(status="failed", next_retry_at=None)


@pytest.mark.parametrize("reason", [_disabled, _paused, _nothing_waits])
def test_nobody_is_woken_without_reason(connection, reason):
    polled(connection)
    owed(connection)
    reason(connection)
    assert wake_overdue(NOON) == 0
    assert PollState.objects.get().deliver_at is None


@pytest.mark.parametrize(
    "rest", [{"state": "open", "opened_at": NOON}, {"state": "half_open"}, {"wait_until": LATER}]
)
def test_a_receiver_that_rests_has_its_own_clock(connection, rest):
    factories.circuit(connection, "webhook", **rest)
    polled(connection, deliver_at=LATER)
    owed(connection)
    assert wake_overdue(NOON) == 0


def test_only_the_forgotten_connection_is_woken(make_connection):
    well, forgotten = make_connection(), make_connection()
    for shop in (well, forgotten):
        owed(shop)
    polled(well, deliver_at=NOON)
    polled(forgotten)
    assert housekeep(NOON)["woken"] == 1


def test_chunks_use_the_indexes_made_for_them(connection):
    """Millions of rows: no rule may read a whole table to find that nothing is old."""
    if database.vendor != "sqlite":
        pytest.skip("the plan is read from SQLite")
    rules = {name: (rows, by) for name, rows, by, _act in retention.rules(NOON)}
    for name in ("sync_logs", "idle_logs", "attempts", "payloads", "sent_items"):
        rows, by = rules[name]
        plan = rows.order_by(by).values_list("pk", by)[:10].explain()
        assert "USING" in plan and "INDEX" in plan, (name, plan)
