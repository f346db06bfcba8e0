"""The processes of `make run`: apart from the terminal, their words kept in files, stopped in order."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MANAGE = Path(__file__).resolve().parent.parent.parent / "manage.py"
STOP_SECONDS = 40  # a poller finishes what is in flight and gives up after 30
LOG_BYTES = 5_000_000


@dataclass(frozen=True)
class Child:
    name: str
    log: Path
    process: subprocess.Popen[bytes]

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def last_lines(self, lines: int = 15) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def kill(self) -> None:
        """At once, with everything it started itself; also sweeps up after one that has already gone."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)


class Children:
    """Each in a session of its own, so that Ctrl-C reaches us alone and we stop them one after the other."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self.all: list[Child] = []
        logs.mkdir(parents=True, exist_ok=True)

    def start(self, name: str, *command: str) -> Child:
        log = self.logs / f"{name}.log"
        fresh = not log.exists() or log.stat().st_size > LOG_BYTES
        with log.open("wb" if fresh else "ab") as output:
            process = subprocess.Popen(  # noqa: S603 - every word of it is ours
                command,
                cwd=MANAGE.parent,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        child = Child(name, log, process)
        self.all.append(child)
        return child

    def manage(self, name: str, *arguments: str) -> Child:
        return self.start(name, sys.executable, str(MANAGE), *arguments)

    def gone(self) -> Child | None:
        """The first that ended although nobody stopped it."""
        return next((child for child in self.all if not child.is_alive()), None)

    def stop(self, hurry: Callable[[], bool]) -> None:
        """Last started, first stopped. Kills what is left at the deadline, or at once in a hurry."""
        deadline = time.monotonic() + STOP_SECONDS
        for child in reversed(self.all):
            with contextlib.suppress(ProcessLookupError):
                child.process.terminate()
            while child.is_alive() and time.monotonic() < deadline and not hurry():
                time.sleep(0.05)
            child.kill()
            child.process.wait()
