"""What django-q2 runs: what is due is handed out once, and a task does what its name says."""

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from connections import leases
from core.background import heartbeat
from core.models import Finding
from sync import tasks
from sync.models import PollState, Reconciliation, SyncLog


@pytest.fixture
def due(connection):
    """One connection that has begun and whose every date has passed."""
    past = timezone.now() - timezone.timedelta(hours=1)
    PollState.objects.create(
        connection=connection,
        next_poll_at=past,
        deliver_at=past,
        deep_check_at=past,
        reconcile_at=past,
        window_to=past,
        started_at=past,
    )
    return connection


def queued():
    return sorted(package.func() for package in OrmQ.objects.all())


def test_a_tick_hands_out_polls_and_deliveries_once(due):
    assert tasks.tick() == "1 polls, 1 deliveries"
    assert queued() == ["sync.tasks.deliver", "sync.tasks.poll"]
    assert tasks.tick() == "0 polls, 0 deliveries"
    assert {tuple(package.task["args"][1]) for package in OrmQ.objects.all()} == {(due.pk,)}


def test_a_plain_qcluster_gets_one_task_for_all_background_work(due):
    assert tasks.check() == "1 deep checks, 1 reconciliations"
    assert queued() == [tasks.WORK_OFF]


def test_a_runpoller_gets_none(due, monkeypatch):
    monkeypatch.setattr(tasks, "in_runpoller", lambda: True)
    assert tasks.check() == "1 deep checks, 1 reconciliations"
    assert queued() == []


def test_nothing_is_queued_where_nothing_is_due(connection):
    assert tasks.check() == "0 deep checks, 0 reconciliations"
    assert queued() == []


def test_checks_of_a_shop_that_cannot_be_reached_end_and_say_so(due, monkeypatch):
    due.odoo_url = "http://127.0.0.1:9"
    due.save()
    monkeypatch.setattr("sync.background.sleep", lambda seconds: None)
    assert tasks.work_off() == 2
    assert SyncLog.objects.get(kind="deep_check").error_code == "odoo_not_listening"
    assert Reconciliation.objects.get().error_code == "odoo_not_listening"
    assert tasks.check() == "0 deep checks, 0 reconciliations"


def test_of_the_tasks_for_background_work_one_is_at_work(due):
    leases.claim([tasks.WORK_OFF_KEY], "another", now=timezone.now())
    assert tasks.work_off() == 0
    assert not Reconciliation.objects.exists()


def test_only_a_plain_qcluster_leaves_a_heartbeat_of_its_own(due, monkeypatch):
    monkeypatch.setattr(tasks, "in_runpoller", lambda: True)
    tasks.tick()
    assert not heartbeat.is_running(timezone.now())
    monkeypatch.setattr(tasks, "in_runpoller", lambda: False)
    tasks.tick()
    assert heartbeat.is_running(timezone.now())
    assert not heartbeat.is_running(timezone.now() + timezone.timedelta(minutes=3))


def test_the_watch_finds_what_is_overdue(due):
    assert tasks.watch() == 1
    assert Finding.objects.get().code == "poll_overdue"
