"""The process of a runpoller for background work: it does what is due, is replaced, and ends in time."""

import os
import signal
import threading

import pytest
from django.db import OperationalError
from django.utils import timezone

from connections import leases
from core.background import slots
from core.background.runner.shared_state import SharedState
from sync import background
from sync.models import PollState, Reconciliation
from sync.repair import reconcile
from sync.runner.background_process import BackgroundDispatcher, BackgroundProcess
from tests.system.poller_processes import PROMISED_STOP_SECONDS, eventually, is_gone
from tests.system.test_runpoller import group_leaders_below, poller, pollers, template  # noqa: F401 - fixtures


def background_of(poller):  # noqa: F811
    """Its process id: the child that is not the queue's guard."""
    others = set(group_leaders_below(poller.pid)) - {poller.stat.sentinel}
    return min(others, default=None)


@pytest.mark.slow
def test_it_is_replaced_when_it_dies_and_the_workers_go_on(poller):  # noqa: F811
    before, first = poller.stat, eventually(lambda: background_of(poller))
    poller.queue("nap", "long", 3)
    eventually(lambda: "begin-long" in poller.marks())
    os.kill(first, signal.SIGKILL)
    eventually(lambda: background_of(poller) not in (None, first))
    eventually(lambda: "end-long" in poller.marks())
    assert poller.mark_names().count("begin-long") == 1
    assert poller.stat.sentinel == before.sentinel and "Polls go on" in poller.said()
    assert poller.stop() == 0


@pytest.mark.slow
def test_it_ends_with_its_poller_however_that_ends(pollers):  # noqa: F811
    for end in ("stop", "kill"):
        poller = pollers.start()  # noqa: F811
        poller.until_ready()
        pid = eventually(lambda poller=poller: background_of(poller))
        getattr(poller, end)()
        eventually(lambda pid=pid: is_gone(pid), 5)


@pytest.mark.slow
def test_a_signal_to_everybody_leaves_it_time_to_end(poller):  # noqa: F811
    pid = eventually(lambda: background_of(poller))
    for each in (pid, poller.pid):
        os.kill(each, signal.SIGTERM)
    assert poller.process.wait(PROMISED_STOP_SECONDS) == 0
    assert "are replaced" not in poller.said()


# --- The dispatcher, in this process ---------------------------------------------------------------------


@pytest.fixture
def dispatcher(transactional_db):
    dispatcher = BackgroundDispatcher(SharedState())
    yield dispatcher
    dispatcher._shared.close()
    dispatcher.join()


@pytest.fixture
def asked(make_connection):
    for _ in range(5):
        now = timezone.now()
        reconcile.ask(make_connection(), since=now, repair=False, by="ana", now=now)


def test_it_begins_what_there_are_slots_for_and_goes_on_by_itself(dispatcher, asked, monkeypatch):
    begun, leave = [], threading.Semaphore(0)

    def go_on(wanted, **how):
        begun.append(wanted.pk)
        assert leave.acquire(timeout=20)

    monkeypatch.setattr(reconcile, "go_on", go_on)
    dispatcher.look()
    dispatcher.look()
    eventually(lambda: len(begun) == slots.SLOTS[slots.RUN])
    dispatcher.look()
    assert len(begun) == 2 and len(dispatcher._threads[slots.RUN]) == 2
    for _ in range(5):
        leave.release()
    dispatcher.join()
    assert len(begun) == len(set(begun)) == 5
    assert not leases.Lease.objects.exists()


def test_once_the_poller_stops_nothing_further_begins(dispatcher, asked, monkeypatch):
    begun = []

    def go_on(wanted, **how):
        begun.append(wanted.pk)
        dispatcher._shared.close()

    monkeypatch.setattr(reconcile, "go_on", go_on)
    dispatcher.look()
    dispatcher.join()
    assert 1 <= len(begun) <= slots.SLOTS[slots.RUN]
    dispatcher.run()
    assert Reconciliation.objects.filter(progress="waiting").count() == 5 - len(begun)


def test_work_that_fails_in_our_own_code_is_told_and_the_rest_goes_on(dispatcher, asked, monkeypatch, caplog):
    def go_on(wanted, **how):
        raise ValueError("canary")

    monkeypatch.setattr(reconcile, "go_on", go_on)
    for _ in range(5):
        dispatcher.look()
        dispatcher.join()
    assert not Reconciliation.objects.filter(progress="waiting").exists()
    assert "A task failed in our own code" in caplog.text
    assert not leases.Lease.objects.exists()


@pytest.mark.parametrize("broken", ["due_groups", "next_piece"])
def test_a_database_that_is_away_ends_nothing(dispatcher, asked, monkeypatch, caplog, broken):
    def away(*args, **more):
        raise OperationalError("away")

    monkeypatch.setattr(background, broken, away)
    dispatcher.look()
    assert "Background work cannot be looked for: OperationalError: away" in caplog.text


def test_a_thread_whose_next_claim_fails_ends(dispatcher, asked, monkeypatch, caplog):
    first = background.next_piece(slots.RUN)
    monkeypatch.setattr(reconcile, "go_on", lambda *args, **how: None)
    monkeypatch.setattr(background, "next_piece", lambda *args, **more: 1 / 0)
    thread = threading.Thread(target=dispatcher._work, args=[slots.RUN, first])
    thread.start()
    thread.join(20)
    assert "Background work cannot be claimed: ZeroDivisionError" in caplog.text


def test_one_that_was_never_started_is_stopped_at_once():
    process = BackgroundProcess(SharedState())
    assert not process.is_alive and process.stop(0) is True
    process.end()


def test_what_is_due_of_paused_shops_is_no_reason_for_a_thread(dispatcher, connection):
    PollState.objects.create_missing(timezone.now())
    PollState.objects.update(deep_check_at=timezone.now())  # it has not begun
    dispatcher.look()
    assert dispatcher._threads[slots.CHECK] == []
