"""Acts on many orders: every row once, whatever dies or is pressed twice; people pause, resume and stop."""

import os
from datetime import timedelta

import pytest
from django.test import override_settings

from connections import leases
from sync import due, ledger
from sync.models import PollState, RetryItem, RowState, Run, RunKind, RunRow, SeenOrder, Status, Wish
from sync.repair import recovery
from sync.repair.recovery import Choice, TooMany
from tests import factories


class Died(Exception):
    """Stands for a worker that is killed."""


@pytest.fixture
def owed(make_connection, clock):
    """Failed versions: owed(30, shops=3) -> the connections."""

    def make(count, shops=1, **values):
        connections = [make_connection() for _ in range(shops)]
        PollState.objects.create_missing(clock())
        now = clock()
        sane = {"write_date": now, "created_at": now, "next_retry_at": None}
        sane |= {"status": Status.FAILED, "error_code": "receiver_refused"}
        rows = [
            factories.owing(connections[number % shops], number=number, **sane | values)
            for number in range(count)
        ]
        items = RetryItem.objects.bulk_create(rows, batch_size=2000)
        known = [factories.known_as(item, seen_at=now) for item in items]
        SeenOrder.objects.bulk_create(known, batch_size=2000)
        return connections

    return make


@pytest.fixture
def begin(clock):
    def begin(kind=RunKind.RETRY, token="t" * 32, **choice):
        rows = Choice(kind=kind, **choice).rows()
        return recovery.start(rows, kind=kind, token=token, by="ana", now=clock(), reason="outage")

    return begin


@pytest.fixture
def worked(clock):
    """What is due is claimed and done, second by second, until nothing is due; how many steps it took."""

    def work(steps=10_000):
        for number in range(steps):
            claims = due.claim_runs(clock(), 4)
            if not claims:
                return number
            for token, ids in claims:
                recovery.work(token, ids[0], clock=clock)
            clock.advance(1)
        return steps

    return work


def states(run):
    counts = recovery.counts(run)
    return counts.waiting, counts.done, counts.left


def test_failed_orders_are_due_at_its_pace_and_each_once(owed, begin, worked, clock):
    owed(120, shops=3)
    run = begin()
    assert (run.total, states(run)) == (120, (120, 0, 0))
    assert worked(1) == 1 and states(run) == (70, 50, 0)
    worked()
    run.refresh_from_db()
    assert states(run) == (0, 120, 0) and run.finished_at and run.started_at
    assert RetryItem.objects.due(clock()).count() == 120
    row = RunRow.objects.first()
    assert (row.before, row.after) == ("failed", "pending")
    assert PollState.objects.filter(deliver_at__lte=clock()).count() == 3


def test_pressed_twice_is_one_run_and_a_second_finds_nothing_left(owed, begin):
    owed(10)
    assert begin().pk == begin().pk
    assert Run.objects.count() == 1
    assert begin(token="u" * 32).total == 0


def test_what_changed_meanwhile_is_left_alone(owed, begin, worked, clock):
    owed(3)
    run = begin()
    first, second, third = RetryItem.objects.order_by("pk")
    RetryItem.objects.filter(pk=first.pk).update(status=Status.SENT)
    SeenOrder.objects.filter(order_id=second.order_id).update(version=2)
    RetryItem.objects.filter(pk=third.pk).delete()
    worked()
    assert states(run) == (0, 0, 3)
    assert list(run.rows.order_by("pk").values_list("why", flat=True)) == ["sent", "failed", "gone"]


def test_the_choice_narrows(owed, clock):
    owed(2)
    clock.advance(hours=2)
    [vigo] = owed(3, error_code="receiver_timeout")
    owed(4, status=Status.PENDING, next_retry_at=clock())

    def found(**choice):
        return Choice(kind=RunKind.RETRY, **choice).rows().count()

    assert found() == 5 and found(state="pending") == 4 and found(state="open") == 9
    assert found(cause="receiver_timeout") == 3 and found(connections=(vigo.pk,)) == 3
    assert found(since=clock() - timedelta(minutes=1)) == 3
    assert found(until=clock() - timedelta(minutes=1)) == 2


def test_people_pause_resume_and_stop(owed, begin, worked, clock):
    owed(150)
    run = begin()
    worked(1)
    assert recovery.wish(run, Wish.PAUSE, by="eva", now=clock())
    assert worked() == 0 and states(run) == (100, 50, 0)
    recovery.wish(run, Wish.GO, by="eva", now=clock())
    worked(1)
    recovery.wish(run, Wish.CANCEL, by="eva", now=clock())
    assert worked() == 0 and states(run) == (50, 100, 0)
    assert not recovery.wish(run, Wish.GO, by="eva", now=clock())
    assert RetryItem.objects.filter(status=Status.FAILED).count() == 50


def test_a_wish_counts_in_the_middle_of_a_step(owed, begin, clock, monkeypatch):
    owed(10)
    run = begin()
    [(token, ids)] = due.claim_runs(clock(), 1)
    recovery.wish(run, Wish.PAUSE, by="eva", now=clock())
    assert recovery.work(token, ids[0], clock=clock) == 0
    assert states(run) == (10, 0, 0)


def test_a_discard_gives_its_reason_and_is_undone(owed, begin, worked, clock):
    owed(60)
    run = begin(RunKind.DISCARD)
    worked()
    assert set(RetryItem.objects.values_list("status", "discarded_by", "discard_reason")) == {
        ("discarded", "ana", "outage")
    }
    undone = recovery.undo(run, token="u" * 32, by="eva", now=clock())
    assert recovery.undo(run, token="u" * 32, by="eva", now=clock()).pk == undone.pk
    worked()
    assert states(undone) == (0, 60, 0)
    assert RetryItem.objects.filter(status=Status.PENDING).count() == 60


def test_too_many_are_refused_as_a_whole(owed, begin, monkeypatch):
    monkeypatch.setattr(recovery, "MOST_ROWS", 5)
    owed(6)
    with pytest.raises(TooMany):
        begin()
    assert not Run.objects.exists() and not RunRow.objects.exists()


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_worker_that_dies_in_a_step_costs_nothing(where, owed, begin, worked, clock, monkeypatch):
    owed(120)
    run = begin()
    real = ledger.retry_now

    def die(items, *, now):
        if where == "after":
            real(items, now=now)
        raise Died

    worked(1)
    monkeypatch.setattr(ledger, "retry_now", die)
    with pytest.raises(Died):
        worked(1)
    assert states(run) == (70, 50, 0)
    assert RetryItem.objects.filter(status=Status.PENDING).count() == 50
    monkeypatch.setattr(ledger, "retry_now", real)
    worked()
    assert states(run) == (0, 120, 0)


def test_one_that_lost_its_lease_writes_nothing(owed, begin, worked, clock):
    owed(10)
    run = begin()
    [(late, ids)] = due.claim_runs(clock(), 1)
    assert due.claim_runs(clock(), 1) == []
    clock.advance(leases.LEASE_SECONDS + 1)
    worked()
    assert states(run) == (0, 10, 0)
    assert recovery.work(late, ids[0], clock=clock) == 0


def dying_now_and_then(monkeypatch):
    real, count = ledger.retry_now, iter(range(10**9))

    def act(items, *, now):
        changed = real(items, now=now)
        if next(count) % 3 == 1:
            raise Died
        return changed

    monkeypatch.setattr(ledger, "retry_now", act)


def test_a_whole_outage_is_recovered_with_workers_dying_all_the_time(owed, begin, worked, clock, monkeypatch):
    count = int(os.environ.get("POLLER_TEST_ROWS", "600"))  # 25000 take half a minute
    owed(count, shops=7)
    dying_now_and_then(monkeypatch)
    with override_settings(RUN_ROWS_PER_SECOND=count // 20):
        run, deaths = begin(), 0
        while states(run)[0]:
            try:
                worked()
            except Died:
                deaths += 1
                clock.advance(leases.LEASE_SECONDS + 1)
    assert deaths >= 9
    assert states(run) == (0, count, 0)
    assert run.rows.filter(state=RowState.DONE).values("item_id").distinct().count() == count
    assert RetryItem.objects.filter(status=Status.PENDING).count() == count


def test_orders_are_sent_again_shop_by_shop(make_world, worked, clock):
    world = make_world(start="all")
    ids = [world.confirmed() for _ in range(4)]
    world.wait(minutes=2)
    assert len(world.got()) == 4
    gone = ids.pop()
    world.shop.cancel(gone)
    world.shop.unlink(gone)
    rows = Choice(kind=RunKind.RESEND, since=clock() - timedelta(hours=1)).rows()
    assert rows.count() == 4
    run = recovery.start(rows, kind=RunKind.RESEND, token="t", by="ana", now=clock())
    worked()
    assert states(run) == (0, 3, 1) and run.rows.get(state=RowState.LEFT).why == "gone"
    world.wait(seconds=10)
    assert sorted(name for name, __, version in world.got() if version == 2) == ["S00001", "S00002", "S00003"]


def test_a_shop_that_is_down_waits_and_says_so(make_world, worked, clock):
    world = make_world(start="all")
    world.confirmed()
    world.wait(minutes=2)
    rows = Choice(kind=RunKind.RESEND, since=clock() - timedelta(hours=1)).rows()
    run = recovery.start(rows, kind=RunKind.RESEND, token="t", by="ana", now=clock())
    world.connection.odoo_url = "http://127.0.0.1:9"
    world.connection.save()
    assert worked() == 1
    run.refresh_from_db()
    assert run.error_code.startswith("odoo_") and states(run) == (1, 0, 0)
    clock.advance(recovery.REST_SECONDS)
    assert worked() == 1
