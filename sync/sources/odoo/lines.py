"""The lines of an order that are sent: what each is, how many, and what the product says of itself."""

from dataclasses import dataclass

from sync.orders import OrderLine
from sync.sources.odoo.fields import ATTRIBUTE_VALUES
from sync.sources.odoo.notes import Notes
from sync.sources.odoo.values import (
    Misfit,
    Record,
    number,
    optional_flag,
    optional_integer,
    optional_related_name,
    optional_text,
    record_id,
    related,
    related_list,
    related_name,
    text,
)

STORABLE_TYPE = "product"  # up to 17 what is kept in stock was a type of its own


def order_lines(record: Record, discount_product: int | None, notes: Notes) -> tuple[OrderLine, ...]:
    """Without sections, notes and lines of quantity 0, by sequence. Raises Misfit."""
    goods = [line for line in related_list(record, "order_line") if not _is_text(line) and _quantity(line)]
    lines = [_order_line(line, discount_product, notes.at(f"order_line[{line['id']}]")) for line in goods]
    return tuple(sorted(lines, key=lambda line: (line.sequence or 0, line.line_id)))


def _is_text(line: Record) -> bool:
    """Sections, subsections and notes."""
    return bool(line.get("display_type"))


def _quantity(line: Record) -> float:
    try:
        return number(line, "product_uom_qty")
    except Misfit as error:
        raise error.within(f"line {line['id']}") from error


def _order_line(line: Record, discount_product: int | None, notes: Notes) -> OrderLine:
    line_id = record_id(line)
    try:
        product = related(line, "product_id")
        goods = _goods(product, notes.at("product_id")) if product else NO_GOODS
        return OrderLine(
            line_id=line_id,
            sequence=notes.optional(optional_integer, line, "sequence", empty=None),
            product_id=record_id(product) if product else None,
            sku=goods.sku,
            barcode=goods.barcode,
            name=notes.text(line, "name"),
            variant=goods.variant,
            quantity=_quantity(line),
            uom=_unit(line, notes),
            unit_price=number(line, "price_unit"),
            subtotal=number(line, "price_subtotal"),
            total=number(line, "price_total"),
            discount_percent=number(line, "discount"),
            product_type=goods.kind,
            is_storable=goods.is_storable,
            is_delivery=notes.optional(optional_flag, line, "is_delivery", empty=None),
            is_downpayment=notes.optional(optional_flag, line, "is_downpayment", empty=None),
            is_reward=_is_reward(line, product, discount_product, notes),
        )
    except Misfit as error:
        raise error.within(f"line {line_id}") from error


def _unit(line: Record, notes: Notes) -> str | None:
    """The field was renamed in 19."""
    key = "product_uom_id" if "product_uom_id" in line else "product_uom"
    return notes.optional(optional_related_name, line, key, empty=None)


def _is_reward(
    line: Record, product: Record | None, discount_product: int | None, notes: Notes
) -> bool | None:
    """Made by a promotion (the module `sale_loyalty`) or by the order's global discount (17 and newer)."""
    if product and product["id"] == discount_product:
        return True
    return notes.optional(optional_flag, line, "is_reward_line", empty=None)


@dataclass(frozen=True, slots=True)
class _Goods:
    """What a line's product says of itself."""

    sku: str
    barcode: str
    variant: str | None
    kind: str | None
    is_storable: bool | None


NO_GOODS = _Goods("", "", "", None, None)


def _goods(product: Record, notes: Notes) -> _Goods:
    code = text(product, "default_code")
    # Where it is the code, another in its place would be other goods.
    barcode = notes.text(product, "barcode") if code else text(product, "barcode")
    kind, is_storable = _kind(product, notes)
    return _Goods(
        sku=code or barcode or _template_code(product),
        barcode=barcode,
        variant=notes.optional(_variant, product, ATTRIBUTE_VALUES, empty=None),
        kind=kind,
        is_storable=is_storable,
    )


def _template_code(product: Record) -> str:
    """A code is passed on with its blanks: they are part of it. Without any, the payload makes one up."""
    template = related(product, "product_tmpl_id")
    return text(template, "default_code") if template else ""


def _kind(product: Record, notes: Notes) -> tuple[str | None, bool | None]:
    """Type, and whether it is kept in stock, as 18 and newer say it: the same goods are the same on all.

    A server without the field is older, or keeps no stock.
    """
    kind = notes.optional(optional_text, product, "type", empty=None)
    if kind == STORABLE_TYPE:
        return "consu", True
    if kind and "is_storable" not in product:
        return kind, False
    return kind, notes.optional(optional_flag, product, "is_storable", empty=None)


def _variant(product: Record, key: str) -> str | None:
    """Like "Color: Rojo, Talla: L"; "" for a product without variants."""
    if key not in product:
        return None
    values = related_list(product, key)
    return ", ".join(f"{related_name(value, 'attribute_id')}: {text(value, 'name')}" for value in values)
