"""What a cycle asks of Odoo, by Odoo's version: with nothing new, and with orders."""

from bench.rig.figure import Figure
from bench.rig.ground import HOUR, Setting, ground
from bench.rows.row import Row

VERSIONS = (16, 17, 18, 19)
CONNECTIONS = 3  # of each version
ORDERS = 5
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
        here.load.do(mark=True, confirm=ORDERS, shops=here.shops)
        here.wake()
        here.until_arrived(60)
        busy = here.calls_by_shop()
        versions = {access["database"]: access["version"] for access in here.load.accesses}
    return [figure for version in VERSIONS for figure in _figures(version, versions, idle, busy)]


def _figures(
    version: int, versions: dict[str, int], idle: dict[str, int], busy: dict[str, int]
) -> list[Figure]:
    """The most that any shop of this version got."""
    shops = [shop for shop, its in versions.items() if its == version]
    most = MOST_WITH_ORDERS.get(version, 2)
    with_orders = max(busy[shop] for shop in shops)
    return [
        Figure("calls", f"Odoo {version}, nothing new", max(idle[s] for s in shops), "calls", 1, OLD_IDLE),
        Figure("calls", f"Odoo {version}, {ORDERS} orders", with_orders, "calls", most, OLD_WITH_ORDERS),
    ]


ROW = Row("calls", "calls to Odoo per cycle, idle and with orders, Odoo 16 to 19", measure)
