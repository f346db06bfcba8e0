"""What really happened to every order: kept at each commit, from the shop's own rows."""

from dataclasses import dataclass, field
from datetime import timedelta

from tests.histories import faces

CONFIRMED = ("sale", "done")
# Where clocks jump, what comes this close to the end of the look-back may be left to the reconciliation.
MARGIN = timedelta(seconds=200)


@dataclass
class Life:
    """One order. `faces` are what it showed since its stamp moved last, newest last."""

    order_id: int
    state: str = ""
    confirmed_at: list = field(default_factory=list)  # commit numbers
    stamp: object = None
    faces: list = field(default_factory=list)
    # The newest change is one that no poll can see, so that only checks have to find it.
    hidden: bool = False
    fully_delivered: bool = False

    @property
    def is_confirmed(self):
        return self.state in CONFIRMED


class Story:
    """Every order's life, and how many commits there were."""

    def __init__(self, shop, lookback_seconds):
        self.shop = shop
        self.lookback = timedelta(seconds=lookback_seconds)
        self.clock_jumped = False
        self.lives = {}

    def committed(self, keys):
        """A transaction that wrote these (model, id) has just been committed."""
        for order_id in sorted(self._orders(keys)):
            self._turn_page(self.lives.setdefault(order_id, Life(order_id)))

    def confirmed_now(self):
        return {life.order_id for life in self.lives.values() if life.is_confirmed}

    @property
    def commits(self):
        return self.shop.world.commits

    def _orders(self, keys):
        world, found = self.shop.world, set()
        for model, record_id in keys:
            if model == "sale.order":
                found.add(record_id)
            elif model == "sale.order.line" and world.get(model, record_id):
                found.add(world.get(model, record_id)["order_id"])
            elif model == "res.partner":
                found |= {
                    row["id"]
                    for row in world.rows("sale.order")
                    if record_id in (row["partner_id"], row["partner_shipping_id"])
                }
        return found

    def _turn_page(self, life):
        row = self.shop.world.get("sale.order", life.order_id)
        if row is None or row["state"] not in (*CONFIRMED, "cancel"):
            life.state = row["state"] if row else "gone"
            life.hidden, life.stamp = True, row and row["write_date"]
            return
        if row["state"] in CONFIRMED and not life.is_confirmed:
            life.confirmed_at.append(self.commits)
        face = faces.in_shop(self.shop, life.order_id)
        stamped = row["write_date"] != life.stamp
        if stamped:
            life.hidden = self._may_be_missed(life.stamp, row["write_date"])
        elif face != life.faces[-1]:
            life.hidden = True
        life.faces = [face] if stamped else [*life.faces, face]
        life.state, life.stamp = row["state"], row["write_date"]
        life.fully_delivered = row.get("delivery_status") == "full"

    def _may_be_missed(self, before, stamp):
        """Beyond the look-back, or in the same second as a stamp that was read already."""
        now = self.shop.world.clock()
        reach = self.lookback - (MARGIN if self.clock_jumped else timedelta(0))
        same_second = before is not None and before.replace(microsecond=0) == stamp.replace(microsecond=0)
        second_is_over = now.replace(microsecond=0) > stamp.replace(microsecond=0)
        return now - stamp > reach or (same_second and (second_is_over or self.clock_jumped))
