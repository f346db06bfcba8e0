"""What people do in the shop: transactions that are stamped when they begin and seen when they commit."""

from datetime import timedelta

from sandbox.odoo.errors import OdooError
from sandbox.odoo.sales import Line

DELAYS = (0, 0, 0, 0, 0, 0, 0, 0.4, 1, 3, 30, 90, 400, 900, 1195, 1200)

OF_THE_OTHER_COMPANY = 4  # of every five


class Till:
    """Verbs take whole numbers and make of them what fits; what Odoo refuses does not happen."""

    def __init__(self, shop, story, world):
        self.shop, self.story, self.world = shop, story, world
        self.partners = [shop.customer_id, shop.add_partner("Ana", street="Calle 1", city="Puebla")]
        self.products = [shop.product_id, shop.add_product("Tuerca", code="TUE-1", price=0.5)]
        self._number = 0

    def fresh(self):
        """A number that was not used before, for changes that do change something."""
        self._number += 1
        return self._number

    def delayed(self, number):
        return DELAYS[number % len(DELAYS)]

    def transact(self, act, *, delay=0):
        """Do `act(tx)` now and commit it after `delay` seconds."""
        self.world.pass_time(0.002)
        tx = self.shop.begin()
        if not self._staged(act, tx):
            return
        if delay:
            self.world.at(delay, lambda: self._commit(act, tx), owner=self)
        else:
            self._commit(act, tx)

    def _staged(self, act, tx):
        try:
            act(tx)
        except (OdooError, KeyError):
            tx.rollback()
            return False
        return True

    def _commit(self, act, tx):
        if self._overtaken(tx):  # as Odoo does: the whole of it again, with a new stamp
            tx.rollback()
            tx = self.shop.begin()
            if not self._staged(act, tx):
                return
        keys = list(tx._staged)
        parents = [
            ("sale.order", row["order_id"])
            for model, record_id in keys
            if model == "sale.order.line" and (row := self.shop.world.get(model, record_id))
        ]
        tx.commit()
        self.story.committed([*keys, *parents])

    def _overtaken(self, tx):
        gone = any(
            self.shop.world.get(*key) is None and values is not None and "create_date" not in values
            for key, values in tx._staged.items()
        )
        return gone or tx._conflicts()

    # --- which order --------------------------------------------------------------------------------

    def pick(self, number, *states):
        """One of the orders in these states (any without), mostly a young one; None when there is none."""
        rows = [row for row in self.shop.world.rows("sale.order") if not states or row["state"] in states]
        if not rows:
            return None
        young = rows[-6:] if number % 4 else rows
        return young[number // 4 % len(young)]["id"]

    # --- making orders ------------------------------------------------------------------------------

    def sell(self, count, how):
        """`count` orders: one transaction each, all in one, or quotations confirmed together later."""
        delay = self.delayed(how // 3)
        acts = [self._sale(how + n) for n in range(count)]
        if how % 3 == 0:
            self.transact(lambda tx: [act(tx) for act in acts], delay=delay)
        elif how % 3 == 1:
            for n, act in enumerate(acts):
                self.transact(act, delay=self.delayed(how // 3 + n))
        else:
            ids = []
            self.transact(lambda tx: ids.extend(self._quotation(how + n)(tx) for n in range(count)))
            self.transact(lambda tx: [self.shop.confirm(each, tx=tx) for each in ids], delay=delay)

    def quote(self, how):
        self.transact(self._quotation(how))

    def confirm(self, order_id, delay):
        self.transact(lambda tx: self.shop.confirm(order_id, tx=tx), delay=delay)

    def _sale(self, how):
        quotation = self._quotation(how)
        return lambda tx: self.shop.confirm(quotation(tx), tx=tx)

    def _quotation(self, how):
        partner = self.partners[how % len(self.partners)]
        lines = [Line(self.products[(how + n) % 2], quantity=1 + n) for n in range(1 + how % 3)]
        company = 2 if how % 5 == OF_THE_OTHER_COMPANY else 1
        mark = f"{self.shop.database}-{self.fresh()}"
        return lambda tx: self.shop.quotation(partner, lines, tx=tx, company_id=company, origin=mark)

    # --- changing them ------------------------------------------------------------------------------

    def edit(self, order_id, how, delay):
        """Something the receiver has to hear of and whose stamp moves."""
        edits = (self._quantity, self._price, self._note, self._promise, self._reference)
        edits += (self._line, self._without_a_line, self._address, self._nothing_of_a_line)
        act = edits[how % len(edits)](order_id, self.fresh())
        self.transact(act, delay=delay)

    def touch(self, order_id, delay, *, times=1):
        for _ in range(times):
            self.transact(lambda tx: self.shop.touch(order_id, tx=tx), delay=delay)

    def there_and_back(self, order_id, how):
        """A note that comes and goes again: at the end nothing has changed."""
        before = self.shop.order(order_id).get("note") or False
        self.transact(self._note(order_id, self.fresh()))
        self.transact(lambda tx: self.shop.edit_order(order_id, tx=tx, note=before), delay=self.delayed(how))

    def cancel(self, order_id, delay):
        self.transact(lambda tx: self.shop.cancel(order_id, tx=tx), delay=delay)

    def draft_again(self, order_id, delay):
        self.transact(lambda tx: self._draft_again(order_id, tx), delay=delay)

    def delete(self, order_id, delay):
        self.transact(lambda tx: self.shop.unlink(order_id, tx=tx), delay=delay)

    def cancel_and_confirm(self, order_id, delay):
        """Three transactions that no poll may come between."""
        self.cancel(order_id, 0)
        self.draft_again(order_id, 0)
        self.confirm(order_id, delay)

    def cancel_and_delete(self, order_id, delay):
        self.cancel(order_id, 0)
        self.delete(order_id, delay)

    def lock(self, order_id, how):
        verb = self.shop.unlock if self.shop.is_locked(self.shop.order(order_id)) else self.shop.lock
        self.transact(lambda tx: verb(order_id, tx=tx), delay=self.delayed(how))

    def deliver_fully(self, order_id):
        self.transact(lambda tx: self.shop.edit_order(order_id, tx=tx, delivery_status="full"))

    def edit_silently(self, order_id, how, delay):
        """What moves no stamp of the order: a line's text or place, the customer's street."""
        value = self.fresh()
        if how % 3 == 0:
            partner = self.shop.order(order_id)["partner_shipping_id"]
            self.transact(
                lambda tx: self.shop.edit_partner(partner, tx=tx, street=f"Calle {value}"), delay=delay
            )
            return
        values = {"name": f"Text {value}"} if how % 3 == 1 else {"sequence": value}
        self.transact(lambda tx: self._edit_first_line(order_id, values, tx), delay=delay)

    def _draft_again(self, order_id, tx):
        order = tx.get("sale.order", order_id)
        if order and order["state"] == "cancel":
            self.shop.back_to_draft(order_id, tx=tx)

    def _edit_first_line(self, order_id, values, tx):
        for line_id in tx.children("sale.order.line", "order_id", order_id)[:1]:
            self.shop.edit_line_silently(line_id, tx=tx, **values)

    def _quantity(self, order_id, value):
        return lambda tx: self._change_line(tx, order_id, quantity=float(value))

    def _price(self, order_id, value):
        return lambda tx: self._change_line(tx, order_id, price=float(value))

    def _nothing_of_a_line(self, order_id, value):
        return lambda tx: self._change_line(tx, order_id, quantity=0.0)

    def _change_line(self, tx, order_id, **values):
        lines = tx.children("sale.order.line", "order_id", order_id)
        if lines:
            self.shop.change_line(lines[-1], tx=tx, **values)

    def _note(self, order_id, value):
        return lambda tx: self.shop.edit_order(order_id, tx=tx, note=f"<p>{value}</p>")

    def _reference(self, order_id, value):
        return lambda tx: self.shop.edit_order(order_id, tx=tx, client_order_ref=f"PO {value}")

    def _promise(self, order_id, value):
        at = self.shop.world.clock().replace(microsecond=0) + timedelta(days=value)
        return lambda tx: self.shop.edit_order(order_id, tx=tx, commitment_date=at)

    def _address(self, order_id, value):
        partner = self.partners[value % len(self.partners)]
        return lambda tx: self.shop.edit_order(order_id, tx=tx, partner_shipping_id=partner)

    def _line(self, order_id, value):
        return lambda tx: self.shop.add_line(order_id, Line(self.products[value % 2], quantity=value), tx=tx)

    def _without_a_line(self, order_id, value):
        def act(tx):
            lines = tx.children("sale.order.line", "order_id", order_id)
            if len(lines) > 1:
                self.shop.remove_line(lines[-1], tx=tx)

        return act
