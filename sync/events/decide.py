"""What an order's news mean for its receiver. Pure: what we know in, what is to be done out."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from sync.orders import Change

CONFIRMED, UPDATED, CANCELLED = "order.confirmed", "order.updated", "order.cancelled"
# In place of a content hash: another poller delivered this version, and only its stamp is known.
BY_STAMP = "stamp"


class Reaction(Enum):
    """What one line of the feed asks for."""

    NOTHING = "nothing"
    READ = "read"  # read the order whole and compare
    NOTE = "note"  # remember the new stamp, nothing is to be sent


class TakenOver(Enum):
    """What the poller before us had delivered of an order that our ledger does not know."""

    NOTHING = "nothing"
    ORDER = "order"  # an earlier version
    VERSION = "version"  # this one


@dataclass(frozen=True, slots=True)
class Known:
    """What we remember of one order. `announced`: '', 'confirmed' or 'cancelled' to the receiver.

    `hash_rules` are those that `content_hash` was made by.
    `held`: not sent until a person has answered a question. `reread`: it ended as another order got its
    number, which is to be read once the receiver knows of the end.
    """

    write_date: datetime
    state: str
    content_hash: str
    version: int
    announced: str
    seeded: bool
    hash_rules: int = 1
    created_at: datetime | None = None
    held: bool = False
    reread: bool = False

    @property
    def cancelled(self) -> bool:
        return self.state == "cancel"

    def is_another(self, created_at: datetime | None) -> bool:
        """The number was given again: an order made at another moment is another order."""
        return None not in (created_at, self.created_at) and created_at != self.created_at


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of an order that was read whole."""

    event: str = ""  # the version to make, or "" for none
    announced: str = ""  # what the receiver counts as knowing, whether or not it wanted to hear it
    supersede: bool = False  # what is still owed of this order must not go out any more
    seed: bool = False  # known from before the start: recorded, not sent
    imported: bool = False  # another poller delivered it: recorded as sent


IGNORE = Plan()


def reaction_to(change: Change, known: Known | None, *, before_start: bool = False) -> Reaction:
    """`before_start`: the order was confirmed before the connection's start, and not again since."""
    if known is None:
        return Reaction.NOTHING if change.cancelled else Reaction.READ
    if known.is_another(change.create_date):
        return Reaction.READ
    if change.write_date == known.write_date and change.cancelled == known.cancelled:
        return Reaction.NOTHING
    return Reaction.NOTE if known.seeded and before_start else Reaction.READ


def recognised(known: Known, *, write_date: datetime, cancelled: bool, content_hash: str) -> Known:
    """An order known by its stamp only, and not written since, is what we read now."""
    if known.content_hash != BY_STAMP or cancelled or write_date > known.write_date:
        return known
    return replace(known, content_hash=content_hash)


def plan(
    known: Known | None,
    *,
    cancelled: bool,
    content_hash: str,
    owed: bool,
    wanted: Collection[str],
    perhaps_announced: bool = False,
    before_start: bool = False,
    replay: bool = False,
    taken_over: TakenOver = TakenOver.NOTHING,
) -> Plan:
    """`owed`: a version of it still waits. `perhaps_announced`: it may have a later one than we know of.
    `before_start`: as for `reaction_to`. `taken_over` counts for orders that are not known.
    """
    announced = known.announced if known else "" if taken_over is TakenOver.NOTHING else "confirmed"
    again = known is not None and known.cancelled and not cancelled
    event = event_for(announced, cancelled=cancelled, again=again)
    if replay:
        return Plan(event, announced, supersede=owed)
    if known is None and cancelled:
        return IGNORE
    if before_start and (known is None or known.seeded) and not owed:
        return Plan(announced=known.announced if known else "", seed=True)
    if known is None and taken_over is TakenOver.VERSION:
        return Plan(announced=announced, imported=True)
    if known is not None and known.content_hash == content_hash:
        return Plan(announced=announced)
    over = announced == "cancelled" and known is not None and known.cancelled
    told = announced == "confirmed" or (perhaps_announced and not over)
    if cancelled and not owed and not told:
        return Plan(announced=announced)
    if event in wanted:
        return Plan(event, announced, supersede=owed)
    # What waits is of a state that is over, wanted or not.
    return Plan(announced=announced_by(event), supersede=owed and (cancelled or again))


def event_for(announced: str, *, cancelled: bool, again: bool = False) -> str:
    """A receiver that never heard of an order, or may have heard of its end, is told of a confirmation.

    `again`: it was cancelled when we saw it last; word of that may be on its way.
    """
    if cancelled:
        return CANCELLED
    return UPDATED if announced == "confirmed" and not again else CONFIRMED


def announced_by(event: str) -> str:
    return "cancelled" if event == CANCELLED else "confirmed"
