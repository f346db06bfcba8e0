"""Process trees as Linux's /proc shows them: who belongs to whom, what they use."""

import os
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Process:
    """`cpu_seconds` without its children's."""

    pid: int
    parent: int
    state: str
    cpu_seconds: float


def read(pid: int) -> Process | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    parts = text.rpartition(")")[2].split()
    return Process(pid, int(parts[1]), parts[0], (int(parts[11]) + int(parts[12])) / TICKS_PER_SECOND)


def tree(root: int) -> list[Process]:
    """The process and all its descendants that live, parents first."""
    children: dict[int, list[Process]] = defaultdict(list)
    found: dict[int, Process] = {}
    for pid in (int(name) for name in os.listdir("/proc") if name.isdecimal()):
        process = read(pid)
        if process is not None and process.state not in "ZX":
            children[process.parent].append(process)
            found[pid] = process
    family = [found[root]] if root in found else []
    for member in family:  # it grows while we walk
        family += children[member.pid]
    return family


def memory(pid: int) -> tuple[int, int]:
    """Bytes of one process: resident, and its fair share of them (shared pages divided by their users)."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0, 0
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines if line.endswith("kB")}
    return kilobytes.get("Rss", 0) * 1024, kilobytes.get("Pss", 0) * 1024


@dataclass
class Meter:
    """What a tree has used since the meter was made: call `look` now and then, most of all before its end.

    Bytes are the highest seen, and summed over the tree: `resident` counts shared pages once per process,
    `fair` once in all.
    """

    root: int
    resident_bytes: int = 0
    fair_bytes: int = 0
    processes: int = 0
    _before: dict[int, float] = field(default_factory=dict)
    _used: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._before = {member.pid: member.cpu_seconds for member in tree(self.root)}

    def look(self) -> None:
        family = tree(self.root)
        self._used |= {member.pid: member.cpu_seconds for member in family}
        sizes = [memory(member.pid) for member in family]
        self.processes = max(self.processes, len(family))
        self.resident_bytes = max(self.resident_bytes, sum(resident for resident, _ in sizes))
        self.fair_bytes = max(self.fair_bytes, sum(fair for _, fair in sizes))

    @property
    def cpu_seconds(self) -> float:
        return sum(used - self._before.get(pid, 0.0) for pid, used in self._used.items())
