"""What people do with orders in Odoo, and which of it moves the order's `write_date`."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.odoo.database import Clock, Row, Tx, World
from sandbox.odoo.errors import OdooError, user_error

DEFAULT_TAX = 1


@dataclass(frozen=True)
class Line:
    """A line to be put on an order.

    `product_id` None with a `display_type` ("line_section", "line_note") is a heading or a note; without
    one it is a line for something that is no product. `price` None takes the product's list price.
    """

    product_id: int | None = None
    quantity: float = 1.0
    price: float | None = None
    discount: float = 0.0
    name: str = ""
    display_type: str = ""
    tax_ids: Sequence[int] = (DEFAULT_TAX,)
    more: Mapping[str, Any] = field(default_factory=dict)


class Sales:
    """The life of orders in one database. Every verb takes `tx` to be part of a longer transaction."""

    def __init__(self, version: int, clock: Clock) -> None:
        self.world = World(clock)
        self.turn_into(version)

    def turn_into(self, version: int) -> None:
        self.version = version
        self.uom_field = "product_uom_id" if version >= 19 else "product_uom"
        self.tax_field = "tax_ids" if version >= 19 else "tax_id"

    def begin(self, at: datetime | None = None) -> Tx:
        """A transaction stamped now (or `at`); nobody sees its changes before `commit()`."""
        return self.world.begin(at)

    def order(self, order_id: int) -> Row:
        """The committed order. Raises KeyError."""
        return self.world.tables["sale.order"][order_id]

    def lines(self, order_id: int) -> list[Row]:
        """The committed lines of an order, by id."""
        ids = sorted(self.world.children("sale.order.line", "order_id", order_id))
        return [self.world.tables["sale.order.line"][each] for each in ids]

    # --- making orders ------------------------------------------------------------------------------

    def quotation(
        self, partner_id: int, lines: Sequence[Line], *, tx: Tx | None = None, **values: Any
    ) -> int:
        """A draft order; `values` are more fields of sale.order. Returns its id."""
        with self._within(tx) as inner:
            order_id = inner.create("sale.order", {"partner_id": partner_id, "state": "draft"})
            defaults = {
                "name": f"S{order_id:05d}",
                "date_order": inner.stamp.replace(microsecond=0),
                "partner_shipping_id": partner_id,
                "partner_invoice_id": partner_id,
                "company_id": 1,
                "currency_id": 1,
                "pricelist_id": 1,
                "warehouse_id": 1,
                "user_id": 2,
                "picking_policy": "direct",
                "invoice_status": "no",
            }
            inner.write("sale.order", order_id, defaults | values)
            for line in lines:
                self.add_line(order_id, line, tx=inner)
        return order_id

    def confirm(self, order_id: int, *, tx: Tx | None = None) -> None:
        """Draft or sent becomes a sales order dated now. Raises OdooError for any other state."""
        with self._within(tx) as inner:
            order = _order(inner, order_id)
            if order["state"] not in ("draft", "sent"):
                raise self._not_confirmable(order)
            values = {
                "state": "sale",
                "date_order": inner.stamp.replace(microsecond=0),
                "invoice_status": "to invoice",
                "delivery_status": "pending",
            }
            inner.write("sale.order", order_id, values)

    def _not_confirmable(self, order: Row) -> OdooError:
        if self.version < 17:
            return user_error("It is not allowed to confirm an order in the following states: done, cancel")
        if self.version < 18:
            return user_error(
                f"The following orders are not in a state requiring confirmation: {order['name']}"
            )
        return user_error("Some orders are not in a state requiring confirmation.")

    # --- changing them ------------------------------------------------------------------------------

    def cancel(self, order_id: int, *, tx: Tx | None = None) -> None:
        with self._within(tx) as inner:
            if self.is_locked(_order(inner, order_id)):
                raise user_error("You cannot cancel a locked order. Please unlock it first.")
            inner.write("sale.order", order_id, {"state": "cancel", "invoice_status": "no"})

    def back_to_draft(self, order_id: int, *, tx: Tx | None = None) -> None:
        """A cancelled order becomes a quotation again, which can be confirmed once more."""
        with self._within(tx) as inner:
            inner.write("sale.order", order_id, {"state": "draft"})

    def lock(self, order_id: int, *, tx: Tx | None = None) -> None:
        """16 has a state for it, 17 and later a flag."""
        with self._within(tx) as inner:
            inner.write("sale.order", order_id, {"state": "done"} if self.version < 17 else {"locked": True})

    def unlock(self, order_id: int, *, tx: Tx | None = None) -> None:
        with self._within(tx) as inner:
            inner.write("sale.order", order_id, {"state": "sale"} if self.version < 17 else {"locked": False})

    def is_locked(self, order: Row) -> bool:
        return order["state"] == "done" or bool(order.get("locked"))

    def touch(self, order_id: int, *, tx: Tx | None = None) -> None:
        """Move `write_date` and nothing else, as an empty write, a delivery or a portal visit does."""
        self.edit_order(order_id, tx=tx)

    def edit_order(self, order_id: int, *, tx: Tx | None = None, **values: Any) -> None:
        with self._within(tx) as inner:
            inner.write("sale.order", order_id, values)

    def unlink(self, order_id: int, *, tx: Tx | None = None) -> None:
        """Delete an order with its lines. Raises OdooError unless it is a draft or cancelled."""
        with self._within(tx) as inner:
            if _order(inner, order_id)["state"] not in ("draft", "cancel"):
                raise user_error(
                    "You can not delete a sent quotation or a confirmed sales order. "
                    "You must first cancel it."
                )
            for line_id in inner.children("sale.order.line", "order_id", order_id):
                inner.unlink("sale.order.line", line_id)
            inner.unlink("sale.order", order_id)

    # --- lines --------------------------------------------------------------------------------------

    def add_line(self, order_id: int, line: Line, *, tx: Tx | None = None) -> int:
        """Through the order form: the order's `write_date` moves. Returns the line's id."""
        with self._within(tx) as inner:
            line_id = inner.create(
                "sale.order.line", self._line_values(order_id, line, inner) | dict(line.more)
            )
            self._total_line(inner, line_id)
            self._total(inner, order_id)
        return line_id

    def change_line(
        self,
        line_id: int,
        *,
        quantity: float | None = None,
        price: float | None = None,
        discount: float | None = None,
        tx: Tx | None = None,
    ) -> None:
        """Through the order form: the order's `write_date` moves."""
        given = {"product_uom_qty": quantity, "price_unit": price, "discount": discount}
        with self._within(tx) as inner:
            inner.write("sale.order.line", line_id, {k: v for k, v in given.items() if v is not None})
            self._total_line(inner, line_id)
            self._total(inner, _line(inner, line_id)["order_id"])

    def remove_line(self, line_id: int, *, tx: Tx | None = None) -> None:
        """Through the order form: the order's `write_date` moves."""
        with self._within(tx) as inner:
            order_id = _line(inner, line_id)["order_id"]
            inner.unlink("sale.order.line", line_id)
            self._total(inner, order_id)

    def edit_line_silently(self, line_id: int, *, tx: Tx | None = None, **values: Any) -> None:
        """Written on the line itself: description or sequence. The order's `write_date` stays."""
        with self._within(tx) as inner:
            inner.write("sale.order.line", line_id, values)

    def edit_partner(self, partner_id: int, *, tx: Tx | None = None, **values: Any) -> None:
        """Orders show the new address, and their `write_date` stays."""
        with self._within(tx) as inner:
            inner.write("res.partner", partner_id, values)

    def _line_values(self, order_id: int, line: Line, tx: Tx) -> Row:
        values: Row = {"order_id": order_id, "name": line.name, "sequence": 10}
        if line.display_type:
            return values | {"display_type": line.display_type}
        product = tx.get("product.product", line.product_id) if line.product_id else None
        template = tx.get("product.template", product["product_tmpl_id"]) if product else None
        price = line.price if line.price is not None else (product or {}).get("lst_price", 0.0)
        return values | {
            "product_id": line.product_id or False,
            "name": line.name or (template or {}).get("name", ""),
            "product_uom_qty": float(line.quantity),
            "price_unit": float(price),
            "discount": float(line.discount),
            self.uom_field: (template or {}).get("uom_id", False),
            self.tax_field: list(line.tax_ids),
        }

    def _total_line(self, tx: Tx, line_id: int) -> None:
        line = _line(tx, line_id)
        net = line.get("product_uom_qty", 0.0) * line.get("price_unit", 0.0)
        subtotal = round(net * (1 - line.get("discount", 0.0) / 100), 2)
        taxes = (tx.get("account.tax", each) or {} for each in line.get(self.tax_field, ()))
        tax = round(subtotal * sum(each.get("amount", 0.0) for each in taxes) / 100, 2)
        values = {"price_subtotal": subtotal, "price_tax": tax, "price_total": round(subtotal + tax, 2)}
        tx.write("sale.order.line", line_id, values)

    def _total(self, tx: Tx, order_id: int) -> None:
        lines = [_line(tx, each) for each in tx.children("sale.order.line", "order_id", order_id)]
        untaxed = round(sum(line.get("price_subtotal", 0.0) for line in lines), 2)
        tax = round(sum(line.get("price_tax", 0.0) for line in lines), 2)
        totals = {"amount_untaxed": untaxed, "amount_tax": tax, "amount_total": round(untaxed + tax, 2)}
        tx.write("sale.order", order_id, totals)

    @contextmanager
    def _within(self, tx: Tx | None) -> Iterator[Tx]:
        if tx is not None:
            yield tx
            return
        with self.begin() as own:
            yield own


def _order(tx: Tx, order_id: int) -> Row:
    order = tx.get("sale.order", order_id)
    if order is None:
        raise KeyError(f"sale.order({order_id})")
    return order


def _line(tx: Tx, line_id: int) -> Row:
    line = tx.get("sale.order.line", line_id)
    if line is None:
        raise KeyError(f"sale.order.line({line_id})")
    return line
