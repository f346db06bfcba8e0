"""One, two, four `runpoller` on PostgreSQL and Redis: what they do together, and that nothing is done twice.

Each has one worker with few threads, and Odoo takes its time: what they wait for adds up, not what they
compute, so that a small machine can show how the work is shared.
"""

import os
import time
from itertools import pairwise

from bench.environment import Ground, Setting, ground
from bench.load.client import Told
from bench.report import Figure
from bench.rows.row import Row
from tests.system.poller_process import Poller

LATENCY_SECONDS = 0.2
THREADS = 16  # of each
ORDERS = 10
HOSTS = (1, 2, 4)
INTERVAL = 1
NEAR_LINEAR = 0.85


def measure(setting: Setting) -> list[Figure]:
    figures: list[Figure] = []
    variables = {"POLLER_THREADS": str(THREADS), "POLLER_WORKERS": "1"}
    shops = setting.shops(400, 1500)
    with ground(setting, shops, variables=variables) as here:
        here.connect(poll_interval_seconds=INTERVAL, deliveries_at_once=4)
        here.poll(workers=1)
        here.begin(600)
        here.load.tell(shop="*", latency=LATENCY_SECONDS)
        rates = {}
        for number in HOSTS:
            while len(here.pollers) < number:
                here.poll(workers=1)
            rates[number], more = _throughput(here, setting.duration(8, 40))
            figures += more
        figures += _sharing(rates)
        if not setting.small:
            figures += _killed(here, setting)
    return figures


def _throughput(here: Ground, seconds: float) -> tuple[float, list[Figure]]:
    """Polls per second with more due than can be done, then orders per second, and what was done twice."""
    hosts = len(here.pollers)
    here.rest(3)
    here.load.do(mark=True)
    with here.account() as account:
        time.sleep(seconds)
    told = here.load.told()
    rate = sum(map(len, told.polls(INTERVAL / 2).values())) / account.seconds
    orders, arrived = _orders(here)
    doubles = told.repeated_events + arrived.repeated_events
    at_once = max(told.most_at_once, arrived.most_at_once)
    facts = {
        "cpu_percent": 100 * account.cpu_seconds / account.seconds / (os.cpu_count() or 1),
        "postgres_percent": 100 * account.database_seconds / account.seconds / (os.cpu_count() or 1),
        "connections": len(here.shops),
    }
    name = f"{hosts} runpoller"
    return rate, [
        Figure("hosts", f"{name}: polls", rate, "1/s", facts=facts),
        Figure("hosts", f"{name}: orders", orders, "1/s"),
        Figure("hosts", f"{name}: most polls of one shop at once", at_once, "", 1),
        Figure("hosts", f"{name}: events sent twice", doubles, "", 0),
    ]


def _orders(here: Ground) -> tuple[float, Told]:
    chosen = here.shops[:200]
    here.load.do(mark=True, confirm=ORDERS, shops=chosen)
    told = here.until_arrived(180)
    seconds = max(told.arrivals.values()) - min(told.confirmed.values())
    return len(told.confirmed) / seconds, told


def _sharing(rates: dict[int, float]) -> list[Figure]:
    return [
        Figure(
            "hosts",
            f"{more} runpoller as against {fewer}: polls, of the ideal {more // fewer}",
            rates[more] / rates[fewer] / (more / fewer),
            "",
            NEAR_LINEAR,
            more_is_better=True,
        )
        for fewer, more in pairwise(HOSTS)
    ]


def _killed(here: Ground, setting: Setting) -> list[Figure]:
    """Two of four are killed with -9 amid orders; the other two do all of it, and nothing twice."""
    here.load.do(mark=True, per_second=20.0, shops=here.shops)
    time.sleep(setting.duration(5, 20))
    for target in here.pollers[:2]:
        _kill(target)
    time.sleep(setting.duration(5, 40))
    here.load.do(per_second=0)
    killed_at = time.monotonic()
    told = here.until_arrived(300)
    wrong = told.wrong_repeats(here.pollers[-1].kills)
    facts = {
        "orders": len(told.confirmed),
        "repeats_in_flight": told.repeated_events,
        "wrong": wrong[:20],
        "all_there_after_seconds": time.monotonic() - killed_at,
    }
    return [
        Figure("hosts", "two of four killed: orders lost", told.missing, "", 0, facts=facts),
        Figure("hosts", "two of four killed: repeats of what was not in flight", len(wrong), "", 0),
        Figure("hosts", "two of four killed: most polls of one shop at once", told.most_at_once, "", 1),
    ]


def _kill(target: Poller) -> None:
    target.shoot(target.process.pid, "hosts")


ROW = Row("hosts", "one, two, four runpoller on PostgreSQL and Redis", measure, ("redis",))
