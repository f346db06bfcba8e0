"""Odoo record, nested as `web_search_read` gives it -> Order. The rules of the contract are here."""

from sync.orders import Address, Order, OrderLine, Party
from sync.sources.odoo_fields import FOLLOWED
from sync.sources.odoo_sightings import company_of
from sync.sources.odoo_values import (
    Misfit,
    Record,
    choice,
    moment,
    number,
    optional_flag,
    optional_integer,
    optional_moment,
    optional_related_name,
    optional_text,
    record_id,
    related,
    related_list,
    related_name,
    text,
)

NOBODY = Party(None, "", "", "", "", "", "", Address("", "", "", "", "", "", "", ""))


def order(record: Record) -> Order:
    """Raises Misfit when the record is not what Odoo gives for an order."""
    customer = _party(record, "partner_id") or NOBODY
    return Order(
        order_id=record_id(record),
        name=text(record, "name"),
        state=choice(record, "state", FOLLOWED),
        locked=optional_flag(record, "locked"),
        date_order=optional_moment(record, "date_order"),
        write_date=moment(record, "write_date"),
        commitment_date=optional_moment(record, "commitment_date"),
        amount_untaxed=number(record, "amount_untaxed"),
        amount_tax=number(record, "amount_tax"),
        amount_total=number(record, "amount_total"),
        currency=related_name(record, "currency_id"),
        note=text(record, "note"),
        client_order_ref=text(record, "client_order_ref"),
        origin=optional_text(record, "origin"),
        warehouse=optional_related_name(record, "warehouse_id"),
        company=optional_related_name(record, "company_id"),
        salesperson=optional_related_name(record, "user_id"),
        customer=customer,
        shipping=_party(record, "partner_shipping_id") or customer,
        lines=_lines(record),
        create_date=optional_moment(record, "create_date"),
        company_id=company_of(record),
    )


def _party(record: Record, key: str) -> Party | None:
    partner = related(record, key)
    if partner is None:
        return None
    try:
        return party(partner)
    except Misfit as error:
        raise Misfit(f"{key}: {error}") from error


def party(partner: Record) -> Party:
    commercial = related(partner, "commercial_partner_id")
    return Party(
        id=record_id(partner),
        name=text(partner, "name"),
        company_name=_company_name(partner, commercial),
        reference=optional_text(partner, "ref") or "",
        email=text(partner, "email"),
        phone=text(partner, "phone") or optional_text(partner, "mobile") or "",
        tax_id=text(partner, "vat") or (text(commercial, "vat") if commercial else ""),
        address=_address(partner),
    )


def _company_name(partner: Record, commercial: Record | None) -> str:
    """The company a person or an address belongs to; "" for the company itself."""
    name = optional_text(partner, "commercial_company_name")
    if commercial is None or record_id(commercial) == record_id(partner):
        return "" if not name or name == text(partner, "name") else name
    return name or text(commercial, "display_name")


def _address(partner: Record) -> Address:
    state, country = related(partner, "state_id"), related(partner, "country_id")
    return Address(
        street=text(partner, "street"),
        street2=text(partner, "street2"),
        city=text(partner, "city"),
        state=text(state, "display_name") if state else "",
        state_code=text(state, "code") if state else "",
        zip=text(partner, "zip"),
        country=text(country, "display_name") if country else "",
        country_code=text(country, "code") if country else "",
    )


def _lines(record: Record) -> tuple[OrderLine, ...]:
    lines = [_line(line) for line in related_list(record, "order_line") if not _is_text(line)]
    goods = [line for line in lines if line.quantity != 0]
    return tuple(sorted(goods, key=lambda line: (line.sequence or 0, line.line_id)))


def _is_text(line: Record) -> bool:
    """Sections, subsections and notes."""
    return bool(line.get("display_type"))


def _line(line: Record) -> OrderLine:
    line_id = record_id(line)
    try:
        product = related(line, "product_id")
        return OrderLine(
            line_id=line_id,
            sequence=optional_integer(line, "sequence"),
            product_id=record_id(product) if product else None,
            sku=_sku(product) if product else "",
            barcode=text(product, "barcode") if product else "",
            name=text(line, "name"),
            variant=_variant(product) if product else "",
            quantity=number(line, "product_uom_qty"),
            uom=_unit(line),
            unit_price=number(line, "price_unit"),
            subtotal=number(line, "price_subtotal"),
            total=number(line, "price_total"),
            discount_percent=number(line, "discount"),
            product_type=optional_text(product, "type") if product else None,
            is_storable=optional_flag(product, "is_storable") if product else None,
            is_delivery=optional_flag(line, "is_delivery"),
            is_downpayment=optional_flag(line, "is_downpayment"),
        )
    except Misfit as error:
        raise Misfit(f"line {line_id}: {error}") from error


def _unit(line: Record) -> str | None:
    """The field was renamed in 19."""
    return optional_related_name(line, "product_uom_id" if "product_uom_id" in line else "product_uom")


def _sku(product: Record) -> str:
    """A code is passed on with its blanks: they are part of it. Without any, the payload makes one up."""
    code = text(product, "default_code") or text(product, "barcode")
    template = related(product, "product_tmpl_id")
    return code or (text(template, "default_code") if template else "")


def _variant(product: Record) -> str | None:
    """Like "Color: Rojo, Talla: L"; "" for a product without variants."""
    if "product_template_attribute_value_ids" not in product:
        return None
    values = related_list(product, "product_template_attribute_value_ids")
    return ", ".join(f"{related_name(value, 'attribute_id')}: {text(value, 'name')}" for value in values)
