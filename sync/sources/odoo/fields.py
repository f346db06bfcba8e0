"""What to ask Odoo for: the fields per model, cut down to what one server has, flat and nested."""

from collections.abc import Iterable, Mapping
from typing import Any

from connections.errors import Contract

ORDER = "sale.order"
LINE = "sale.order.line"
PRODUCT = "product.product"
TEMPLATE = "product.template"
PARTNER = "res.partner"
STATE = "res.country.state"
COUNTRY = "res.country"
ATTRIBUTE_VALUE = "product.template.attribute.value"
COMPANY = "res.company"
ATTRIBUTE_VALUES = "product_template_attribute_value_ids"
DISCOUNT_PRODUCT = "sale_discount_product_id"

CONFIRMED = ["sale", "done"]
FOLLOWED = [*CONFIRMED, "cancel"]

Fields = Mapping[str, frozenset[str]]
Specification = dict[str, Any]

REQUIRED: Mapping[str, tuple[str, ...]] = {
    ORDER: (
        "name",
        "state",
        "date_order",
        "write_date",
        "partner_id",
        "partner_shipping_id",
        "amount_untaxed",
        "amount_tax",
        "amount_total",
        "currency_id",
        "note",
        "client_order_ref",
        "order_line",
    ),
    LINE: (
        "name",
        "product_id",
        "product_uom_qty",
        "price_unit",
        "price_subtotal",
        "price_total",
        "discount",
    ),
    PRODUCT: ("default_code", "barcode", "product_tmpl_id"),
    TEMPLATE: ("default_code",),
    PARTNER: (
        "name",
        "email",
        "phone",
        "street",
        "street2",
        "city",
        "zip",
        "state_id",
        "country_id",
        "vat",
        "commercial_partner_id",
    ),
}

# Not on every version, or only with a module: stock, delivery, sale_stock, sale_loyalty. `detailed_type` went
# with 18, and so did the type "product": its refusal tells of an upgrade before what is stored is misread.
OPTIONAL: Mapping[str, tuple[str, ...]] = {
    ORDER: (
        "create_date",
        "locked",
        "commitment_date",
        "warehouse_id",
        "company_id",
        "origin",
        "user_id",
        "create_date",
        "delivery_status",
    ),
    LINE: (
        "sequence",
        "display_type",
        "product_uom_id",
        "product_uom",
        "is_delivery",
        "is_downpayment",
        "is_reward_line",
    ),
    PRODUCT: (ATTRIBUTE_VALUES, "type", "is_storable", "detailed_type"),
    TEMPLATE: (),
    PARTNER: ("mobile", "ref", "commercial_company_name"),
}

WANTED: Mapping[str, tuple[str, ...]] = {model: REQUIRED[model] + OPTIONAL[model] for model in REQUIRED}

# What a client has to ask a server for: of companies one setting, which Odoo 17 and newer have.
PROBED: Mapping[str, tuple[str, ...]] = {**WANTED, COMPANY: (DISCOUNT_PRODUCT,)}

NOT_READ = {"delivery_status"}  # only searched for


def available(fields: Fields, model: str) -> list[str]:
    """The wanted fields this server has. Raises Contract when it lacks one we cannot do without."""
    has = fields.get(model, frozenset())
    if not has:
        raise Contract("odoo_unknown_model", model)
    missing = [name for name in REQUIRED[model] if name not in has]
    if missing:
        raise Contract("odoo_unknown_field", f"{model} has no {', '.join(missing)}")
    return [name for name in WANTED[model] if name in has and name not in NOT_READ]


def specification(fields: Fields) -> Specification:
    """The argument of `web_search_read` for whole orders.

    Of master data only names are asked for: Odoo gives those even to a user who may not read the record.
    """
    place: Specification = {"fields": {"code": {}, "display_name": {}}}
    partner = _spec(available(fields, PARTNER), state_id=place, country_id=place)
    partner["commercial_partner_id"] = {"fields": {"vat": {}, "display_name": {}}}
    product = _spec(
        available(fields, PRODUCT),
        product_tmpl_id={"fields": {"default_code": {}}},
        **{ATTRIBUTE_VALUES: {"fields": {"name": {}, "attribute_id": _NAME}}},
    )
    line = _spec(
        available(fields, LINE), product_id={"fields": product}, product_uom_id=_NAME, product_uom=_NAME
    )
    return _spec(
        available(fields, ORDER),
        partner_id={"fields": partner},
        partner_shipping_id={"fields": partner},
        order_line={"fields": line},
        currency_id=_NAME,
        warehouse_id=_NAME,
        company_id=_company(fields),
        user_id=_NAME,
    )


def _company(fields: Fields) -> Specification:
    """A user that sees an order may read its company: the user is allowed in it."""
    asked = [name for name in (DISCOUNT_PRODUCT,) if name in fields.get(COMPANY, ())]
    return {"fields": {"display_name": {}, **_spec(asked)}}


_NAME: Specification = {"fields": {"display_name": {}}}


def _spec(names: Iterable[str], **nested: Specification) -> Specification:
    return {name: nested.get(name, {}) for name in names}
