"""A figure: what was measured, what it should be, what the old poller did; as a table, as JSON, compared."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from rich.table import Table

from tests.system.scratch import ROOT

COLUMNS = ("row", "figure", "ours", "unit", "target", "old poller", "old / ours", "verdict")
LEFT = ("row", "figure", "unit", "verdict")


@dataclass(frozen=True)
class Figure:
    """`target` is an upper bound, or a lower one where `more_is_better`; None for what is only told."""

    row: str
    name: str
    value: float
    unit: str
    target: float | None = None
    old: float | None = None
    more_is_better: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"{self.row}: {self.name}"

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        reached = self.value >= self.target if self.more_is_better else self.value <= self.target
        return "reached" if reached else "MISSED"

    @property
    def times_better(self) -> float | None:
        """Than the old poller; above 1 is better."""
        if self.old is None or not self.value or not self.old:
            return None
        return self.value / self.old if self.more_is_better else self.old / self.value


def table(figures: Iterable[Figure], earlier: Mapping[str, float] | None = None) -> Table:
    """With `earlier` (by key) one more column: new / earlier."""
    shown = Table(title="Figures")
    for name in [*COLUMNS, *(["new / earlier"] if earlier else [])]:
        shown.add_column(name, justify="left" if name in LEFT else "right", overflow="fold")
    for figure in figures:
        shown.add_row(*_cells(figure), *([_ratio(figure, earlier)] if earlier else []))
    return shown


def _cells(figure: Figure) -> list[str]:
    bound = "" if figure.target is None else f"{'>=' if figure.more_is_better else '<='} {figure.target:g}"
    old = "" if figure.old is None else f"{figure.old:g}"
    better = figure.times_better
    ratio = "" if better is None else f"{better:.2f}"
    return [figure.row, figure.name, number(figure.value), figure.unit, bound, old, ratio, figure.verdict]


def number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.3g}"


def _ratio(figure: Figure, earlier: Mapping[str, float]) -> str:
    before = earlier.get(figure.key)
    if before is None:
        return "new"
    if not before:
        return "1.00" if not figure.value else "was 0"
    return f"{figure.value / before:.2f}"


def as_markdown(figures: Iterable[Figure]) -> str:
    """The table for docs/performance.md."""
    lines = [list(COLUMNS), ["---"] * len(COLUMNS), *map(_cells, figures)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def as_json(figures: Iterable[Figure], options: Mapping[str, Any]) -> bytes:
    rows = [
        {
            "row": figure.row,
            "figure": figure.name,
            "value": figure.value,
            "unit": figure.unit,
            "target": figure.target,
            "old": figure.old,
            "verdict": figure.verdict,
            "facts": figure.facts,
        }
        for figure in figures
    ]
    whole = {"machine": machine(), "options": options, "figures": rows}
    return orjson.dumps(whole, option=orjson.OPT_INDENT_2, default=str) + b"\n"


def values_of(text: bytes) -> dict[str, float]:
    """By key, from what `as_json` wrote. Raises ValueError for anything else."""
    try:
        return {f"{row['row']}: {row['figure']}": row["value"] for row in orjson.loads(text)["figures"]}
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError("this is no JSON of bench.figures") from error


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    total = Path("/proc/meminfo").read_text().split()[1]
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _git("rev-parse", "--short=12", "HEAD"),
        "changed": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "python": platform.python_version(),
        "system": platform.platform(),
        "cpu": models[0] if models else platform.processor(),
        "cores": len(models),
        "memory_megabytes": int(total) // 1024,
        "load_before": Path("/proc/loadavg").read_text().split()[0],
    }


def _git(*words: str) -> str:
    answer = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
    return answer.stdout.strip() if answer.returncode == 0 else ""
