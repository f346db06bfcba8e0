"""Many shops with a few orders each at once: what an order costs."""

from bench.cpu_memory import Account
from bench.environment import HOUR, Ground, Setting, ground
from bench.load.client import middle
from bench.report import Figure
from bench.rows.row import Row

CONNECTIONS = 200
ORDERS = 5


def measure(setting: Setting) -> list[Figure]:
    with ground(setting, setting.connections or CONNECTIONS) as here:
        here.connect(poll_interval_seconds=HOUR)
        here.poll()
        here.begin()
        waves = [_wave(here) for _ in range(setting.size(3, 7))]
    orders = len(here.shops) * ORDERS
    per_order = [1000 * account.cpu_seconds / orders for account, _, _ in waves]
    facts = {
        "waves": per_order,
        "wall_seconds": [account.seconds for account, _, _ in waves],
        "load_ms": [1000 * load.cpu_seconds / orders for _, load, _ in waves],
        "first_to_last": [seconds for _, _, seconds in waves],
    }
    name = f"{len(here.shops)} connections x {ORDERS} orders: CPU of all processes per order"
    figures = [Figure("burst", name, middle(per_order), "ms", 1.0, 1.55, facts=facts)]
    if not here.scratch.is_sqlite:
        beside = middle(1000 * account.database_seconds / orders for account, _, _ in waves)
        figures.append(Figure("burst", "PostgreSQL's CPU per order, beside it", beside, "ms"))
    return figures


def _wave(here: Ground) -> tuple[Account, Account, float]:
    here.sell(ORDERS)
    with here.load_account() as load, here.account() as account:
        here.wake()
        arrivals = here.until_arrived(120).arrivals.values()
        here.rest(0.5)
    return account, load, max(arrivals) - min(arrivals)


ROW = Row("burst", "200 connections x 5 orders at once: CPU per order", measure)
