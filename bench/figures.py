"""Measure what the poller costs and how fast it is: the sandbox as load, the real poller, all its processes.

    python -m bench.figures                                  every row, a small dose: a few minutes
    python -m bench.figures idle burst --size full --json now.json
    python -m bench.figures idle burst --size full --compare now.json
    python -m bench.figures --list

Figures of one run may be compared with each other; absolute ones differ from machine to machine.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from bench.environment import Setting
from bench.report import Figure, as_json, as_markdown, machine, number, table, values_of
from bench.rows import ROWS
from bench.rows.row import Row
from tests.system.scratch import VARIANTS, is_reachable

WIDTH = 170


def main(words: list[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(words)
    console = Console(width=WIDTH if not sys.stdout.isatty() else None, highlight=False)
    if options.list:
        for row in ROWS.values():
            console.print(f"{row.name:12} {row.about}", markup=False)
        return 0
    earlier = _earlier(parser, options.compare)
    if not is_reachable(options.database):
        parser.error(f"the servers for {options.database} are not reachable")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and nothing of ours goes on
    setting = Setting(
        database=options.database,
        small=options.size == "small",
        seconds=options.duration,
        connections=options.connections,
        interval_seconds=options.interval,
        workers=options.workers,
        rows=options.rows,
        profile=options.profile,
    )
    console.print(_about_machine(), markup=False)
    figures: list[Figure] = []
    for name in options.row or list(ROWS):
        figures += _measure(console, ROWS[name], setting)
        if options.json:
            options.json.write_bytes(as_json(figures, asdict(setting)))
    console.print(table(figures, earlier))
    if options.markdown:
        options.markdown.write_text(as_markdown(figures) + "\n")
    return 1 if any(figure.verdict == "MISSED" for figure in figures) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench.figures", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("row", nargs="*", choices=[[], *ROWS], help="default: every row", metavar="row")
    parser.add_argument("--database", choices=VARIANTS, default="sqlite", help="redis: PostgreSQL and Redis")
    parser.add_argument("--size", choices=("small", "full"), default="small")
    parser.add_argument("--duration", type=float, help="seconds of what is measured over a time")
    parser.add_argument("--connections", type=int, help="instead of what the row has by itself")
    parser.add_argument("--interval", type=int, help="seconds between polls, instead of the row's own")
    parser.add_argument("--workers", type=int, help="of each runpoller (default: 4, as without the option)")
    parser.add_argument("--rows", type=int, help="of `growth`: the largest ledger, up to 10,000,000")
    parser.add_argument("--profile", type=Path, help="folder for cProfile's findings; the figures suffer")
    parser.add_argument("--json", type=Path, help="write the figures there, after each row")
    parser.add_argument("--markdown", type=Path, help="write the table there, as docs/performance.md has it")
    parser.add_argument("--compare", type=Path, help="the JSON of an earlier run")
    parser.add_argument("--list", action="store_true", help="the rows, and end")
    return parser


def _earlier(parser: argparse.ArgumentParser, path: Path | None) -> dict[str, float] | None:
    if path is None:
        return None
    try:
        return values_of(path.read_bytes())
    except (OSError, ValueError) as error:
        parser.error(f"{path}: {error}")


def _measure(console: Console, row: Row, setting: Setting) -> list[Figure]:
    if row.databases and setting.database not in row.databases:
        console.print(f"{row.name}: only on {' or '.join(row.databases)}, left out", markup=False)
        return []
    console.print(f"{row.name}: {row.about}", markup=False)
    began_at = time.monotonic()
    figures = row.measure(setting)
    for figure in figures:
        console.print(
            f"    {figure.name}: {number(figure.value)} {figure.unit} {figure.verdict}", markup=False
        )
    console.print(f"    ({time.monotonic() - began_at:.0f} s)", markup=False)
    return figures


def _about_machine() -> str:
    facts = machine()
    return (
        f"{facts['cores']} cores of {facts['cpu']}, Python {facts['python']}, commit {facts['commit']}"
        f"{' and changes' if facts['changed'] else ''}, load average {facts['load_before']} at the start"
    )


if __name__ == "__main__":
    sys.exit(main())
