"""What must be true at the end, told by what the shop committed and what the receivers accepted."""

from datetime import timedelta
from itertools import pairwise

from django.conf import settings

from connections.models import Start
from connections.receiver.backoff import MAX_REFUSALS
from sync.ledger.balance import balances, imbalances
from sync.models import PollState, Question, RetryItem, SeenOrder, SentOrder
from tests.histories import order_views

CONFIRMED, UPDATED, CANCELLED = "order.confirmed", "order.updated", "order.cancelled"
MUST, MAY, MUST_NOT = "must", "may", "must not"


def violations(world, *, checked):
    """Everything that is wrong; `checked` says that deep check and reconciliation have run too."""
    found = []
    for connection in world.connections:
        found += _Side(world, connection, checked).violations()
    found += [f"out of balance: {each}" for each in imbalances()]
    found += [f"out of balance: {each}" for each in balances() if each.difference]
    found += [f"still open: {each} {each.status}" for each in RetryItem.objects.open()]
    if checked:
        found += [f"still asked: {each} {each.detail}" for each in Question.objects.unfinished()]
    return found


class _Side:
    """One connection's receiver against the shop."""

    def __init__(self, world, connection, checked):
        self.world, self.connection, self.checked = world, connection, checked
        self.hook = world.hook(connection)
        self.home = world.homes[connection.pk]
        self.first_look, self.last_look = world.begun[connection.pk]
        self.asked_for = {
            order_id
            for model in (RetryItem, SentOrder)
            for order_id in model.objects.filter(connection=connection, replay=True).values_list(
                "order_id", flat=True
            )
        }
        self.aged = self._aged()
        self.taken = {}
        for each in self.hook.taken:
            self.taken.setdefault(each.order_id, []).append(each)

    def violations(self):
        found = []
        lives = self.home.story.lives
        for order_id in sorted({*lives, *self.taken}):
            for violation in self._of_order(lives.get(order_id), self.taken.get(order_id, [])):
                found.append(f"{self.connection.name}, order {order_id}: {violation}")
        if self.hook.bad_signatures:
            found.append(f"{self.hook.bad_signatures} bad signatures")
        return [*found, *self._versions_without_change()]

    def _aged(self):
        """Orders that no check reads again, or whose discarded version can no longer be taken up."""
        old = self.world.now - timedelta(days=settings.DEEP_CHECK_DAYS - 1)
        seen = SeenOrder.objects.filter(connection=self.connection, write_date__lt=old)
        rows = self.home.shop.world.rows("sale.order")
        dated = {row["id"] for row in rows if row["date_order"] < old}
        lost = RetryItem.objects.filter(connection=self.connection, status="discarded", body__isnull=True)
        return dated.union(seen.values_list("order_id", flat=True)), set(
            lost.values_list("order_id", flat=True)
        )

    def _of_order(self, life, taken):
        yield from _sequence(taken)
        yield from self._unwanted(taken)
        yield from self._of_others(taken)
        yield from self._given_again(taken)
        if life is None:
            yield "the shop never had it"
            return
        yield from self._ended_too_often(life, taken)
        scope = self._scope(life)
        old, lost = self.aged
        if life.order_id in lost or (life.hidden and life.order_id in old):
            return
        if scope == MUST_NOT and taken:
            yield f"sent, and it is from before the start: {[each.event for each in taken]}"
        elif life.is_confirmed:
            yield from self._confirmed(life, taken, scope)
        elif taken and (self.checked or not (life.hidden or scope == MAY)):
            yield from self._ended(taken)

    def _confirmed(self, life, taken, scope):
        if not self.checked and (life.hidden or scope == MAY):
            return
        if not taken:
            if scope == MUST and CONFIRMED in self.connection.events:
                yield "never arrived"
            return
        if taken[-1].event == CANCELLED:
            yield f"the receiver thinks it is cancelled; it is {life.state}"
        elif UPDATED in self.connection.events:
            yield from self._newest(life, taken)

    def _newest(self, life, taken):
        if life.fully_delivered and life.hidden:
            return  # no check reads it again, and nobody has to pick it any more
        face = order_views.in_body(taken[-1].body)
        good = life.faces if life.fully_delivered or not self.checked else life.faces[-1:]
        if face not in good:
            wanted = life.faces[-1]
            yield f"stale: {[(key, face[key], wanted[key]) for key in face if face[key] != wanted[key]]}"

    def _ended(self, taken):
        if self._unknown(taken[-1]):
            return
        if CANCELLED in self.connection.events and taken[-1].event != CANCELLED:
            yield f"it is over in the shop, and the receiver was last told {taken[-1].event}"

    def _unknown(self, each):
        """Taken without our knowing, and discarded before anybody tried again."""
        return (each.run.dead or each.kept_silent) and self._given_up(each)

    def _given_up(self, each):
        return RetryItem.objects.filter(event_id=each.event_id, status="discarded").exists()

    def _unwanted(self, taken):
        for each in taken:
            if each.event not in self.connection.events and not each.body["replay"]:
                yield f"{each.event} was sent and is not wanted"

    # --- restored and other databases -----------------------------------------------------------------

    def _of_others(self, taken):
        """What another database has under this number is nobody's business here."""
        mine = self.home.story.marks.get(taken[0].order_id, set()) if taken else set()
        for each in taken:
            if each.mark not in mine and not (each.event == CANCELLED and each.mark is None):
                yield f"{each.event}, version {each.version}, is of another database: {each.mark}"

    def _given_again(self, taken):
        """Where another order got the number, the receiver hears of the end of the one, then of the other."""
        for last, each in pairwise(taken):
            if last.mark == each.mark or None in (last.mark, each.mark):
                continue
            if each.event == UPDATED:
                yield f"another order got the number, and began with {each.event}, version {each.version}"
            untold = last.event != CANCELLED and CANCELLED in self.connection.events
            if untold and not (self._unknown(last) or self._refused_end(last, each)):
                yield f"another order got the number before the end of {last.mark} was told"

    def _refused_end(self, last, each):
        """A person gave the end up, or the receiver did not want it."""
        between = RetryItem.objects.filter(
            connection=self.connection,
            order_id=each.order_id,
            event=CANCELLED,
            version__gt=last.version,
            version__lt=each.version,
        )
        return any(item.discarded_by or item.refusals >= MAX_REFUSALS for item in between)

    def _ended_too_often(self, life, taken):
        """An order that is hidden, or that an emptied or another database does not have, is not over."""
        key = (self.connection.pk, life.order_id)
        ends = [*life.ended_at, *(at for *one, at in self.world.too_few_to_ask if tuple(one) == key)]
        told, last = 0, None
        for each in taken:
            told += each.event == CANCELLED != last and not each.body["replay"]
            last = each.event
            if told > sum(end <= each.at for end in ends):
                yield f"version {each.version} says that it is over, and it never was"
                return

    # --- which orders count -------------------------------------------------------------------------

    def _scope(self, life):
        last = max(life.confirmed_at, default=0)
        if last > self.last_look.commits:
            return MUST if life.order_id not in self.first_look.confirmed or self._dated_anew(life) else MAY
        if life.order_id in self.first_look.unseen | self.last_look.unseen:
            return MAY  # nobody could know that it was there before
        if life.order_id in self.asked_for or last > self.first_look.commits:
            return MAY
        if self.home.story.clock_jumped and self._dated_anew(life):
            return MAY  # dated by a clock that was ahead then
        if self.connection.start == Start.ALL:
            return self._scope_of_all(life)
        if self.connection.start == Start.DATE:
            return self._scope_of_date(life)
        return MUST_NOT

    def _dated_anew(self, life):
        """Whether its date says that an old order was confirmed again: not so within the second of the start,
        nor where the server's clock was set back since."""
        row = self.home.shop.world.get("sale.order", life.order_id)
        started_at = PollState.objects.get(connection=self.connection).started_at
        return row is not None and row["date_order"] > started_at

    def _scope_of_all(self, life):
        if life.order_id not in self.first_look.open:
            return MAY if life.restored else MUST_NOT  # what it closed may have been taken back since
        is_open = life.is_confirmed and not life.fully_delivered
        return MUST if is_open and self.connection.pk not in self.world.begun_blind else MAY

    def _scope_of_date(self, life):
        row = self.home.shop.world.get("sale.order", life.order_id)
        ordered_at = row and row["date_order"]
        if ordered_at is None:
            return MAY
        before = MAY if life.restored else MUST_NOT  # it may have had another date, which was taken back
        return MUST if ordered_at >= self.connection.start_at else before

    # --- versions -----------------------------------------------------------------------------------

    def _versions_without_change(self):
        """A version is made for a change, or because a person asked."""
        items = RetryItem.objects.filter(connection=self.connection, body__isnull=False)
        last = {}
        for item in items.order_by("order_id", "version"):
            before = last.get(item.order_id)
            follows = before is not None and item.version == before.version + 1
            alike = follows and before.content_hash == item.content_hash
            if alike and not (item.replay or self._end_was_not_to_be_told(before, item)):
                yield f"order {item.order_id}: versions {before.version} and {item.version} do not differ"
            last[item.order_id] = item

    def _end_was_not_to_be_told(self, before, item):
        """A restore undid an end that the receiver did not want to hear of, or that it needed not to: what it
        would have ended had not arrived, and was given up by a person.
        """
        life = self.home.story.lives.get(item.order_id)
        ended = life and any(before.created_at <= end <= item.created_at for end in life.ended_at)
        unheard = CANCELLED not in self.connection.events or (before.status == "discarded" and ended)
        return item.event == CONFIRMED and unheard


def _sequence(taken):
    """Versions grow; only what nobody heard the answer of may come again, the same to the byte."""
    newest = None
    for each in taken:
        if newest is not None and each.version <= newest.version:
            same = (each.event_id, each.raw) == (newest.event_id, newest.raw)
            if each.version < newest.version:
                yield f"version {each.version} came after {newest.version}"
            elif not same:
                yield f"version {each.version} came twice with different bytes"
            elif newest.heard:
                yield f"version {each.version} came again although its answer was heard"
        if newest is None or each.version >= newest.version:
            newest = each
