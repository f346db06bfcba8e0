"""runpoller hurt in every way we know: work goes on, it stops in time, and nothing is left behind."""

import os
import signal
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.system.poller_processes import PROMISED_STOP_SECONDS, Pollers, eventually, is_gone

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """A data folder with a migrated database."""
    data = tmp_path_factory.mktemp("template") / "var"
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "odoopoller.settings",
        "POLLER_DATA_DIR": str(data),
        "DATABASE_URL": f"sqlite:///{data / 'poller.sqlite3'}",
    }
    subprocess.run([sys.executable, str(ROOT / "manage.py"), "migrate", "-v0"], env=environment, check=True)
    return data


@pytest.fixture
def pollers(tmp_path, template, environment):
    pollers = Pollers(tmp_path, template, environment)
    yield pollers
    pollers.end()


@pytest.fixture
def poller(pollers):
    poller = pollers.start()
    poller.until_ready()
    return poller


def killed(poller, *pids):
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    for pid in pids:
        eventually(lambda pid=pid: is_gone(pid))


IDLE = {
    "workers": lambda stat: stat.workers,
    "monitor": lambda stat: [stat.monitor],
    "pusher": lambda stat: [stat.pusher],
    "guard": lambda stat: [stat.sentinel],
    "everybody": lambda stat: [stat.sentinel, stat.monitor, stat.pusher, *stat.workers],
}


@pytest.mark.parametrize("targets", IDLE)
def test_work_goes_on_after_a_kill_of_the_idle(poller, targets):
    killed(poller, *IDLE[targets](poller.stat))
    for number in range(10):
        poller.queue("mark", f"after-{number}")
    eventually(lambda: sum(name.startswith("after-") for name in poller.marks()) == 10)
    eventually(lambda: poller.rows() == [])
    if targets != "pusher":  # django-q2 itself replaces that one
        assert "are replaced" in poller.said()
    assert poller.stop() == 0


def test_work_goes_on_after_a_kill_of_a_busy_worker(poller):
    before = poller.stat
    poller.queue("nap", "long", 600)
    busy = int(eventually(lambda: poller.marks().get("begin-long")))
    killed(poller, busy)
    for number in range(10):
        poller.queue("mark", f"after-{number}")
    eventually(lambda: sum(name.startswith("after-") for name in poller.marks()) == 10)
    assert poller.stat.sentinel == before.sentinel
    assert poller.stop() == 0


def test_long_tasks_on_every_worker_are_no_reason_to_replace_them(poller):
    for name in ("one", "two"):
        poller.queue("nap", name, 5)  # twice the patience
    poller.queue("mark", "waiting")
    eventually(lambda: "waiting" in poller.marks())
    assert {"end-one", "end-two"} & set(poller.marks())
    assert "are replaced" not in poller.said()


def test_what_a_replaced_cluster_had_taken_is_done_at_once(poller):
    poller.queue("nap", "long", 4)
    eventually(lambda: "begin-long" in poller.marks())
    killed(poller, poller.stat.sentinel)
    eventually(lambda: "end-long" in poller.marks())
    assert poller.mark_names().count("begin-long") == 2
    eventually(lambda: poller.rows() == [])


def test_two_pollers_share_the_work(pollers):
    one, two = pollers.start(), pollers.start()
    one.until_ready()
    two.until_ready()
    for number in range(30):
        one.queue("nap", f"shared-{number}", 0.1)
    names = {f"end-shared-{number}" for number in range(30)}
    eventually(lambda: names <= set(one.marks()))
    assert len([name for name in one.mark_names() if name in names]) == 30
    hands = {one.marks()[name] for name in names}
    for poller in (one, two):
        assert hands & set(map(str, poller.stat.workers))
        assert poller.stop() == 0


# --- Stopping -------------------------------------------------------------------------------------------


def to_process(poller):
    os.kill(poller.pid, signal.SIGTERM)


def to_group(poller):
    os.killpg(poller.pid, signal.SIGTERM)


def to_everybody(poller):
    """What systemd does by default."""
    for pid in poller.family():
        os.kill(pid, signal.SIGTERM)


def ctrl_c(poller):
    os.killpg(poller.pid, signal.SIGINT)


SIGNALS = [to_process, to_group, to_everybody, ctrl_c]


@pytest.mark.parametrize("send", SIGNALS)
def test_an_idle_stop_is_clean(poller, send):
    family = poller.family()
    send(poller)
    assert poller.process.wait(PROMISED_STOP_SECONDS) == 0
    assert all(map(is_gone, family))


@pytest.mark.parametrize("send", [to_process, to_group, ctrl_c])
def test_a_stop_finishes_what_is_under_way_and_begins_nothing(poller, send):
    for number in range(40):
        poller.queue("nap", str(number), 1)
    eventually(lambda: sum(name.startswith("begin") for name in poller.marks()) >= 2)
    send(poller)
    assert poller.process.wait(PROMISED_STOP_SECONDS) == 0
    begun = {name.removeprefix("begin-") for name in poller.marks() if name.startswith("begin")}
    ended = {name.removeprefix("end-") for name in poller.marks() if name.startswith("end")}
    assert begun == ended
    assert {args[0] for args in poller.rows(locked=False)} >= {str(n) for n in range(40)} - begun
    assert poller.rows(locked=True) == []


def test_a_signal_to_everybody_stops_a_full_queue_too_and_the_next_start_does_the_rest(pollers, poller):
    for number in range(20):
        poller.queue("nap", str(number), 0.3)
    eventually(lambda: sum(name.startswith("begin") for name in poller.marks()) >= 2)
    family = poller.family()
    to_everybody(poller)
    assert poller.process.wait(PROMISED_STOP_SECONDS) in (0, 1)
    assert all(map(is_gone, family))
    pollers.start()
    eventually(lambda: {f"end-{number}" for number in range(20)} <= set(poller.marks()))
    eventually(lambda: poller.rows() == [])


@pytest.mark.parametrize("task", [("nap", "hung", 600), ("hang_in_threads", "hung")])
def test_hanging_tasks_are_cut_off_at_the_deadline(poller, task):
    for _ in range(12):
        poller.queue(*task)
    eventually(lambda: "begin-hung" in poller.marks())
    family = poller.family()
    assert poller.stop() == 1
    assert all(map(is_gone, family))
    assert len(poller.rows(locked=False)) == 12


def test_a_stop_ends_while_workers_are_recycled_in_front_of_a_full_queue(pollers):
    poller = pollers.start(HURRIED_RECYCLE="1")
    poller.until_ready()
    for number in range(100):
        poller.queue("mark", f"{number}")
    eventually(lambda: len(poller.marks()) > 5)
    assert poller.stop() == 0


def test_a_stop_in_the_middle_of_the_start_is_heard(pollers):
    poller = pollers.start()
    guard = eventually(lambda: group_leaders_below(poller.pid))[0]
    assert poller.stop() == 0
    assert is_gone(guard)


def test_a_stop_ends_while_the_database_is_locked(poller):
    with poller._database() as database:
        database.execute("BEGIN IMMEDIATE")
        assert poller.stop() == 0


def test_a_kill_leaves_nobody_behind(poller):
    poller.queue("nap", "long", 600)
    eventually(lambda: "begin-long" in poller.marks())
    family = poller.family()
    poller.kill()
    for pid in family:
        eventually(lambda pid=pid: is_gone(pid), 5)


def group_leaders_below(parent):
    listed = subprocess.run(["ps", "-o", "pid=,pgid=", "--ppid", str(parent)], capture_output=True, text=True)
    pairs = [line.split() for line in listed.stdout.splitlines()]
    return [int(pid) for pid, group in pairs if pid == group]
