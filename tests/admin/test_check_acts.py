"""A comparison that a person asks for: queued with its options, found again when the queue lost it."""

import pytest
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from sync import tasks
from sync.models import Reconciliation


def address(connection):
    return reverse("admin:connections_connection_reconcile_one", args=[connection.pk])


@pytest.fixture
def ask(admin_client, connection):
    def ask(**values):
        return admin_client.post(address(connection), {"_form_submitted": "True", **values}, follow=True)

    return ask


def test_a_comparison_is_written_down_and_queued(ask, admin_user):
    answer = ask(days=3, repair="on")
    assert answer.status_code == 200
    wanted = Reconciliation.objects.get()
    assert (wanted.progress, wanted.repair, wanted.requested_by) == ("waiting", True, admin_user.username)
    assert round((timezone.now() - wanted.since).total_seconds() / 86400) == 3
    assert [row.func() for row in OrmQ.objects.all()] == [tasks.RUN_RECONCILIATION]


@pytest.mark.parametrize("days", ["0", "91", "soon", ""])
def test_a_span_that_makes_no_sense_is_refused(ask, days):
    ask(days=days)
    assert not Reconciliation.objects.exists()


def test_looking_at_the_question_asks_for_nothing(admin_client, connection):
    admin_client.get(address(connection))
    assert not Reconciliation.objects.exists()


def test_one_that_the_queue_lost_is_queued_again(ask):
    ask(days=1)
    OrmQ.objects.all().delete()
    tasks.check()
    assert not OrmQ.objects.exists()
    Reconciliation.objects.update(requested_at=timezone.now() - timezone.timedelta(minutes=3))
    tasks.check()
    assert [row.func() for row in OrmQ.objects.all()] == [tasks.RUN_RECONCILIATION]
