"""`manage.py runpoller` as a process: started, hurt, started again, measured, stopped."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bench.process_trees import Meter, tree
from tests.system import kill_points
from tests.system.scratch import ROOT, Scratch
from tests.system.waiting import until

READY = "The poller runs with"
START_SECONDS = 90
STOP_SECONDS = 40


class Poller:
    """With `kills` (see `tests.system.manage_with_kills`) it dies where it is told to. Starts at once."""

    def __init__(
        self,
        scratch: Scratch,
        *,
        workers: int = 8,
        kills: Iterable[str] = (),
        name: str = "poller",
        variables: Mapping[str, str] | None = None,
        counted: bool = False,
        profile: Path | None = None,
    ) -> None:
        self.scratch, self.name = scratch, name
        self.starts = 0
        self.log = scratch.folder / f"{name}.log"
        self.journal = scratch.folder / "kills"
        self._words = ["runpoller", "--workers", str(workers)]
        self._kills = list(kills)
        # A letter for each statement, see `bench.count_statements`.
        self.statements = scratch.folder / f"{name}.statements" if counted else None
        self._profile = profile
        self._environment = scratch.environment | dict(variables or {})
        self.start()

    def start(self) -> None:
        self.starts += 1
        program = [sys.executable, str(ROOT / "manage.py"), *self._words]
        if self._kills:
            killer = [sys.executable, "-m", "tests.system.manage_with_kills", str(self.journal)]
            program = [*killer, *self._kills, "--", *self._words]
        if self.statements:
            program = [sys.executable, "-m", "bench.count_statements", str(self.statements), *self._words]
        if self._profile:
            program = [sys.executable, "-m", "bench.profile", str(self._profile), *self._words]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                program, env=self._environment, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
            )
        self.meter = Meter(self.process.pid)

    def until_ready(self) -> None:
        until(lambda: self._said().count(READY) >= self.starts, START_SECONDS, "the poller runs")

    def _said(self) -> str:
        if self.process.poll() is not None:
            raise RuntimeError(f"The poller ended by itself:\n{self.log.read_text()[-2000:]}")
        return self.log.read_text(errors="replace")

    def revive(self) -> bool:
        """Start it again if it is dead; returns whether it was."""
        dead = self.process.poll() is not None
        if dead:
            self.start()
        return dead

    @property
    def family(self) -> list[int]:
        """The main process first."""
        return [member.pid for member in tree(self.process.pid)]

    def shoot(self, pid: int, point: str) -> None:
        """Kill -9 from outside, and put it in the journal."""
        target = "main" if pid == self.process.pid else "child"
        kill_points.write(self.journal, point, target, pid)
        os.kill(pid, signal.SIGKILL)
        if target == "main":
            self.process.wait(10)

    def freeze(self, pid: int, point: str) -> None:
        """It stands still, with all it had in its hands, until `thaw`."""
        kill_points.write(self.journal, point, "frozen", pid)
        os.kill(pid, signal.SIGSTOP)

    def thaw(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    @property
    def kills(self) -> list[dict[str, Any]]:
        """What the journal says: at (seconds of the epoch), point, target ("main", "worker"...), pid."""
        lines = self.journal.read_text().splitlines() if self.journal.exists() else []
        return [json.loads(line) for line in lines]

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)

    def end(self) -> None:
        """Kill -9 whatever is left of it."""
        for pid in self.family:
            os.kill(pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait(10)
