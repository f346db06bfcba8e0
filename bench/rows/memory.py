"""A thousand shops: how much memory all processes take together, from their start on."""

import time

from bench.environment import Setting, ground
from bench.report import Figure
from bench.rows.row import Row

CONNECTIONS = 1000
SHARE_WITH_ORDERS = 0.1


def measure(setting: Setting) -> list[Figure]:
    """The first look at every shop, then polls and orders: whatever is highest counts."""
    interval = setting.interval(10, 60)
    with ground(setting, setting.connections or CONNECTIONS) as here:
        here.connect(poll_interval_seconds=interval)
        here.poll()
        with here.account() as account:
            here.begin(300)
            per_second = len(here.shops) * SHARE_WITH_ORDERS / interval
            here.load.do(mark=True, per_second=per_second, shops=here.shops)
            time.sleep(setting.duration(8, 180))
            here.load.do(per_second=0)
            orders = len(here.until_arrived(interval + 60).arrivals)
    facts = {
        "processes": account.processes,
        "interval": interval,
        "orders": orders,
        "by_process": account.peak_by_process,
        "over_time": account.over_time(12),
    }
    name = f"{len(here.shops)} connections: peak of all processes together"
    resident = account.peak_resident_megabytes
    return [
        Figure("memory", name, account.peak_megabytes, "MB", 250, 950, facts=facts),
        Figure("memory", "the same, shared pages counted for each process", resident, "MB"),
    ]


ROW = Row("memory", "1,000 connections: peak memory of all processes", measure)
