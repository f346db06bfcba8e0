"""What the watchdog makes of signs of life, and that its default numbers keep our promises."""

import os
import subprocess
import sys

import pytest

from core.background.runner import cluster, shared_state, watchdog
from core.background.runner.shared_state import SharedState, Signs
from core.background.runner.watchdog import Watchdog
from sync.runner import supervisor, ticker
from tests.conftest import ROOT

WORKERS = 2
QUIET = "no task was finished"
GUARD = "guard has not moved"


def idle(now):
    """A beat every ten seconds comes back."""
    return Signs(answered_at=now // 10 * 10, worked_at=now // 10 * 10, guarded_at=now, busy=0)


def idle_worker_killed(now):
    return Signs(answered_at=0, worked_at=0, guarded_at=now, busy=0)


def one_busy_other_killed(now):
    return Signs(answered_at=0, worked_at=0, guarded_at=now, busy=1)


def all_in_long_tasks(now):
    return Signs(answered_at=0, worked_at=0, guarded_at=now, busy=2)


def monitor_killed_while_busy(now):
    return Signs(answered_at=5, worked_at=now, guarded_at=now, busy=2)


def guard_hangs(now):
    return Signs(answered_at=now // 10 * 10, worked_at=now // 10 * 10, guarded_at=3, busy=0)


CASES = [
    (idle, "", 3600),
    (all_in_long_tasks, "", 3600),
    (idle_worker_killed, QUIET, 33),
    (one_busy_other_killed, QUIET, 33),
    (monitor_killed_while_busy, QUIET, 38),
    (guard_hangs, GUARD, 65),
]


@pytest.mark.parametrize(("life", "trouble", "within"), CASES)
def test_trouble_is_told_from_work(life, trouble, within):
    dog = Watchdog(WORKERS, began_at=0)
    found = next((said for now in range(1, within + 1) if (said := dog.look(life(now), now))), "")
    assert (trouble in found) if trouble else (found == "")


def test_time_slept_through_is_not_held_against_the_cluster():
    dog = Watchdog(WORKERS, began_at=0)
    assert dog.look(idle_worker_killed(1), 1) == ""
    assert dog.look(idle_worker_killed(1), 3600) == ""


def test_the_default_numbers_find_a_dead_cluster_within_a_minute():
    found = watchdog.PATIENCE_SECONDS + 2 * supervisor.LOOK_SECONDS
    replaced = found + 5 + ticker.TICK_SECONDS  # 5 s to bury the old one, at most
    assert replaced + watchdog.LONGEST_STEP_SECONDS < 60
    assert watchdog.HEARTBEAT_SECONDS * 2 < watchdog.PATIENCE_SECONDS  # one lost beat is no alarm


def test_the_default_numbers_stop_within_thirty_seconds():
    notice = supervisor.LOOK_SECONDS + cluster.LOOK_SECONDS
    assert supervisor.STOP_SECONDS + notice + supervisor.LAST_SECONDS < 30


def test_a_worker_that_dies_over_a_task_is_not_counted_as_busy(monkeypatch):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    shared = SharedState()
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: dead.pid)
        shared._on_begun()
    shared._on_begun()
    assert (shared.signs().busy, shared.lost) == (1, 1)
    shared._on_worked()
    assert (shared.signs().busy, shared.lost) == (0, 1)


def test_rows_taken_are_remembered_up_to_a_number():
    shared = SharedState()
    shared.took([1, None, 2])
    assert shared.taken == [1, 2]
    shared.took(range(shared_state.TAKEN))
    assert sorted(shared.taken) == list(range(shared_state.TAKEN))
    shared.reset()
    assert shared.taken == []


ORPHAN = """
import os, sys, time
sys.platform = "darwin"
from core.background.runner import process_group
process_group.LOOK_SECONDS = 0.05
bind, mother = process_group.parent_binding(), os.getpid()
reading, writing = os.pipe()
if os.fork() == 0:
    bind(mother)
    os.write(writing, b"born")
    time.sleep(600)
os.read(reading, 4)
"""


def test_where_the_kernel_does_not_help_a_child_watches_its_parent():
    # It returns when nobody holds the other end of its output any more: mother and child are gone.
    ended = subprocess.run([sys.executable, "-c", ORPHAN], cwd=ROOT, capture_output=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, b"")
