"""Commands join what is under way: one comparison and one test of a connection, whatever asked for it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from connections import leases
from sync.connection_test import on_request
from sync.management.commands import reconcile
from sync.models import PollState, Reconciliation
from sync.repair import reconcile as reconciling

pytestmark = pytest.mark.django_db
COMPARE = ("reconcile", "-c", "Shop Madrid")


@pytest.fixture
def read(shop, odoo):
    """The shop has been read once, and has nothing."""
    now = timezone.now()
    PollState.objects.create_missing(now)
    PollState.objects.update(window_to=now, started_at=now)
    return shop


@pytest.fixture
def sleeps(monkeypatch):
    """What happens while a command waits: an act for each look."""
    acts = []

    def sleep(seconds):
        acts.pop(0)()

    monkeypatch.setattr(reconcile, "sleep", sleep)
    return acts


def asked(shop, **values):
    since, now = timezone.now() - timedelta(days=5), timezone.now()
    row = reconciling.ask(shop, since=since, repair=False, by="ana", now=now)
    Reconciliation.objects.filter(pk=row.pk).update(**values)
    return Reconciliation.objects.filter(pk=row.pk)


def test_alone_it_compares_at_once(run, read, sleeps):
    printed = run(*COMPARE)
    assert printed.code == 0 and "0 orders compared" in printed.out and "asked for before" not in printed.out
    done = Reconciliation.objects.get()
    assert (done.progress, done.requested_by) == ("done", "manage.py")
    assert done.next_at >= done.requested_at


def test_what_the_poller_compares_is_waited_for(run, read, sleeps):
    row = asked(read, progress="running", started_at=timezone.now())
    counts = {"missing": 2}
    sleeps += [lambda: None, lambda: row.update(progress="done", counts=counts, orders_compared=7)]
    with pytest.raises(SystemExit):  # they differ
        run(*COMPARE)
    assert sleeps == [] and Reconciliation.objects.count() == 1


def test_it_says_whom_it_joins(run, read, sleeps):
    row = asked(read, progress="running", started_at=timezone.now())
    sleeps.append(lambda: row.update(progress="done", orders_compared=7))
    printed = run(*COMPARE)
    assert "was asked for before, by ana" in printed.out and "7 orders compared" in printed.out
    row = asked(read, requested_by="", progress="running", started_at=timezone.now())
    sleeps.append(lambda: row.update(progress="done"))
    assert "by the schedule" in run(*COMPARE).out


def test_what_waits_for_the_poller_is_done_by_the_command(run, read, sleeps):
    asked(read)
    sleeps.append(lambda: None)
    assert run(*COMPARE).code == 0
    assert Reconciliation.objects.get().requested_by == "ana"
    assert Reconciliation.objects.get().progress == "done"


def test_a_joined_comparison_does_not_fail_because_the_command_gets_no_turn(run, read, sleeps):
    asked(read)
    leases.claim([f"work:{read.odoo_lease_key}"], "somebody", now=timezone.now())
    sleeps += [lambda: None, lambda: leases.release([f"work:{read.odoo_lease_key}"], "somebody")]
    sleeps += [lambda: None]
    printed = run(*COMPARE)
    assert printed.code == 0 and Reconciliation.objects.get().progress == "done"


def test_one_whose_worker_died_is_not_waited_for(run, read, sleeps):
    row = asked(read, progress="running", started_at=timezone.now())
    long_ago = timezone.now() - timedelta(hours=1)
    sleeps.append(lambda: row.update(started_at=long_ago))
    printed = run(*COMPARE)
    assert printed.code == 1 and printed.error


@pytest.mark.parametrize("command", ["testconnection", "checkreceiver"])
def test_a_connection_that_is_being_tested_is_not_tested_beside_that(run, shop, command):
    with on_request.only_test(shop.pk):
        printed = run(command, "Shop Madrid")
    assert printed.code == 1 and "“Shop Madrid” is being tested at this moment" in printed.error
    assert printed.out == ""


def test_after_a_command_the_connection_is_free_to_be_tested(run, shop, odoo, receiver):
    run("testconnection", "Shop Madrid")
    assert not leases.Lease.objects.exists()
