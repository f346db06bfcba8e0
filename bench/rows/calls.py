"""What a cycle asks of Odoo, by Odoo's version: with nothing new, and with orders."""

from bench.environment import HOUR, Ground, Setting, ground
from bench.report import Figure
from bench.rows.row import Row

VERSIONS = (16, 17, 18, 19)
CONNECTIONS = 3  # of each version
ORDERS = 5
MANY = 60  # among them nearly every customer and product of a shop
OLD_IDLE, OLD_WITH_ORDERS = 1, 5
MOST_WITH_ORDERS = {16: 5}


def measure(setting: Setting) -> list[Figure]:
    with ground(setting, setting.connections or CONNECTIONS, versions=VERSIONS) as here:
        here.connect(poll_interval_seconds=HOUR)
        here.poll()
        here.begin()
        here.rest(2)
        here.round()
        here.load.do(mark=True)
        here.round()
        idle = here.calls_by_shop()
        first, later = _with_orders(here, MANY), _with_orders(here, ORDERS)
        versions = {access["database"]: access["version"] for access in here.load.accesses}
    return [figure for version in VERSIONS for figure in _figures(version, versions, idle, first, later)]


def _with_orders(here: Ground, number: int) -> dict[str, int]:
    here.sell(number)
    here.wake()
    here.until_arrived(60)
    return here.calls_by_shop()


def _figures(version: int, versions: dict[str, int], *rounds: dict[str, int]) -> list[Figure]:
    """The most that any shop of this version got."""
    shops = [shop for shop, its in versions.items() if its == version]
    idle, first, later = (max(calls[shop] for shop in shops) for calls in rounds)
    most = MOST_WITH_ORDERS.get(version, 2)
    figures = [
        Figure("calls", f"Odoo {version}, nothing new", idle, "calls", 1, OLD_IDLE),
        Figure("calls", f"Odoo {version}, {ORDERS} orders", later, "calls", most, OLD_WITH_ORDERS),
    ]
    if first != later:
        figures.append(Figure("calls", f"Odoo {version}, the first {MANY} orders", first, "calls"))
    return figures


ROW = Row("calls", "calls to Odoo per cycle, idle and with orders, Odoo 16 to 19", measure)
