"""A ledger that grows: whether a poll costs more when there are a thousand times as many rows."""

import time

from bench.environment import HOUR, Ground, Setting, ground
from bench.load.client import middle
from bench.report import Figure, number
from bench.rows.row import Row

CONNECTIONS = 200
ORDERS = 5
INTERVAL = 1  # shorter than people may set: many polls in little time
FIRST_ORDER = 10_000_000  # the orders of the load come after those of the ledger
SIZES = (1_000, 100_000, 1_000_000, 10_000_000)


def measure(setting: Setting) -> list[Figure]:
    largest = setting.rows or setting.size(100_000, 1_000_000)
    costs: dict[int, tuple[float, float]] = {}
    with ground(setting, setting.connections or CONNECTIONS, after_order=FIRST_ORDER) as here:
        # Short, so that what one wave brought is not read again and again by the idle polls that follow.
        here.connect(poll_interval_seconds=HOUR, lookback_seconds=1)
        here.poll()
        here.begin()
        for rows in (size for size in SIZES if size <= largest):
            here.scratch.run("-m", "bench.grow_ledger", str(rows))
            costs[rows] = _idle(here, setting.duration(6, 20)), _active(here, setting.size(3, 7))
    figures = [figure for rows in costs for figure in _figures(rows, costs)]
    return figures


def _figures(rows: int, costs: dict[int, tuple[float, float]]) -> list[Figure]:
    """`facts` of a ratio hold what it is made of, in ms of CPU, the database's included."""
    least = min(costs)
    figures = []
    for kind, now, before in zip(("idle", "active"), costs[rows], costs[least], strict=True):
        name = f"{kind} poll, {number(rows)} rows"
        figures.append(Figure("growth", f"{name}: CPU", now, "ms"))
        if rows != least:
            ratio = f"{name}: as against {number(least)}"
            figures.append(Figure("growth", ratio, now / before, "", 1.2, facts={"ms": [before, now]}))
    return figures


def _idle(here: Ground, seconds: float) -> float:
    """Milliseconds of CPU of a poll with nothing new."""
    here.every(INTERVAL)
    here.rest(2 * INTERVAL + 1)
    here.load.do(mark=True)
    with here.account() as account:
        time.sleep(seconds)
    polls = sum(map(len, here.load.told().polls(INTERVAL / 2).values()))
    here.every(HOUR)
    here.quiet()
    return 1000 * (account.cpu_seconds + account.database_seconds) / polls


def _active(here: Ground, waves: int) -> float:
    """Milliseconds of CPU of a poll that finds a few orders, their deliveries included."""
    return middle(_wave(here) for _ in range(waves))


def _wave(here: Ground) -> float:
    here.sell(ORDERS)
    with here.account() as account:
        here.wake()
        here.until_arrived(120)
        here.rest(0.5)
    return 1000 * (account.cpu_seconds + account.database_seconds) / len(here.shops)


ROW = Row("growth", "idle and active polls with 1,000, 100,000, 1,000,000 (--rows: 10,000,000) rows", measure)
