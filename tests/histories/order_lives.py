"""What really happened to every order: kept at each commit, from the shop's own rows."""

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta

from tests.histories import order_views

CONFIRMED = ("sale", "done")
# Where clocks jump, what comes this close to the end of the look-back may be left to the reconciliation.
MARGIN = timedelta(seconds=200)


@dataclass
class Life:
    """One order. `faces` are what it showed since its stamp moved last, newest last.

    After a restore another order may get its number: then another life begins, `born` at another moment.
    """

    order_id: int
    state: str = ""
    born: object = None
    mark: str = ""  # by which its events are known: no other order ever has it
    company: int = 1
    # Of every order that had the number: commit numbers, and moments.
    confirmed_at: list = field(default_factory=list)
    ended_at: list = field(default_factory=list)
    stamp: object = None
    seconds: set = field(default_factory=set)  # of all its stamps, those that were taken back as well
    faces: list = field(default_factory=list)
    # The newest change is one that no poll can see, so that only checks have to find it.
    hidden: bool = False
    fully_delivered: bool = False
    restored: bool = False

    @property
    def is_confirmed(self):
        return self.state in CONFIRMED

    @property
    def shows(self):
        return (self.born, self.stamp, self.state, self.fully_delivered, self.faces[-1:])


class Story:
    """Every order's life, and how many commits there were.

    `now` is the clock by which windows are read; the shop's own stamps what is written.
    """

    def __init__(self, shop, lookback_seconds, now, our_now):
        self.shop, self.now, self.our_now = shop, now, our_now
        self.lookback = timedelta(seconds=lookback_seconds)
        self.clock_jumped = False
        self.lives = {}
        self.marks = {}  # order id: the marks of all orders that ever had the number

    def committed(self, keys):
        """A transaction that wrote these (model, id) has just been committed."""
        for order_id in sorted(self._orders(keys)):
            self._turn_page(self.lives.setdefault(order_id, Life(order_id)))

    def confirmed_now(self):
        return {life.order_id for life in self.lives.values() if life.is_confirmed}

    @property
    def commits(self):
        return self.shop.world.commits

    # --- what polls could not see -------------------------------------------------------------------

    def went_back(self, lives):
        """A backup was put back, and with it these lives as they were; the receivers know the later ones."""
        for order_id in sorted({*self.lives, *lives}):
            last = self.lives.get(order_id, Life(order_id))
            self.lives[order_id] = self._as_it_stood(last, deepcopy(lives.get(order_id)))

    def was_unseen(self, is_concerned):
        """Orders could not be seen for a while: what is news of them may have been missed by every poll."""
        for life in self.lives.values():
            life.hidden = life.hidden or is_concerned(life)

    def _as_it_stood(self, last, then):
        life = then or Life(last.order_id, "gone", last.born, last.mark, last.company, faces=last.faces)
        is_same = then is not None and then.born == last.born
        life.hidden = life.hidden or last.hidden or life.shows != last.shows
        life.restored = True
        life.ended_at, life.seconds = [*last.ended_at], last.seconds | life.seconds
        life.confirmed_at = [*last.confirmed_at]
        if last.is_confirmed and not (is_same and life.is_confirmed):
            life.ended_at.append(self.our_now())
        if life.is_confirmed and not (is_same and last.is_confirmed):
            life.confirmed_at.append(self.commits)
        return life

    # --- commits ------------------------------------------------------------------------------------

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
        if row is not None and row["create_date"] != life.born:
            life = self._begin(life, row)
        if life.is_confirmed and (row is None or row["state"] not in CONFIRMED):
            life.ended_at.append(self.our_now())
        if row is None or row["state"] not in (*CONFIRMED, "cancel"):
            life.state = row["state"] if row else "gone"
            life.hidden, life.stamp = True, row and row["write_date"]
            return
        if row["state"] in CONFIRMED and not life.is_confirmed:
            life.confirmed_at.append(self.commits)
        face = order_views.in_shop(self.shop, life.order_id)
        stamped = row["write_date"] != life.stamp
        if stamped:
            life.hidden = self._may_be_missed(life, row["write_date"])
        elif face != life.faces[-1]:
            life.hidden = True
        life.faces = [face] if stamped else [*life.faces, face]
        life.state, life.stamp = row["state"], row["write_date"]
        life.seconds.add(life.stamp.replace(microsecond=0))
        life.fully_delivered = row.get("delivery_status") == "full"

    def _begin(self, last, row):
        """The number's first order, or another one after a restore."""
        life = Life(last.order_id, "", row["create_date"], row["origin"], row["company_id"])
        life.confirmed_at, life.ended_at, life.seconds = last.confirmed_at, last.ended_at, last.seconds
        if last.is_confirmed:
            life.ended_at.append(self.our_now())
        self.marks.setdefault(life.order_id, set()).add(life.mark)
        self.lives[life.order_id] = life
        return life

    def _may_be_missed(self, life, stamp):
        """Beyond the look-back, or in the same second as a stamp that was read already."""
        now = self.now()
        reach = self.lookback - (MARGIN if self.clock_jumped else timedelta(0))
        same_second = stamp.replace(microsecond=0) in life.seconds
        second_is_over = now.replace(microsecond=0) > stamp.replace(microsecond=0)
        taken_back = same_second and life.restored
        return now - stamp > reach or taken_back or (same_second and (second_is_over or self.clock_jumped))
