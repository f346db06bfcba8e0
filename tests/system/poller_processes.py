"""A real `manage.py runpoller` in a process of its own, on its own SQLite file, for tests to hurt."""

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import uuid

from django.utils import timezone
from django_q.conf import Conf
from django_q.signing import SignedPackage

from odoopoller.caches import JSONFileCache
from tests.conftest import ROOT

TASKS = "tests.core.background.tasks_for_tests"
PROMISED_STOP_SECONDS = 30


def eventually(condition, seconds=20.0):
    """The first true answer of `condition`, asked again and again; fails when none comes in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := condition():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {condition}")


def is_gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] in "ZX"
    return False


class Poller:
    """Leads a process group of its own. `stop` and `kill` may be called at any time, and twice."""

    def __init__(self, folder, environment, *arguments):
        self.folder, self.data = folder, folder / "var"
        self.log = folder / f"log-{uuid.uuid4().hex[:6]}"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), "runpoller", *arguments],
                env=environment,
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self.process.pid

    def said(self):
        return self.log.read_text()

    @property
    def stat(self):
        """What the guard said last of its processes' ids; None when there is no guard."""
        cache = JSONFileCache(str(self.data / "cache"), {"VERSION": 2})
        packs = [cache.get(key) for key in cache.get(Conf.Q_STAT, [])]
        stats = [SignedPackage.loads(pack) for pack in packs if pack]
        mine = [s for s in stats if s.pid == self.pid and s.monitor and s.pusher]
        return max(mine, key=lambda stat: stat.timestamp, default=None)

    def until_ready(self):
        """It works: a task of ours went all the way through. Returns its processes."""
        name = f"ready-{uuid.uuid4().hex[:6]}"
        self.queue("mark", name)
        eventually(lambda: name in self.marks())
        eventually(lambda: not self.rows())
        return eventually(lambda: self.stat)

    def family(self):
        stat = self.stat
        return [self.pid, stat.sentinel, stat.monitor, stat.pusher, *stat.workers]

    def marks(self):
        """Names left by tasks, in order, with the process that did each."""
        path = self.data / "marks"
        lines = path.read_text().splitlines() if path.exists() else []
        return dict(line.split() for line in lines)

    def mark_names(self):
        return [line.split()[0] for line in (self.data / "marks").read_text().splitlines()]

    def queue(self, task, *args):
        package = {
            "id": uuid.uuid4().hex,
            "name": task,
            "func": f"{TASKS}.{task}",
            "args": args,
            "kwargs": {},
        }
        package |= {"ack_failure": True, "save": False, "started": timezone.now()}
        row = ("odoopoller", SignedPackage.dumps(package), _moment())
        with self._database() as database:
            database.execute("INSERT INTO django_q_ormq (key, payload, lock) VALUES (?, ?, ?)", row)

    def rows(self, locked=None):
        """Rows of the queue; only those taken, or not taken, by some cluster if `locked` is given."""
        where = {None: "1", True: "lock > :now", False: "lock <= :now"}[locked]
        query = f"SELECT payload FROM django_q_ormq WHERE {where}"
        with self._database() as database:
            packs = [SignedPackage.loads(row[0]) for row in database.execute(query, {"now": _moment()})]
        return [pack["args"] for pack in packs if pack["func"].startswith(TASKS)]

    def stop(self, seconds=PROMISED_STOP_SECONDS):
        """SIGTERM to the process alone; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait(PROMISED_STOP_SECONDS)

    @contextlib.contextmanager
    def _database(self):
        opened = sqlite3.connect(self.data / "poller.sqlite3", timeout=20)
        with contextlib.closing(opened) as database, database:
            yield database


def _moment():
    return timezone.now().replace(tzinfo=None).isoformat(" ")


class Pollers:
    """Starts pollers and sees to it that none outlives its test."""

    def __init__(self, folder, template, environment):
        self.folder, self.environment = folder, environment
        self.all = []
        shutil.copytree(template, folder / "var", dirs_exist_ok=True)

    def start(self, *arguments, **variables):
        hurried = {"DJANGO_SETTINGS_MODULE": "tests.system.hurried_settings"}
        poller = Poller(self.folder, self.environment | hurried | variables, "--workers=2", *arguments)
        self.all.append(poller)
        return poller

    def end(self):
        for poller in self.all:
            poller.kill()
