"""Kill the real poller with -9 wherever it hurts, start it again, and check that nothing came of it.

    python -m tests.system.crashes                         every point, on SQLite
    python -m tests.system.crashes --database postgres --database redis --point answered --rounds 3

The exit code is 1 on any violation. Folders of rounds with violations are kept, and named.
"""

import argparse
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.system.round import Plan, Result, Round
from tests.system.scenarios import Frozen, Pair, Whole
from tests.system.scratch import VARIANTS, is_reachable

PLANS = {
    plan.name: plan
    for plan in (
        Plan("claimed", ("claimed@8", "claimed@24")),
        Plan("taken", ("taken@6", "taken@14", "taken@30:main")),
        Plan("begun", ("begun@1", "begun@3:main")),
        Plan("fed", ("fed@6", "fed@14", "fed@30:main")),
        Plan("read", ("read@2", "read@9", "read@16:main")),
        Plan("owing", ("owing@2", "owing@9", "owing@16:main")),
        Plan("owed", ("owed@2", "owed@9", "owed@16:main")),
        Plan("window", ("window@2", "window@9", "window@16:main")),
        Plan("posted", ("posted@10", "posted@40", "posted@80:main")),
        Plan("answered", ("answered@10", "answered@40", "answered@80:main")),
        Plan("flush", ("flush@3", "flush@12", "flush@24:main")),
        Plan("recorded", ("recorded@3", "recorded@12", "recorded@24:main")),
        Plan("retried", ("retried@1", "retried@4", "retried@8:main"), failures=2),
        Plan("checked", ("checked@1", "checked@4", "checked@8:main"), deep=True),
        Plan("repaired", ("repaired@1", "repaired@3:main"), repair=True),
        Plan("random", shots=10),
        Plan("emptied", empty=True, steps=30),
    )
}
WAVES = {"whole": Whole, "two": Pair, "frozen": Frozen}
COLUMNS = (
    "point",
    "database",
    "kills",
    "restarts",
    "replaced",
    "orders",
    "versions",
    "requests",
    "repeats",
    "age",
)
VIOLATIONS = ("repeated", "lost", "altered", "backwards", "unbalanced", "stuck", "other")
HEADERS = {
    "age": "oldest\nof them",
    "repeats": "repeats",
    "repeated": "not in\nflight",
    "unbalanced": "unbal-\nanced",
    "recovered": "recovered\nafter",
}
WIDTH = 200


def main() -> int:
    options = _options()
    console = Console(width=WIDTH)
    rounds = [
        _round(name, variant, seed)
        for seed in range(1, options.rounds + 1)
        for variant in options.database or ["sqlite"]
        for name in options.point or [*PLANS, *WAVES]
        if not (name == "two" and variant == "sqlite")
    ]
    with ThreadPoolExecutor(options.jobs) as pool:
        futures = [pool.submit(each.run) for each in rounds]
        results = [_tell(console, future.result()) for future in as_completed(futures)]
    order = {id(each.result): number for number, each in enumerate(rounds)}
    results.sort(key=lambda result: order[id(result)])
    console.print(_table(results))
    return 1 if any(result.verdict.violations for result in results) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.system.crashes", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--database", action="append", choices=VARIANTS, help="default: sqlite")
    parser.add_argument("--point", action="append", choices=[*PLANS, *WAVES], help="default: all")
    parser.add_argument("--rounds", type=int, default=1, help="of each point")
    parser.add_argument("--jobs", type=int, default=1, help="rounds at the same time")
    options = parser.parse_args()
    for variant in options.database or []:
        if not is_reachable(variant):
            parser.error(f"the servers for {variant} are not reachable")
    return options


def _round(name: str, variant: str, seed: int) -> Round:
    return WAVES[name](variant, seed=seed) if name in WAVES else Round(PLANS[name], variant, seed=seed)


def _tell(console: Console, result: Result) -> Result:
    bad = result.verdict.violations
    console.print(
        f"{result.plan.name} on {result.variant}: {'ok' if not bad else 'VIOLATED'}, {result.seconds:.0f} s"
    )
    for sentence in bad[:20]:
        console.print(f"    {sentence}", markup=False)
    if result.folder:
        console.print(f"    kept: {result.folder}", markup=False)
    return result


def _table(results: Iterable[Result]) -> Table:
    table = Table(title="Killed, started again, judged")
    for name in [*COLUMNS, *VIOLATIONS, "recovered", "seconds"]:
        title = HEADERS.get(name, name)
        table.add_column(title, justify="left" if name in ("point", "database") else "right", no_wrap=True)
    for result in results:
        table.add_row(*map(str, _cells(result)))
    return table


def _cells(result: Result) -> list[Any]:
    verdict = result.verdict
    return [
        *(result.plan.name, result.variant, result.kills, result.restarts, result.replaced),
        *(verdict.orders, verdict.versions, verdict.requests, verdict.duplicates),
        f"{verdict.oldest_seconds:.2f} s" if verdict.duplicates else "",
        *(len(getattr(verdict, kind)) for kind in VIOLATIONS),
        f"{result.recovery_seconds:.0f} s",
        f"{result.seconds:.0f} s",
    ]


if __name__ == "__main__":
    sys.exit(main())
