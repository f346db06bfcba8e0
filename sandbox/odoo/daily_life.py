"""The daily life of a shop: orders are confirmed, changed, touched, cancelled; some commits come late."""

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from random import Random

from sandbox.odoo.database import Tx
from sandbox.odoo.demo_data import furnish, random_order
from sandbox.odoo.shop import Shop

Action = Callable[[], None]
LATE_COMMIT_CHANCE = 0.1
# What happens to an order after its confirmation: chance, earliest and latest second.
FOLLOW_UPS: dict[str, tuple[float, int, int]] = {
    "change": (0.25, 10, 90),
    "touch": (0.3, 5, 120),
    "edit_text": (0.1, 10, 120),
    "edit_address": (0.05, 10, 120),
    "lock": (0.08, 20, 180),
    "cancel": (0.08, 30, 180),
}


class Life:
    """Runs one shop by its own clock: call `run_due()` now and then. The same seed gives the same life.

    `per_minute` orders are confirmed on average; 0 leaves the shop as it is.
    """

    def __init__(self, shop: Shop, per_minute: float = 0.0, seed: int = 1) -> None:
        self.shop = shop
        self.per_minute = per_minute
        self.stock = furnish(shop)
        self._random = Random(f"{seed}:{shop.database}")
        self._due: list[tuple[datetime, int, Action]] = []
        self._numbers = count()
        self._arrival_planned = False
        self._kinds: dict[str, Callable[[int], None]] = {
            "change": self.change,
            "touch": shop.touch,
            "edit_text": self.edit_text,
            "edit_address": self.edit_address,
            "lock": shop.lock,
            "cancel": self.cancel,
        }

    def seed_orders(self, number: int) -> None:
        """Confirmed orders of the last days, the newest an hour old."""
        now = self.shop.world.clock()
        for age in range(number, 0, -1):
            with self.shop.begin(now - timedelta(hours=1, minutes=age * 17, microseconds=age * 7919)) as tx:
                self._sell(tx)

    def confirm_now(self, number: int = 1) -> list[int]:
        """Confirm that many new orders at once; returns their ids."""
        ids = []
        for _ in range(number):
            with self.shop.begin() as tx:
                ids.append(self._sell(tx))
        return ids

    def confirm_late(self, seconds: float) -> None:
        """A confirmation whose transaction begins now and is seen only after that time."""
        tx = self.shop.begin()
        self._sell(tx)
        self._plan(seconds, tx.commit)

    def run_due(self) -> int:
        """Do everything whose time has come; returns how much that was."""
        now = self.shop.world.clock()
        self._plan_arrival(now)
        done = 0
        while self._due and self._due[0][0] <= now:
            heapq.heappop(self._due)[2]()
            done += 1
        return done

    def _plan(self, seconds: float, action: Action, after: datetime | None = None) -> None:
        at = (after or self.shop.world.clock()) + timedelta(seconds=seconds)
        heapq.heappush(self._due, (at, next(self._numbers), action))

    def _plan_arrival(self, after: datetime) -> None:
        if self.per_minute > 0 and not self._arrival_planned:
            self._arrival_planned = True
            self._plan(self._random.expovariate(self.per_minute / 60), self._arrive, after)

    def _arrive(self) -> None:
        """A customer says yes; the next arrival counts from now."""
        self._arrival_planned = False
        tx = self.shop.begin()
        order_id = self._sell(tx)
        delay = self._random.uniform(5, 60) if self._random.random() < LATE_COMMIT_CHANCE else 0.0
        if delay:
            self._plan(delay, tx.commit)
        else:
            tx.commit()
        for kind, (chance, earliest, latest) in FOLLOW_UPS.items():
            if self._random.random() < chance:
                self._plan(delay + self._random.uniform(earliest, latest), self._later(kind, order_id))
        self._plan_arrival(self.shop.world.clock())

    def _later(self, kind: str, order_id: int) -> Action:
        return lambda: self._kinds[kind](order_id) if self.is_open(order_id) else None

    def _sell(self, tx: Tx) -> int:
        customer, lines, values = random_order(self._random, self.stock)
        return self.shop.sell(customer, lines, tx=tx, **values)

    # --- what is done to an order -------------------------------------------------------------------

    def is_open(self, order_id: int) -> bool:
        """Confirmed, not locked, still there."""
        order = self.shop.world.get("sale.order", order_id)
        return order is not None and order["state"] == "sale" and not order.get("locked")

    def open_orders(self, number: int) -> list[int]:
        """The newest confirmed orders."""
        newest = sorted(self.shop.world.tables["sale.order"], reverse=True)
        return [order_id for order_id in newest if self.is_open(order_id)][:number]

    def change(self, order_id: int) -> None:
        goods = [line for line in self.shop.lines(order_id) if line.get("product_id")]
        line = self._random.choice(goods)
        self.shop.change_line(line["id"], quantity=line["product_uom_qty"] + self._random.randint(1, 5))

    def cancel(self, order_id: int) -> None:
        self.shop.cancel(order_id)

    def edit_text(self, order_id: int) -> None:
        """The description of a line: the order's write_date does not move."""
        line = self._random.choice(self.shop.lines(order_id))
        self.shop.edit_line_silently(line["id"], name=f"{line['name']} (revisado)")

    def edit_address(self, order_id: int) -> None:
        """The customer moves: the order's write_date does not."""
        partner_id = self.shop.order(order_id)["partner_shipping_id"]
        self.shop.edit_partner(partner_id, street2=f"Puerta {self._random.randint(1, 99)}")
