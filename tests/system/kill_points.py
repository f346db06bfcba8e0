"""Bombs for the product's code: the nth arrival at a point dies there by kill -9."""

import fcntl
import json
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

MAIN = os.getpid()  # this module is imported before anything forks


@dataclass
class Bomb:
    """One point. `fuse` maps the number of an arrival to the victim: "self", or "main" and all with it.

    Arrivals are counted in a file beside the journal, over all processes and restarts, so that each bomb
    goes off once.
    """

    point: str
    journal: Path
    fuse: dict[int, str] = field(default_factory=dict)

    def arrive(self) -> None:
        victim = self.fuse.get(self._count())
        if victim is None:
            return
        write(self.journal, self.point, victim)
        if victim == "main":
            os.kill(MAIN, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)

    def _count(self) -> int:
        with self.journal.with_name(f"arrivals-{self.point}").open("ab") as counter:
            fcntl.flock(counter, fcntl.LOCK_EX)
            counter.write(b".")
            counter.flush()
            return os.fstat(counter.fileno()).st_size


def parse(words: list[str], journal: Path) -> list[Bomb]:
    """From words as `answered@20` or `window@3:main`."""
    bombs: dict[str, Bomb] = {}
    for word in words:
        point, _, rest = word.partition("@")
        number, _, victim = rest.partition(":")
        bomb = bombs.setdefault(point, Bomb(point, journal))
        bomb.fuse[int(number)] = victim or "self"
    return list(bombs.values())


def write(journal: Path, point: str, victim: str, pid: int | None = None) -> None:
    """One line of the journal of kills."""
    entry = {"at": time.time(), "point": point, "victim": victim, "pid": pid or os.getpid()}
    with journal.open("a") as lines:
        lines.write(json.dumps(entry) + "\n")
