"""What the migration scripts of newer Odoo versions do to the records of a database."""

from collections.abc import Iterator

from sandbox.odoo.database import Row, Tx, World

Written = Iterator[tuple[str, int, Row]]  # model, id, values


def migrate(world: World, tx: Tx, version: int) -> None:
    """Bring every record to this version from the one before it. No `write_date` moves."""
    for model, record_id, values in list(_STEPS[version](world)):
        tx.write(model, record_id, values, touch=False)


def _to_17(world: World) -> Written:
    """A locked order was a state of its own."""
    for row in world.rows("sale.order"):
        if row.get("state") == "done":
            yield "sale.order", row["id"], {"state": "sale", "locked": True}


def _to_18(world: World) -> Written:
    """What is kept in stock was a type of its own."""
    for row in world.rows("product.template"):
        if row.get("type") == "product":
            yield "product.template", row["id"], {"type": "consu", "is_storable": True}


def _to_19(world: World) -> Written:
    """Units and taxes of lines were renamed, and a mobile phone is a phone."""
    for row in world.rows("sale.order.line"):
        renamed = {"product_uom_id": row.get("product_uom", False), "tax_ids": row.get("tax_id", [])}
        yield "sale.order.line", row["id"], renamed
    for row in world.rows("res.partner"):
        if row.get("mobile") and not row.get("phone"):
            yield "res.partner", row["id"], {"phone": row["mobile"]}


_STEPS = {17: _to_17, 18: _to_18, 19: _to_19}
