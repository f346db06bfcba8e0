"""The one-second loop: what is due reaches the queue, not more than can be done soon, whatever goes wrong."""

import logging
import threading

import pytest
from django.db import OperationalError
from django.utils import timezone
from django_q.conf import Conf
from django_q.models import OrmQ, Schedule
from django_q.scheduler import scheduler
from django_q.signing import SignedPackage

from connections.models import Connection
from core.background.runner import broker, shared_state, throttled_log
from core.background.runner.broker import WatchedBroker, give_back
from core.background.runner.shared_state import SharedState, heartbeat, is_closing
from sync import due, tasks
from sync.models import PollState
from sync.runner.ticker import Tick, Ticker

pytestmark = pytest.mark.django_db


def queued():
    """(function, arguments) of each task in the queue."""
    packs = [SignedPackage.loads(row.payload) for row in OrmQ.objects.order_by("id")]
    return [(pack["func"], pack["args"]) for pack in packs]


@pytest.fixture
def claims(monkeypatch):
    """Stands for a world where there is always as much due as anybody can claim."""
    asked = []

    def claim(kind):
        def take(now, limit):
            asked.append((kind, limit))
            return f"token-{len(asked)}", list(range(limit))

        return take

    monkeypatch.setattr(due, "claim_polls", claim("poll"))
    monkeypatch.setattr(due, "claim_deliveries", claim("deliver"))
    monkeypatch.setattr(due, "due_kinds", lambda now: (True, True))
    return asked


def test_a_due_connection_gets_its_state_and_reaches_the_queue(connection):
    assert Tick(workers=1).run(timezone.now()) == 1
    [(func, (_, ids))] = queued()
    assert (func, ids) == (tasks.POLL, [connection.pk])
    assert PollState.objects.get().next_poll_at > timezone.now()
    assert Tick(workers=1).run(timezone.now()) == 0


def test_no_more_is_claimed_than_waits_for_a_short_time(claims, settings):
    settings.BATCH_SIZE = 10
    tick = Tick(workers=2)
    tick.run(timezone.now())
    assert sum(limit for _, limit in claims) == 40
    assert {kind for kind, _ in claims} == {"poll", "deliver"}
    assert OrmQ.objects.count() == 4
    tick.run(timezone.now())
    assert OrmQ.objects.count() == 4
    OrmQ.objects.first().delete()
    tick.run(timezone.now())
    assert OrmQ.objects.count() == 4


def test_polls_and_deliveries_take_turns_where_space_is_short(claims, settings):
    settings.BATCH_SIZE = 1
    tick = Tick(workers=2)
    tick.run(timezone.now())
    for _ in range(4):
        OrmQ.objects.order_by("id").first().delete()
        tick.run(timezone.now())
    assert [kind for kind, _ in claims[-4:]] in (["poll", "deliver"] * 2, ["deliver", "poll"] * 2)


def test_nothing_is_claimed_once_the_poller_closes(claims, monkeypatch):
    monkeypatch.setattr(shared_state, "_shared", SharedState())
    shared_state._shared.close()
    assert is_closing()
    assert Tick(workers=1).run(timezone.now()) == 0
    assert claims == []


def test_a_tick_that_fails_is_logged_once_and_the_next_one_comes(monkeypatch, caplog, settings):
    done = threading.Event()
    calls = []

    def run(self, now):
        calls.append(now)
        if len(calls) < 4:
            raise OperationalError("database is locked")
        done.set()

    monkeypatch.setattr("sync.runner.ticker.TICK_SECONDS", 0.01)
    monkeypatch.setattr(Tick, "run", run)
    ticker = Ticker(workers=1)
    with caplog.at_level(logging.WARNING, "poller.tick"):
        ticker.start()
        assert done.wait(10)
    ticker.leave()
    ticker.join(10)
    assert not ticker.is_alive()
    [record] = caplog.records
    assert "A tick failed" in record.message and "database is locked" in record.message


def test_a_warning_is_repeated_after_a_minute(caplog, monkeypatch):
    moment = [0.0]
    monkeypatch.setattr(throttled_log.time, "monotonic", lambda: moment[0])
    grumbler = throttled_log.ThrottledLog(logging.getLogger("poller.test"))
    for moment[0] in range(0, 130):
        grumbler.say("No.")
    assert len(caplog.records) == 3


# --- The broker -----------------------------------------------------------------------------------------


@pytest.fixture
def watched(monkeypatch):
    monkeypatch.setattr(broker, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(Conf, "POLL", 0)
    return WatchedBroker(SharedState(), heartbeat_seconds=10)


def names(taken):
    return [SignedPackage.loads(pack)["name"] for _, pack in taken or ()]


def test_heartbeats_come_beside_tasks_and_never_in_their_place(watched):
    tasks.hand_out("poll", ("token", [1]))
    first = watched.dequeue()
    assert len(first) == 2
    assert names(first)[-1] == "heartbeat"
    assert not watched.dequeue()
    assert heartbeat() is None


def test_what_was_taken_can_be_given_back(watched):
    tasks.hand_out("poll", ("token", [1]))
    watched.dequeue()
    assert not names(watched.dequeue())
    assert give_back(watched._shared.taken) == 1
    assert len(watched.dequeue()) == 1
    watched.acknowledge(watched._shared.taken[-1])
    assert give_back(watched._shared.taken) == 0
    assert give_back([]) == 0


def test_a_database_that_is_away_kills_neither_pusher_nor_monitor(watched, monkeypatch, caplog):
    def fail(*args):
        raise OperationalError("server closed the connection unexpectedly")

    tasks.hand_out("poll", ("token", [1]))
    monkeypatch.setattr(watched._broker, "dequeue", fail)
    monkeypatch.setattr(watched._broker, "acknowledge", fail)
    assert names(watched.dequeue()) == ["heartbeat"]
    assert watched.dequeue() is None
    watched.acknowledge(1)
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "The queue cannot be read, trying again each second",
        "A finished task could not be taken off the queue",
    ]


def test_nothing_is_taken_once_the_poller_closes(watched):
    tasks.hand_out("poll", ("token", [1]))
    watched._shared.close()
    assert watched.dequeue() is None
    assert not is_closing()  # of no runpoller that we are part of


def test_the_guard_is_heard_through_its_statistics(watched):
    before = watched._shared.signs().guarded_at
    watched.set_stat("key", "value", 3)
    assert watched._shared.signs().guarded_at > before
    assert watched.get_stat("key") == "value"


# --- Without runpoller ----------------------------------------------------------------------------------


def test_a_plain_qcluster_polls_by_the_schedule(connection, monkeypatch):
    monkeypatch.setattr("core.background.schedules.close_old_connections", lambda: None)  # it is the test's
    Schedule.objects.filter(name="poller: tick").update(next_run=timezone.now())
    scheduler()
    assert ("sync.tasks.tick", ()) in queued()
    assert tasks.tick() == "1 polls, 0 deliveries"
    assert (tasks.POLL, [connection.pk]) in [(func, args[1]) for func, args in queued() if args]


def test_disabled_connections_reach_no_queue(connection):
    Connection.objects.update(enabled=False)
    assert Tick(workers=1).run(timezone.now()) == 0
