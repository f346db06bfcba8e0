"""A comparison that a person asks for: written down with its options, joined where it is asked for again."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from sync.models import Reconciliation
from tests.core.admin.conftest import said


def address(connection):
    return reverse("admin:connections_connection_reconcile_one", args=[connection.pk])


@pytest.fixture
def ask(admin_client, connection):
    def ask(*, follow=True, **values):
        return admin_client.post(address(connection), {"_form_submitted": "True", **values}, follow=follow)

    return ask


def test_a_comparison_is_written_down_for_the_poller(ask, admin_user):
    answer = ask(days=3, repair="on")
    assert answer.status_code == 200
    wanted = Reconciliation.objects.get()
    assert (wanted.progress, wanted.repair, wanted.requested_by) == ("waiting", True, admin_user.username)
    assert round((timezone.now() - wanted.since).total_seconds() / 86400) == 3
    assert "1 comparison has been asked for" in said(answer)
    assert Reconciliation.objects.due(timezone.now()).get() == wanted
    assert not OrmQ.objects.exists()


@pytest.mark.parametrize("days", ["0", "91", "soon", ""])
def test_a_span_that_makes_no_sense_is_refused(ask, days):
    ask(days=days)
    assert not Reconciliation.objects.exists()


def test_looking_at_the_question_asks_for_nothing(admin_client, connection):
    admin_client.get(address(connection))
    assert not Reconciliation.objects.exists()


def test_a_hundred_presses_are_one_comparison_and_say_so(ask):
    for _ in range(99):
        ask(follow=False, days=2)
    answer = ask(days=2)
    assert "1 comparison was asked for before and has not ended" in said(answer)
    assert Reconciliation.objects.count() == 1


def test_one_that_waits_is_widened_to_what_is_asked_for(ask):
    ask(days=2)
    ask(days=9, repair="on")
    wanted = Reconciliation.objects.get()
    assert wanted.repair and round((timezone.now() - wanted.since) / timedelta(days=1)) == 9


def test_one_that_has_begun_is_joined_where_it_does_what_is_asked_for(ask):
    ask(days=5)
    Reconciliation.objects.update(progress="running", started_at=timezone.now())
    ask(days=3)
    assert Reconciliation.objects.count() == 1
    ask(days=9)
    ask(days=3, repair="on")
    running, waiting = Reconciliation.objects.order_by("pk")
    assert (running.progress, running.repair) == ("running", False)
    assert waiting.repair and round((timezone.now() - waiting.since) / timedelta(days=1)) == 9


def test_one_whose_worker_died_is_not_joined(ask):
    ask(days=2)
    Reconciliation.objects.update(progress="running", started_at=timezone.now() - timedelta(minutes=16))
    ask(days=2)
    assert Reconciliation.objects.filter(progress="waiting").count() == 1


def test_many_connections_at_once_join_too(admin_client, make_connection):
    rows = [make_connection() for _ in range(120)]
    data = {"action": "reconcile", "index": "0", "_selected_action": [row.pk for row in rows]}
    data |= {"_form_submitted": "True", "days": "2"}
    place = reverse("admin:connections_connection_changelist")
    assert "120 comparisons have been asked for" in said(admin_client.post(place, data, follow=True))
    again = said(admin_client.post(place, data, follow=True))
    assert "120 comparisons were asked for before" in again
    assert Reconciliation.objects.count() == 120
