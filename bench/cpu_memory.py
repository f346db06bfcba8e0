"""What processes have used: CPU of all of them, those that ended too, and memory as the sum over them."""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.process_trees import TICKS_PER_SECOND, memory

EACH_SECONDS = 0.5
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Used:
    """One look. CPU in seconds since their start, children that ended included; memory in bytes."""

    at: float
    cpu_seconds: float = 0.0
    database_seconds: float = 0.0
    fair_bytes: int = 0
    resident_bytes: int = 0
    processes: int = 0


def cpu_of(pid: int) -> tuple[int, float]:
    """Parent, and seconds of user and system time of the process and of its children that ended.

    Raises LookupError when there is no such process.
    """
    try:
        parts = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError as error:
        raise LookupError(pid) from error
    return int(parts[1]), sum(map(int, parts[11:15])) / TICKS_PER_SECOND


def families_of(roots: Iterable[int]) -> dict[int, dict[int, float]]:
    """CPU of each running root by process: it and its descendants, those not yet reaped too."""
    children, seconds = defaultdict(list), {}
    for pid in _pids():
        try:
            parent, seconds[pid] = cpu_of(pid)
        except LookupError:
            continue
        children[parent].append(pid)
    families = {}
    for root in roots:
        family = [root] if root in seconds else []
        for pid in family:  # it grows while we walk
            family += children[pid]
        families[root] = {pid: seconds[pid] for pid in family}
    return families


def backends_of(database: str) -> dict[int, float]:
    """CPU by process of what serves a PostgreSQL database on this machine, by the title each gives itself."""
    wanted, found = f" {database} ".encode(), {}
    for pid in _pids():
        try:
            title = Path(f"/proc/{pid}/cmdline").read_bytes()
            if title.startswith(b"postgres: ") and wanted in title:
                found[pid] = cpu_of(pid)[1]
        except (OSError, LookupError):
            continue
    return found


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]


class Account:
    """What these trees (and the backends of a PostgreSQL database) use from `with` to its end.

    It looks twice a second: of what was killed, or of a backend that ended, half a second at most is missing.
    """

    def __init__(self, roots: Callable[[], Iterable[int]], *, database: str = "") -> None:
        self.looks: list[Used] = []
        self._roots, self._database = roots, database
        self._ours: dict[int, float] = {}  # by root
        self._used = 0.0
        self._theirs: dict[int, float] = {}
        self.peak_by_process: list[float] = []  # megabytes, the largest first, as all together were highest
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="account", daemon=True)

    def look(self) -> Used:
        families = families_of(self._roots())
        for root, family in families.items():
            seconds = sum(family.values())
            # Less than before: processes whose parent was killed, too. What they had used stays counted.
            self._used += max(0.0, seconds - self._ours.get(root, 0.0))
            self._ours[root] = seconds
        self._theirs |= backends_of(self._database) if self._database else {}
        sizes = [memory(pid)[::-1] for family in families.values() for pid in family]
        used = Used(
            at=time.time(),
            cpu_seconds=self._used,
            database_seconds=sum(self._theirs.values()),
            fair_bytes=sum(fair for fair, _ in sizes),
            resident_bytes=sum(resident for _, resident in sizes),
            processes=len(sizes),
        )
        if used.fair_bytes >= max((look.fair_bytes for look in self.looks), default=0):
            self.peak_by_process = sorted((round(fair / MEGABYTE, 1) for fair, _ in sizes), reverse=True)
        self.looks.append(used)
        return used

    def _run(self) -> None:
        while not self._ended.wait(EACH_SECONDS):
            self.look()

    def __enter__(self) -> Account:
        self.look()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self.look()

    # --- what came of it, after the end -----------------------------------------------------------------

    @property
    def seconds(self) -> float:
        return self.looks[-1].at - self.looks[0].at

    @property
    def cpu_seconds(self) -> float:
        return self.looks[-1].cpu_seconds - self.looks[0].cpu_seconds

    @property
    def database_seconds(self) -> float:
        return self.looks[-1].database_seconds - self.looks[0].database_seconds

    @property
    def peak_megabytes(self) -> float:
        """Shared pages counted once in all."""
        return max(look.fair_bytes for look in self.looks) / MEGABYTE

    @property
    def peak_resident_megabytes(self) -> float:
        """Shared pages counted once for each process."""
        return max(look.resident_bytes for look in self.looks) / MEGABYTE

    @property
    def processes(self) -> int:
        return max(look.processes for look in self.looks)

    def over_time(self, points: int) -> list[tuple[float, float]]:
        """Seconds since the beginning and megabytes, thinned out."""
        step = max(1, len(self.looks) // points)
        first = self.looks[0].at
        return [
            (round(look.at - first, 1), round(look.fair_bytes / MEGABYTE, 1)) for look in self.looks[::step]
        ]

    @property
    def growth(self) -> float:
        """Memory of the last fifth of the looks as against the first fifth."""
        sizes = [look.fair_bytes for look in self.looks]
        share = max(1, len(sizes) // 5)
        return sum(sizes[-share:]) / max(1, sum(sizes[:share]))

    @property
    def slope_megabytes_per_hour(self) -> float:
        """Of the straight line through all looks."""
        return 3600 * slope([(look.at, look.fair_bytes / MEGABYTE) for look in self.looks])


def slope(points: list[tuple[float, float]]) -> float:
    """Of the straight line nearest to the points; 0 for fewer than two of them."""
    if len(points) < 2:
        return 0.0
    middle_x = sum(x for x, _ in points) / len(points)
    middle_y = sum(y for _, y in points) / len(points)
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    return sum((x - middle_x) * (y - middle_y) for x, y in points) / spread if spread else 0.0
