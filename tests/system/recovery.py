"""Recover an outage while the real poller's processes are killed with -9: every row exactly once.

    python -m tests.system.recovery                                     25,000 orders on SQLite
    python -m tests.system.recovery --database postgres --orders 50000

The exit code is 1 when a row was missed, done twice, or left in another state than its row says.
"""

import argparse
import contextlib
import random
import sys
import time

from rich.console import Console

from tests.system.poller_process import Poller
from tests.system.scratch import Scratch

PATIENCE_SECONDS = 600
PAUSE_SECONDS = (1.0, 5.0)  # between two kills


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--orders", type=int, default=25_000)
    parser.add_argument("--kills", type=int, default=15, help="then it is left in peace")
    parser.add_argument("--pace", type=int, default=500, help="orders per second")
    options = parser.parse_args()
    console = Console()
    scratch = Scratch(options.database, POLLER_RUN_ROWS_PER_SECOND=str(options.pace))
    poller = None
    try:
        scratch.run("-m", "tests.system.make_outage", str(options.orders))
        began, kills = time.monotonic(), 0
        poller = Poller(scratch, workers=3)
        poller.until_ready()
        while _left(scratch) and time.monotonic() - began < PATIENCE_SECONDS:
            time.sleep(random.uniform(*PAUSE_SECONDS))
            poller.revive()
            if kills >= options.kills:
                continue
            targets = poller.family[1:]  # of our own poller only: its workers, guard, pusher and monitor
            with contextlib.suppress(ProcessLookupError, IndexError):
                poller.shoot(random.choice(targets), "recovery")
                kills += 1
        seconds = time.monotonic() - began
        problems = _problems(scratch, options.orders)
    finally:
        if poller is not None:
            poller.end()
        scratch.close()
    console.print(
        f"{options.orders} orders, {kills} kills, {seconds:.0f} s, violations: {problems or 'none'}"
    )
    return int(bool(problems))


def _left(scratch: Scratch) -> int:
    return scratch.number("SELECT COUNT(*) FROM sync_runrow WHERE state = 'waiting'")


def _problems(scratch: Scratch, orders: int) -> list[str]:
    """What does not add up, in words."""
    counted = {
        "rows done": "SELECT COUNT(*) FROM sync_runrow WHERE state = 'done'",
        "items done": "SELECT COUNT(DISTINCT item_id) FROM sync_runrow WHERE state = 'done'",
        "items waiting": "SELECT COUNT(*) FROM sync_retryitem WHERE status = 'pending'",
        "moments that agree": (
            "SELECT COUNT(*) FROM sync_runrow AS r JOIN sync_retryitem AS i ON i.id = r.item_id "
            "WHERE r.done_at = i.next_retry_at"  # of a row done twice the second moment would stand here
        ),
    }
    found = {name: scratch.number(statement) for name, statement in counted.items()}
    return [f"{name}: {number}" for name, number in found.items() if number != orders]


if __name__ == "__main__":
    sys.exit(main())
