"""One shop with many waiting orders: how soon the last of them is delivered."""

import time

from bench.environment import HOUR, Ground, Setting, ground
from bench.load.client import middle
from bench.report import Figure
from bench.rows.row import Row

ORDERS = 500


def measure(setting: Setting) -> list[Figure]:
    with ground(setting, 1, latency=0.05, receiver_latency=0.02) as here:
        here.connect(poll_interval_seconds=HOUR, deliveries_at_once=16)
        here.poll()
        here.begin()
        times = [_wave(here) for _ in range(setting.size(3, 7))]
    spans = [span for span, _ in times]
    facts = {"waves": spans, "orders": ORDERS, "from_due": [whole for _, whole in times]}
    return [
        Figure("backlog", f"{ORDERS} orders, first to last", middle(spans), "s", 1.0, 12.0, facts=facts),
        Figure("backlog", "the same from the moment it is due", middle(w for _, w in times), "s"),
    ]


def _wave(here: Ground) -> tuple[float, float]:
    """Seconds from the first arrival to the last, and from the moment the poll was due."""
    here.sell(ORDERS)
    due_at = time.time()
    here.wake()
    arrivals = here.until_arrived(120).arrivals.values()
    return max(arrivals) - min(arrivals), max(arrivals) - due_at


ROW = Row("backlog", "500 waiting orders of one connection, Odoo 50 ms, receiver 20 ms", measure)
