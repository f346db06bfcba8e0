"""Odoo record, nested as `web_search_read` gives it -> Order. The rules of the contract are here.

Only what a receiver cannot do without stops an order: its id, name, state, stamp and amounts; of a line the
product, its code, the quantity and the prices; and that there is a record of who gets the goods. All else
that cannot be read is left empty, with a note.
"""

from sync.orders import Address, Order, Party
from sync.sources.odoo.fields import DISCOUNT_PRODUCT, FOLLOWED
from sync.sources.odoo.lines import order_lines
from sync.sources.odoo.notes import Notes
from sync.sources.odoo.values import (
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
    related_name,
    text,
)

NOBODY = Party(None, "", "", "", "", "", "", Address("", "", "", "", "", "", "", ""))


def order(record: Record) -> Order:
    """Raises Misfit when the record is not what Odoo gives for an order."""
    notes = Notes()
    customer = _party(record, "partner_id", notes) or NOBODY
    company = _company(record)
    discount_product = _discount_product(company, notes)
    return Order(
        order_id=record_id(record),
        name=text(record, "name"),
        state=choice(record, "state", FOLLOWED),
        locked=notes.optional(optional_flag, record, "locked", empty=None),
        date_order=notes.optional(optional_moment, record, "date_order", empty=None),
        write_date=moment(record, "write_date"),
        commitment_date=notes.optional(optional_moment, record, "commitment_date", empty=None),
        amount_untaxed=number(record, "amount_untaxed"),
        amount_tax=number(record, "amount_tax"),
        amount_total=number(record, "amount_total"),
        currency=notes.optional(related_name, record, "currency_id", empty=""),
        note=notes.text(record, "note"),
        client_order_ref=notes.text(record, "client_order_ref"),
        origin=notes.optional(optional_text, record, "origin", empty=None),
        warehouse=notes.optional(optional_related_name, record, "warehouse_id", empty=None),
        company=notes.optional(optional_related_name, record, "company_id", empty=None),
        salesperson=notes.optional(optional_related_name, record, "user_id", empty=None),
        customer=customer,
        shipping=_party(record, "partner_shipping_id", notes) or customer,
        lines=order_lines(record, discount_product, notes),
        create_date=notes.optional(optional_moment, record, "create_date", empty=None),
        company_id=record_id(company) if company else None,
        notes=notes.kept,
    )


def _company(record: Record) -> Record | None:
    """None also where it cannot be read: that is noted with its name."""
    try:
        return related(record, "company_id") if "company_id" in record else None
    except Misfit:
        return None


def _discount_product(company: Record | None, notes: Notes) -> int | None:
    """A setting of the company, by which Odoo itself tells such a line from goods (`_is_discount_line`)."""
    if company is None:
        return None
    return notes.at("company_id").optional(optional_integer, company, DISCOUNT_PRODUCT, empty=None)


def _party(record: Record, key: str, notes: Notes) -> Party | None:
    partner = related(record, key)
    if partner is None:
        return None
    if "name" not in partner:  # a bare id: nobody knows who that is and where the goods go
        raise Misfit(f"{key}: name is missing")
    return party(partner, notes.at(key))


def party(partner: Record, notes: Notes) -> Party:
    commercial = notes.optional(related, partner, "commercial_partner_id", empty=None)
    name = notes.text(partner, "name")
    return Party(
        id=record_id(partner),
        name=name,
        company_name=_company_name(name, partner, commercial, notes),
        reference=notes.optional(optional_text, partner, "ref", empty=None) or "",
        email=notes.text(partner, "email"),
        phone=_phone(partner, notes),
        tax_id=_tax_id(partner, commercial, notes),
        address=_address(partner, notes),
    )


def _company_name(own: str, partner: Record, commercial: Record | None, notes: Notes) -> str:
    """The company a person or an address belongs to; "" for the company itself."""
    name = notes.optional(optional_text, partner, "commercial_company_name", empty=None)
    if commercial is None or record_id(commercial) == record_id(partner):
        return "" if not name or name == own else name
    return name or notes.at("commercial_partner_id").text(commercial, "display_name")


def _phone(partner: Record, notes: Notes) -> str:
    return notes.text(partner, "phone") or notes.optional(optional_text, partner, "mobile", empty=None) or ""


def _tax_id(partner: Record, commercial: Record | None, notes: Notes) -> str:
    """The company's stands in for one that is empty, not for one that cannot be read."""
    own = notes.optional(optional_text, partner, "vat", empty=None)
    if own or own is None or commercial is None:
        return own or ""
    return notes.at("commercial_partner_id").text(commercial, "vat")


def _address(partner: Record, notes: Notes) -> Address:
    state, state_code = _name_and_code(partner, "state_id", notes)
    country, country_code = _name_and_code(partner, "country_id", notes)
    return Address(
        street=notes.text(partner, "street"),
        street2=notes.text(partner, "street2"),
        city=notes.text(partner, "city"),
        state=state,
        state_code=state_code,
        zip=notes.text(partner, "zip"),
        country=country,
        country_code=country_code,
    )


def _name_and_code(partner: Record, key: str, notes: Notes) -> tuple[str, str]:
    """Name and code of a state or a country."""
    place = notes.optional(related, partner, key, empty=None)
    if place is None:
        return "", ""
    inner = notes.at(key)
    return inner.text(place, "display_name"), inner.text(place, "code")
