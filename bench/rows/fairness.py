"""One shop with thousands of waiting orders and a receiver that hangs: do the others notice?"""

import time

from bench.environment import Ground, Setting, ground
from bench.load.client import Told, quantile
from bench.report import Figure
from bench.rows.row import Row
from tests.system.waiting import until

OTHERS = 40
ORDERS = 5000
ORDERS_PER_SECOND = 5.0
HANGS_SECONDS = 15


def measure(setting: Setting) -> list[Figure]:
    interval, seconds = setting.interval(4, 10), setting.duration(8, 90)
    waiting = setting.size(1000, ORDERS)
    with ground(setting, OTHERS + 1, latency=0.05, receiver_latency=0.02) as here:
        busy, *others = here.shops
        here.connect(poll_interval_seconds=interval)
        here.poll()
        here.begin()
        before = _others(here, others, seconds, interval).lags()
        _hang(here, busy, waiting)
        during = _others(here, others, seconds, interval)
    lags = during.lags(others)
    ratio = quantile(lags, 0.95) / quantile(before, 0.95)
    facts = {
        "interval": interval,
        "busy_orders": waiting,
        "orders": [len(before), len(lags)],
        "p50": [quantile(before, 0.5), quantile(lags, 0.5)],
        "longest": [quantile(before, 1.0), quantile(lags, 1.0)],
        "busy_tries": sum(request["hook"] == busy for request in during.requests),
    }
    name = f"one receiver hangs {HANGS_SECONDS} s on {waiting} orders: the others' p95 / without it"
    return [
        Figure("fairness", name, ratio, "", 2, facts=facts),
        Figure("fairness", "the others' p95, order to receiver, without it", quantile(before, 0.95), "s"),
        Figure("fairness", "the others' p95, order to receiver, with it", quantile(lags, 0.95), "s"),
    ]


def _others(here: Ground, others: list[str], seconds: float, interval: int) -> Told:
    """Orders at the others for a while, until they have arrived."""
    here.load.do(mark=True, per_second=ORDERS_PER_SECOND, shops=others)
    time.sleep(seconds)
    here.load.do(per_second=0)
    return until(lambda: _all_there(here), interval + 120, "the others' orders have arrived", each=0.2)


def _all_there(here: Ground) -> Told | None:
    told = here.load.told()
    return None if told.missing else told


def _hang(here: Ground, busy: str, orders: int) -> None:
    here.load.tell(hook=busy, mode="hang", seconds=HANGS_SECONDS)
    here.load.do(mark=True, confirm=orders, shops=[busy], wait=False)
    until(lambda: not here.load.told().waiting, 120, "the tenant's orders are confirmed")
    until(
        lambda: any(request["hook"] == busy for request in here.load.told().requests),
        60,
        "the tenant's receiver hangs",
    )


ROW = Row("fairness", "one tenant with 5,000 waiting orders whose receiver hangs 15 s: the others", measure)
