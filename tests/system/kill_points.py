"""Kill points in the product's code: the nth arrival at a point dies there by kill -9."""

import fcntl
import json
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

MAIN = os.getpid()  # this module is imported before anything forks


@dataclass
class KillPoint:
    """One point. `targets` maps the number of an arrival to who dies: "self", or "main" and all with it.

    Arrivals are counted in a file beside the journal, over all processes and restarts, so that each bomb
    goes off once.
    """

    point: str
    journal: Path
    targets: dict[int, str] = field(default_factory=dict)

    def arrive(self) -> None:
        target = self.targets.get(self._count())
        if target is None:
            return
        write(self.journal, self.point, target)
        if target == "main":
            os.kill(MAIN, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)

    def _count(self) -> int:
        with self.journal.with_name(f"arrivals-{self.point}").open("ab") as counter:
            fcntl.flock(counter, fcntl.LOCK_EX)
            counter.write(b".")
            counter.flush()
            return os.fstat(counter.fileno()).st_size


def parse(words: list[str], journal: Path) -> list[KillPoint]:
    """From words as `answered@20` or `window@3:main`."""
    kills: dict[str, KillPoint] = {}
    for word in words:
        point, _, rest = word.partition("@")
        number, _, target = rest.partition(":")
        kill_point = kills.setdefault(point, KillPoint(point, journal))
        kill_point.targets[int(number)] = target or "self"
    return list(kills.values())


def write(journal: Path, point: str, target: str, pid: int | None = None) -> None:
    """One line of the journal of kills."""
    entry = {"at": time.time(), "point": point, "target": target, "pid": pid or os.getpid()}
    with journal.open("a") as lines:
        lines.write(json.dumps(entry) + "\n")
