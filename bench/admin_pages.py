"""Time the admin's pages with a thousand connections and a million attempts behind them.

    python -m bench.admin_pages                                   on SQLite
    python -m bench.admin_pages --database postgres --attempts 3000000 --keep

The exit code is 1 when the first page takes longer than it may.
"""

import argparse
import json
import sys
import time

from rich.console import Console
from rich.table import Table

from tests.system.scratch import Scratch

HOME_MS = 300


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--attempts", type=int, default=1_000_000)
    parser.add_argument("--keep", action="store_true", help="leave the database for a look")
    parser.add_argument("--slowest", action="store_true", help="show the slowest statement of each page")
    options = parser.parse_args()
    console = Console()
    scratch = Scratch(options.database)
    try:
        began = time.monotonic()
        scratch.run("-m", "bench.admin_rows", str(options.connections), str(options.attempts))
        console.print(f"Filled in {time.monotonic() - began:.0f} s: {scratch.database_url}")
        figures = json.loads(scratch.run("-m", "bench.admin_timer"))
    finally:
        scratch.close(keep=options.keep)
    console.print(_table(figures))
    if options.slowest:
        for name, figure in figures.items():
            console.print(f"{name} ({figure['slowest_ms']} ms): {figure['slowest']}", highlight=False)
    return int(figures["home"]["median_ms"] > HOME_MS)


def _table(figures) -> Table:
    shown = Table(title="Pages of the desk")
    for name in ("page", "median ms", "longest ms", "queries", "slowest query ms"):
        shown.add_column(name, justify="left" if name == "page" else "right")
    for name, figure in figures.items():
        keys = ("median_ms", "max_ms", "queries", "slowest_ms")
        shown.add_row(name, *(str(figure[key]) for key in keys))
    return shown


if __name__ == "__main__":
    sys.exit(main())
