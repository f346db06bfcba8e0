"""Background work: so much at once and no more, of one database one piece, and a turn for everybody."""

from datetime import timedelta

import pytest

from connections import leases
from connections.models import Lease
from core.background import slots
from core.models import ChannelTest
from sync import background
from sync.connection_test import on_request
from sync.models import (
    ConnectionTest,
    PollState,
    Reconciliation,
    RetryItem,
    Run,
    RunKind,
    SeenOrder,
    SyncLog,
    Wish,
)
from sync.polling import turn
from sync.repair import reconcile, recovery
from tests import factories

pytestmark = pytest.mark.django_db
LATER = timedelta(hours=1)


@pytest.fixture
def shops(make_connection, clock):
    """Connections that have begun; nothing of them is due."""

    def make(number, **values):
        made = [make_connection() for _ in range(number)]
        PollState.objects.create_missing(clock())
        sane = {"window_to": clock(), "deep_check_at": clock() + LATER, "reconcile_at": clock() + LATER}
        PollState.objects.filter(connection__in=made).update(**sane | values)
        return made

    return make


@pytest.fixture
def compared(monkeypatch):
    """The names of connections that were compared, or deeply checked, instead of asking Odoo."""
    names = []

    def go_on(wanted, *, clock, in_background):
        assert in_background and wanted.progress == "running"
        names.append(wanted.connection.name)
        Reconciliation.objects.filter(pk=wanted.pk).update(progress="done")

    def check(connection, *, clock):
        names.append(f"deep {connection.name}")
        PollState.objects.filter(connection=connection).update(deep_check_at=clock() + LATER)

    monkeypatch.setattr(reconcile, "go_on", go_on)
    monkeypatch.setattr(background.deep_checks, "deep_check", check)
    return names


def asked(clock, *connections, by="ana"):
    since = clock() - timedelta(days=2)
    return [reconcile.ask(c, since=since, repair=False, by=by, now=clock()) for c in connections]


def run_of(connection, clock, kind=RunKind.RESEND, order_id=1):
    waits = {"status": "failed", "next_retry_at": None, "created_at": clock()}
    item = factories.owed(connection, order_id=order_id, order_name="S1", write_date=clock(), **waits)
    factories.seen_as(item, seen_at=clock())
    rows = RetryItem.objects.filter(pk=item.pk)
    return recovery.start(rows, kind=kind, token=leases.new_token(), by="ana", now=clock())


def pieces(group, clock):
    """All that may be done at once."""
    return list(iter(lambda: background.next_piece(group, clock=clock), None))


def work(clock):
    return background.work_off(seconds=60, clock=clock)


# --- Slots ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("group", slots.SLOTS)
def test_of_a_group_so_many_slots_and_no_more(group, clock):
    held = [slots.claim(group, clock()) for _ in range(slots.SLOTS[group])]
    assert all(held) and len(held) == (4 if group == slots.CHECK else 2)
    assert slots.claim(group, clock()) is None
    slots.release(held[0])
    assert slots.claim(group, clock()).key == held[0].key


def test_the_slot_of_a_dead_process_is_free_when_its_lease_ends(clock):
    for _ in range(slots.SLOTS[slots.RUN]):
        slots.claim(slots.RUN, clock())
    clock.advance(slots.HOLD_SECONDS - 1)
    assert slots.claim(slots.RUN, clock()) is None
    clock.advance(1)
    assert slots.claim(slots.RUN, clock()) is not None


def test_a_slot_outlives_whatever_is_done_in_it():
    """Waiting for a poll, then all calls; or what a last deep check of a batch may take."""
    assert turn.WAIT_SECONDS + turn.CALLS_SECONDS < slots.HOLD_SECONDS
    assert background.CHECKING_SECONDS + 5 + turn.CALLS_SECONDS < slots.HOLD_SECONDS
    resend = recovery.SHOPS_SECONDS + turn.WAIT_SECONDS + turn.CALLS_SECONDS
    assert resend <= recovery.RESEND_SECONDS < slots.HOLD_SECONDS
    test = on_request.LONGEST_SECONDS
    assert test < slots.HOLD_SECONDS


def test_another_limit_is_kept_as_well(clock, shops, compared, monkeypatch):
    monkeypatch.setitem(slots.SLOTS, slots.RUN, 1)
    asked(clock, *shops(5))
    assert len(pieces(slots.RUN, clock)) == 1


# --- At once --------------------------------------------------------------------------------------------


def test_of_a_hundred_comparisons_two_are_under_way(clock, shops, compared):
    asked(clock, *shops(100))
    first = pieces(slots.RUN, clock)
    assert len(first) == 2
    first[0].do()
    assert background.next_piece(slots.RUN, clock=clock) is not None
    assert background.next_piece(slots.RUN, clock=clock) is None


def test_groups_do_not_wait_for_each_other(clock, shops, compared):
    one, two, three = shops(3)
    asked(clock, one, two)
    run_of(three, clock, RunKind.RETRY)
    PollState.objects.filter(connection=three).update(deep_check_at=clock())
    on_request.ask_saved(three.pk, by="ana", now=clock())
    assert background.due_groups(clock()) == [slots.TEST, slots.WRITE, slots.RUN, slots.CHECK]
    assert {group: len(pieces(group, clock)) for group in background.GROUPS} == {
        slots.TEST: 1,
        slots.WRITE: 1,
        slots.RUN: 2,
        slots.CHECK: 1,
    }


def test_nothing_is_claimed_where_nothing_is_due(clock, shops, django_assert_num_queries):
    shops(3)
    with django_assert_num_queries(1):
        assert background.due_groups(clock()) == []
    assert [background.next_piece(group, clock=clock) for group in background.GROUPS] == [None] * 4
    assert not Lease.objects.exists()


def test_only_shops_that_can_be_checked_are_looked_for(clock, shops, connection):
    PollState.objects.create_missing(clock())
    past = {"deep_check_at": clock(), "reconcile_at": clock()}
    PollState.objects.filter(connection=connection).update(**past)  # it has not begun
    [off] = shops(1, **past)
    off.enabled = False
    off.save()
    assert background.due_groups(clock()) == []
    shops(1, **past)
    assert background.due_groups(clock()) == [slots.CHECK]


def test_a_slot_is_given_back_when_the_work_fails(clock, shops, monkeypatch):
    asked(clock, *shops(1))
    monkeypatch.setattr(reconcile, "go_on", lambda *args, **more: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        background.next_piece(slots.RUN, clock=clock).do()
    assert not Lease.objects.exists()


def test_a_slot_is_given_back_when_claiming_fails(clock, shops, monkeypatch):
    run_of(*shops(1), clock)
    monkeypatch.setattr(background.sync_due, "claim_runs", lambda *args, **more: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        background.next_piece(slots.RUN, clock=clock)
    assert not Lease.objects.exists()


def test_a_run_on_which_somebody_works_keeps_no_slot(clock, shops):
    run = run_of(*shops(1), clock)
    leases.claim([run.lease_key], "another", now=clock())
    assert background.next_piece(slots.RUN, clock=clock) is None
    assert set(Lease.objects.values_list("key", flat=True)) == {run.lease_key}


# --- One piece at a database ----------------------------------------------------------------------------


def test_a_hanging_database_holds_up_one_slot_however_much_is_asked_of_it(clock, shops, monkeypatch):
    """Somebody hangs on it already: a hundred runs and a comparison find that out at once, and wait."""
    hanging, healthy = shops(2)
    leases.claim([turn.work_lease_key(hanging.odoo_lease_key)], "hangs", now=clock(), seconds=3600)
    monkeypatch.setattr(turn, "sleep", lambda seconds: pytest.fail("it waits in a slot"))
    monkeypatch.setattr(turn, "connect", lambda *args, **more: pytest.fail("it is called"))
    runs = [run_of(hanging, clock, order_id=number) for number in range(100)]
    asked(clock, hanging)
    assert work(clock) == 101
    assert work(clock) == 0, "they rest"
    assert set(Run.objects.values_list("error_code", flat=True)) == {"odoo_busy"}
    assert Reconciliation.objects.get().progress == "waiting"
    clock.advance(turn.BUSY_SECONDS)
    assert work(clock) == 101 and len(runs) == 100
    assert Lease.objects.count() == 1 and healthy


def test_deep_checks_of_one_database_do_not_queue_up_at_it(clock, shops, monkeypatch):
    one, two = shops(2, deep_check_at=clock())
    leases.claim([turn.work_lease_key(one.odoo_lease_key)], "hangs", now=clock(), seconds=3600)
    monkeypatch.setattr(turn, "sleep", lambda seconds: pytest.fail("it waits in a slot"))
    two.odoo_url = "http://127.0.0.1:9"
    two.save()
    assert work(clock) == 1
    assert SyncLog.objects.get().connection == two
    assert PollState.objects.get(pk=one.pk).deep_check_at == clock() + timedelta(minutes=1)


def test_a_command_waits_where_background_work_does_not(clock, connection, monkeypatch):
    key, waits = turn.work_lease_key(connection.odoo_lease_key), []
    leases.claim([key], "somebody", now=clock())

    def sleep(seconds):
        waits.append(seconds)
        leases.release([key], "somebody")

    monkeypatch.setattr(turn, "sleep", sleep)
    with pytest.raises(turn.Busy), turn.turn(connection, clock=clock, in_background=True):
        pass
    assert waits == []
    with turn.turn(connection, clock=clock):
        assert len(waits) == 1


def test_who_waits_for_a_turn_writes_nothing(clock, connection, monkeypatch, django_assert_num_queries):
    leases.claim([connection.odoo_lease_key], "poll", now=clock(), seconds=3600)
    with django_assert_num_queries(1):
        assert not turn._claim(connection.odoo_lease_key, "mine", clock())


# --- Whose turn it is -----------------------------------------------------------------------------------


def test_shops_whose_polls_fail_are_compared_last(clock, shops, compared):
    failing = shops(20, failures=1)
    asked(clock, *failing)
    clock.advance(1)
    healthy = shops(1)
    asked(clock, *healthy)
    work(clock)
    assert compared[0] == healthy[0].name and len(compared) == 21


def test_runs_and_comparisons_take_turns(clock, shops, compared, monkeypatch):
    done = []
    monkeypatch.setattr(recovery, "work", lambda token, number, **more: done.append(number))
    connections = shops(6)
    asked(clock, *connections)
    for connection in connections:
        run_of(connection, clock)
    for _ in range(4):
        background.next_piece(slots.RUN, clock=clock).do()
    assert len(done) == 2 and len(compared) == 2


def test_what_a_schedule_asks_for_is_not_in_the_group_of_people(clock, shops, compared):
    one, two = shops(2)
    asked(clock, one, by="")
    asked(clock, two, by="ana")
    background.next_piece(slots.RUN, clock=clock).do()
    assert compared == [two.name] and background.next_piece(slots.RUN, clock=clock) is None
    background.next_piece(slots.CHECK, clock=clock).do()
    assert compared == [two.name, one.name]


def test_what_is_due_by_itself_is_done(clock, shops, compared):
    deep, daily = shops(2)
    PollState.objects.filter(connection=deep).update(deep_check_at=clock())
    PollState.objects.filter(connection=daily).update(reconcile_at=clock())
    work(clock)
    assert sorted(compared) == sorted([f"deep {deep.name}", daily.name])
    assert Reconciliation.objects.get().requested_by == ""
    work(clock)
    assert len(compared) == 2


def test_the_daily_comparison_joins_one_that_a_person_asked_for(clock, shops, compared):
    [shop] = shops(1)
    reconcile.ask(shop, since=clock() - timedelta(days=30), repair=True, by="ana", now=clock())
    PollState.objects.update(reconcile_at=clock())
    background.next_piece(slots.CHECK, clock=clock).do()
    assert Reconciliation.objects.count() == 1


def test_a_shop_whose_polls_fail_is_not_checked_until_they_work(clock, shops, compared):
    shops(1, failures=1, deep_check_at=clock(), reconcile_at=clock())
    assert work(clock) == 0 and background.due_groups(clock()) == []
    PollState.objects.update(failures=0)
    assert work(clock) == 2


def test_no_further_check_begins_once_the_poller_stops(clock, shops, compared):
    shops(3, deep_check_at=clock())
    piece = background.next_piece(slots.CHECK, clock=clock, closing=lambda: bool(compared))
    piece.do()
    assert len(compared) == 1
    assert background.work_off(seconds=60, clock=clock, closing=lambda: True) == 0


def test_a_comparison_of_a_command_is_left_to_it_for_a_while(clock, shops, compared):
    [shop] = shops(1)
    since, later = clock() - timedelta(days=1), clock() + timedelta(minutes=2)
    reconcile.ask(shop, since=since, repair=False, by="manage.py", now=clock(), next_at=later)
    assert work(clock) == 0
    clock.advance(minutes=2)
    assert work(clock) == 1  # the command has died


# --- Tests ----------------------------------------------------------------------------------------------


def test_two_connections_are_tested_at_once_and_each_once(clock, shops, monkeypatch):
    monkeypatch.setattr(on_request, "run_test", lambda connection, *, now: iter(()))
    for shop in shops(5):
        assert on_request.ask_saved(shop.pk, by="ana", now=clock())
        assert not on_request.ask_saved(shop.pk, by="eva", now=clock())
    first = pieces(slots.TEST, clock)
    assert len(first) == 2
    assert Lease.objects.filter(key__startswith="test:").count() == 2
    for piece in first:
        piece.do()
    assert work(clock) == 3
    assert ConnectionTest.objects.filter(finished_at=clock()).count() == 5 and not Lease.objects.exists()


def test_of_many_tests_the_newest_comes_first_and_shops_whose_polls_fail_last(clock, shops, monkeypatch):
    tested = []
    monkeypatch.setattr(
        on_request, "run_test", lambda connection, *, now: tested.append(connection) or iter(())
    )
    failing, bulk, pressed = shops(1, failures=1), shops(3), shops(1)
    for connection in [*bulk, *failing]:
        on_request.ask_saved(connection.pk, by="ana", now=clock())
    clock.advance(1)
    on_request.ask_saved(pressed[0].pk, by="eva", now=clock())
    work(clock)
    assert tested == [*pressed, *bulk, *failing]


def test_one_that_is_asked_for_again_is_not_spoilt_by_the_one_before(clock, shops, monkeypatch):
    [shop] = shops(1)
    monkeypatch.setattr(on_request, "run_test", lambda c, *, now: iter([on_request.Stage("a", True)]))
    on_request.ask_saved(shop.pk, by="ana", now=clock())
    late = background.next_piece(slots.TEST, clock=clock)
    clock.advance(slots.HOLD_SECONDS)
    assert on_request.ask_saved(shop.pk, by="eva", now=clock())
    late.do()
    test = ConnectionTest.objects.get()
    assert (test.asked_by, test.waits, test.stages) == ("eva", True, [])


def test_channels_are_tested_in_the_same_two_slots(clock, shops, monkeypatch):
    for number in range(3):
        channel = factories.channel(f"c{number}", kind="slack", target="https://example.com")
        ChannelTest.objects.ask({"channel_id": channel.pk}, by="ana", now=clock())
    monkeypatch.setattr(on_request, "send_test", lambda channel: ("", ""))
    assert len(pieces(slots.TEST, clock)) == 2
    assert ChannelTest.objects.filter(waits=True).count() == 1


# --- Runs -----------------------------------------------------------------------------------------------


def test_orders_of_shops_that_can_be_read_are_sent_again_first(clock, shops, monkeypatch):
    tried = []
    monkeypatch.setattr(
        recovery._Worker, "_send_again", lambda self, shop, rows: tried.append(shop) or ("odoo_timeout", "")
    )
    failing, healthy = shops(20, failures=2), shops(1)
    for number, shop in enumerate([*failing, *healthy], start=1):
        factories.seen(shop, number=number, write_date=clock(), seen_at=clock())
    rows = SeenOrder.objects.order_by("pk")
    run = recovery.start(rows, kind=RunKind.RESEND, token="t", by="ana", now=clock())
    background.next_piece(slots.RUN, clock=clock).do()
    assert tried == [healthy[0].pk]
    run.rows.filter(connection=healthy[0]).update(state="done")
    clock.advance(minutes=2)
    background.next_piece(slots.RUN, clock=clock).do()
    assert len(tried) == 1 + recovery.SHOPS_TRIED


def test_a_step_ends_after_a_shop_that_hangs(clock, shops, monkeypatch):
    tried = []

    def hang(self, shop, rows):
        tried.append(shop)
        monkeypatch.setattr(recovery.time, "monotonic", lambda: float("inf"))
        return ("odoo_timeout", "")

    monkeypatch.setattr(recovery._Worker, "_send_again", hang)
    for number, shop in enumerate(shops(3), start=1):
        run_of(shop, clock, order_id=number)
    Run.objects.all().delete()
    rows = RetryItem.objects.order_by("pk")
    recovery.start(rows, kind=RunKind.RESEND, token="t", by="ana", now=clock())
    background.next_piece(slots.RUN, clock=clock).do()
    assert len(tried) == 1


def test_of_two_runs_asked_for_at_the_same_moment_one_sends_the_order(clock, shops, monkeypatch):
    [shop] = shops(1)
    sent = []
    monkeypatch.setattr(
        recovery.resend, "resend", lambda c, *, order_ids, also, **more: sent.append(order_ids) or also()
    )
    first = run_of(shop, clock)
    twin = Run.objects.create(
        kind=RunKind.RESEND, token="u", asked_by="eva", asked_at=clock(), next_at=clock(), total=1
    )
    row = first.rows.get()
    row.pk, row.run = None, twin
    row.save(force_insert=True)
    Run.objects.filter(pk=first.pk).update(next_at=clock() + timedelta(seconds=1))
    background.next_piece(slots.RUN, clock=clock).do()
    assert sent == [] and twin.rows.get().why == "in_hand"
    clock.advance(1)
    background.next_piece(slots.RUN, clock=clock).do()
    assert sent == [[1]] and first.rows.get().state == "done"


@pytest.mark.parametrize("kind", [RunKind.RETRY, RunKind.DISCARD, RunKind.RESEND])
def test_a_run_that_has_all_rows_in_hand_is_joined(clock, shops, kind):
    first = run_of(*shops(1), clock, kind)
    rows = RetryItem.objects.all()
    assert recovery.start(rows, kind=kind, token="u", by="eva", now=clock()) == first
    recovery.wish(first, Wish.PAUSE, by="ana", now=clock())
    assert recovery.start(rows, kind=kind, token="v", by="eva", now=clock()) == first
    assert Run.objects.count() == 1
    recovery.wish(first, Wish.CANCEL, by="ana", now=clock())
    assert recovery.start(rows, kind=kind, token="w", by="eva", now=clock()) != first


def test_another_kind_is_another_run(clock, shops):
    first = run_of(*shops(1), clock, RunKind.RETRY)
    rows = RetryItem.objects.all()
    assert recovery.start(rows, kind=RunKind.DISCARD, token="u", by="eva", now=clock()) != first
