"""Steady state: from an order's confirmation in Odoo to its arrival."""

import time

from bench.environment import Setting, ground
from bench.load.client import quantile
from bench.report import Figure
from bench.rows.row import Row

ORDERS_PER_SECOND = 5.0


def measure(setting: Setting) -> list[Figure]:
    interval = setting.interval(5, 60)
    with ground(setting, setting.shops(60, 300), latency=0.05, receiver_latency=0.02) as here:
        here.connect(poll_interval_seconds=interval)
        here.poll()
        here.begin()
        here.load.do(mark=True, per_second=ORDERS_PER_SECOND, shops=here.shops)
        time.sleep(setting.duration(10, 180))
        here.load.do(per_second=0)
        told = here.until_arrived(interval + 60)
    lags = told.lags()
    facts = {"interval": interval, "orders": len(lags), "longest": quantile(lags, 1.0)}
    return [
        Figure("lag", f"order to receiver, every {interval} s, p50", quantile(lags, 0.5), "s"),
        Figure(
            "lag",
            f"order to receiver, every {interval} s, p95",
            quantile(lags, 0.95),
            "s",
            interval + 2,
            facts=facts,
        ),
    ]


ROW = Row("lag", "steady state, order to receiver against the poll interval", measure)
