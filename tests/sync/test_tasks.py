"""What django-q2 runs: what is due is handed out once, and a task does what its name says."""

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from sync import tasks
from sync.models import Finding, PollState, Reconciliation, SyncLog
from sync.reconciling import ask


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


def test_checks_are_handed_out_once(due):
    assert tasks.check() == "1 deep checks, 1 reconciliations"
    assert queued() == ["sync.tasks.deep_check", "sync.tasks.reconcile"]
    assert tasks.check() == "0 deep checks, 0 reconciliations"


def test_the_tasks_of_a_shop_that_cannot_be_reached_end_and_say_so(due):
    due.odoo_url = "http://127.0.0.1:9"
    due.save()
    assert tasks.deep_check([due.pk]) == 1
    assert tasks.reconcile([due.pk]) == 0
    assert SyncLog.objects.get(kind="deep_check").error_code == "odoo_not_listening"
    assert Reconciliation.objects.get().error_code == "odoo_not_listening"
    wanted = ask(due, since=timezone.now(), repair=False, now=timezone.now())
    assert tasks.run_reconciliation(wanted.pk) is False


def test_the_watch_finds_what_is_overdue(due):
    assert tasks.watch() == 1
    assert Finding.objects.get().code == "poll_overdue"
