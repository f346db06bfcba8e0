"""Random histories by the thousand: `python -m tests.histories --count 10000 [--seed 1] [--jobs 2] [-v]`.

Each is a shop with transactions, clocks, faults, people and crashes, played against the real flows in memory;
at its end an oracle of its own says what is wrong. `--seed N --count 1 -v` plays one again and tells it.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed

import django
from django.core.management import call_command
from rich.console import Console
from rich.progress import Progress

PORTION = 25  # histories handed to a process at once
CAUSES_SHOWN = 3

Portion = tuple[Counter[str], list[tuple[int, list[str]]]]


def main() -> int:
    """Returns the exit code: 1 when any history ended with something wrong."""
    wanted = _arguments()
    began, tally, failures = time.monotonic(), Counter[str](), list[tuple[int, list[str]]]()
    console = Console()
    with ProcessPoolExecutor(wanted.jobs, initializer=prepare) as pool, Progress(console=console) as progress:
        bar = progress.add_task("histories", total=wanted.count)
        for future in as_completed([pool.submit(play, seeds) for seeds in _portions(wanted)]):
            some, bad = future.result()
            tally += some
            failures += bad
            progress.advance(bar, some["histories"])
            for seed, violations in bad:
                progress.print(f"seed {seed}: {'; '.join(violations[:CAUSES_SHOWN])}", markup=False)
    _report(console, tally, failures, time.monotonic() - began)
    if wanted.verbose and wanted.count == 1:
        tell(wanted.seed)
    return 1 if failures else 0


def prepare() -> None:
    """A process of its own database, in memory."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    os.environ["POLLER_TEST_DATABASE_URL"] = "sqlite://:memory:"
    django.setup()
    logging.disable(logging.CRITICAL)
    call_command("migrate", verbosity=0)


def play(seeds: list[int]) -> Portion:
    from tests.histories import history, plans  # noqa: PLC0415 - Django has to be set up first

    tally, bad = Counter[str](), []
    for seed in seeds:
        result = history.play(plans.drawn(seed))
        tally += result.tally
        if result.violations:
            bad.append((seed, [str(each) for each in result.violations]))
    return tally, bad


def tell(seed: int) -> None:
    """What happened in one history, step by step."""
    prepare()
    from tests.histories import history, plans  # noqa: PLC0415 - Django has to be set up first

    for step in history.play(plans.drawn(seed)).log:
        print(*step)


def _portions(wanted: argparse.Namespace) -> Iterator[list[int]]:
    end = wanted.seed + wanted.count
    for first in range(wanted.seed, end, PORTION):
        yield list(range(first, min(first + PORTION, end)))


def _report(
    console: Console, tally: Counter[str], failures: list[tuple[int, list[str]]], seconds: float
) -> None:
    facts = ", ".join(f"{count} {name}" for name, count in tally.items())
    console.print(f"{facts}; {seconds:.0f} s, {tally['histories'] / seconds:.1f} a second")
    console.print(f"{len(failures)} with something wrong" if failures else "Nothing wrong in any of them.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="how many (default: 10000)")
    parser.add_argument("--seed", type=int, default=1, help="of the first one (default: 1)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("-v", "--verbose", action="store_true", help="tell a single history step by step")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
