"""Which models and fields an Odoo server of each version has, as far as the stand-in plays them."""

from functools import cache
from typing import NamedTuple


class Field(NamedTuple):
    """One field of one model; `since` and `until` are the first and last major version that has it."""

    type: str
    string: str
    relation: str = ""
    since: int = 0
    until: int = 99
    required: bool = False
    readonly: bool = False
    inverse: str = ""
    module: str = ""


def _m2o(relation: str, string: str, *, since: int = 0, until: int = 99, required: bool = False) -> Field:
    return Field("many2one", string, relation, since=since, until=until, required=required)


def _o2m(relation: str, inverse: str, string: str) -> Field:
    return Field("one2many", string, relation, inverse=inverse)


_AUTOMATIC = {
    "id": Field("integer", "ID", readonly=True),
    "display_name": Field("char", "Display Name", readonly=True),
    "create_date": Field("datetime", "Created on", readonly=True),
    "write_date": Field("datetime", "Last Updated on", readonly=True),
}

_ORDER = {
    "name": Field("char", "Order Reference", required=True),
    "company_id": _m2o("res.company", "Company", required=True),
    "partner_id": _m2o("res.partner", "Customer", required=True),
    "state": Field("selection", "Status", readonly=True),
    "locked": Field("boolean", "Locked", since=17),
    "client_order_ref": Field("char", "Customer Reference"),
    "commitment_date": Field("datetime", "Delivery Date"),
    "date_order": Field("datetime", "Order Date", required=True),
    "origin": Field("char", "Source Document"),
    "reference": Field("char", "Payment Ref."),
    "validity_date": Field("date", "Expiration"),
    "note": Field("html", "Terms and conditions"),
    "partner_invoice_id": _m2o("res.partner", "Invoice Address", required=True),
    "partner_shipping_id": _m2o("res.partner", "Delivery Address", required=True),
    "pricelist_id": _m2o("product.pricelist", "Pricelist"),
    "currency_id": Field("many2one", "Currency", "res.currency", readonly=True),
    "user_id": _m2o("res.users", "Salesperson"),
    "order_line": _o2m("sale.order.line", "order_id", "Order Lines"),
    "amount_untaxed": Field("monetary", "Untaxed Amount", readonly=True),
    "amount_tax": Field("monetary", "Taxes", readonly=True),
    "amount_total": Field("monetary", "Total", readonly=True),
    "invoice_status": Field("selection", "Invoice Status", readonly=True),
    "warehouse_id": _m2o("stock.warehouse", "Warehouse", required=True),
    "picking_policy": Field("selection", "Shipping Policy", required=True),
    "delivery_status": Field("selection", "Delivery Status", readonly=True),
}

_LINE = {
    "order_id": _m2o("sale.order", "Order Reference", required=True),
    "sequence": Field("integer", "Sequence"),
    "display_type": Field("selection", "Display Type"),
    "is_downpayment": Field("boolean", "Is a down payment"),
    "is_delivery": Field("boolean", "Is a Delivery", module="delivery"),
    "is_reward_line": Field("boolean", "Is a program reward line", readonly=True, module="sale_loyalty"),
    "product_id": _m2o("product.product", "Product"),
    "product_template_id": _m2o("product.template", "Product Template"),
    "linked_line_id": _m2o("sale.order.line", "Linked Order Line", since=18),
    "combo_item_id": _m2o("product.combo.item", "Combo Item", since=18),
    "product_no_variant_attribute_value_ids": Field(
        "many2many", "Extra Values", "product.template.attribute.value"
    ),
    "product_custom_attribute_value_ids": Field(
        "one2many", "Custom Values", "product.attribute.custom.value"
    ),
    "name": Field("text", "Description", required=True),
    "product_uom_qty": Field("float", "Quantity", required=True),
    "product_uom": _m2o("uom.uom", "Unit of Measure", until=18),
    "product_uom_id": _m2o("uom.uom", "Unit", since=19),
    "tax_id": Field("many2many", "Taxes", "account.tax", until=18),
    "tax_ids": Field("many2many", "Taxes", "account.tax", since=19),
    "price_unit": Field("float", "Unit Price", required=True),
    "discount": Field("float", "Discount (%)"),
    "price_subtotal": Field("monetary", "Subtotal", readonly=True),
    "price_tax": Field("float", "Total Tax", readonly=True),
    "price_total": Field("monetary", "Total", readonly=True),
    "qty_delivered": Field("float", "Delivery Quantity"),
    "qty_invoiced": Field("float", "Invoiced Quantity", readonly=True),
}

_PARTNER = {
    "name": Field("char", "Name"),
    "complete_name": Field("char", "Complete Name", readonly=True),
    "active": Field("boolean", "Active"),
    "type": Field("selection", "Address Type"),
    "is_company": Field("boolean", "Is a Company"),
    "parent_id": _m2o("res.partner", "Related Company"),
    "commercial_partner_id": Field("many2one", "Commercial Entity", "res.partner", readonly=True),
    "commercial_company_name": Field("char", "Company Name Entity", readonly=True),
    "email": Field("char", "Email"),
    "phone": Field("char", "Phone"),
    "mobile": Field("char", "Mobile", until=18),
    "street": Field("char", "Street"),
    "street2": Field("char", "Street2"),
    "city": Field("char", "City"),
    "zip": Field("char", "Zip"),
    "state_id": _m2o("res.country.state", "State"),
    "country_id": _m2o("res.country", "Country"),
    "vat": Field("char", "Tax ID"),
    "ref": Field("char", "Reference"),
    "lang": Field("selection", "Language"),
    "company_id": _m2o("res.company", "Company"),
}

_GOODS = {
    "name": Field("char", "Name", required=True),
    "active": Field("boolean", "Active"),
    "default_code": Field("char", "Internal Reference"),
    "barcode": Field("char", "Barcode"),
    "type": Field("selection", "Product Type", required=True),
    "detailed_type": Field("selection", "Product Type", until=17, required=True),
    "is_storable": Field("boolean", "Track Inventory", since=18),
    "categ_id": _m2o("product.category", "Product Category"),
    "uom_id": _m2o("uom.uom", "Unit"),
    "list_price": Field("float", "Sales Price"),
    "lst_price": Field("float", "Sales Price"),
}

_NAMED = {"name": Field("char", "Name", required=True)}
_ACTIVE = {"active": Field("boolean", "Active")}

_MODELS: dict[str, dict[str, Field]] = {
    "sale.order": _ORDER,
    "sale.order.line": _LINE,
    "res.partner": _PARTNER,
    "product.product": _GOODS
    | {
        "product_tmpl_id": _m2o("product.template", "Product Template", required=True),
        "product_template_attribute_value_ids": Field(
            "many2many", "Attribute Values", "product.template.attribute.value"
        ),
    },
    "product.template": _GOODS
    | {
        "product_variant_ids": _o2m("product.product", "product_tmpl_id", "Products"),
        "product_variant_count": Field("integer", "# Product Variants", readonly=True),
        "attribute_line_ids": Field("one2many", "Product Attributes", "product.template.attribute.line"),
    },
    "product.template.attribute.value": _NAMED
    | {
        "attribute_id": _m2o("product.attribute", "Attribute"),
        "product_attribute_value_id": _m2o("product.attribute.value", "Attribute Value", required=True),
        "price_extra": Field("float", "Extra Price"),
        "product_tmpl_id": _m2o("product.template", "Product Template"),
    },
    "product.attribute": _NAMED,
    "product.attribute.value": _NAMED | {"attribute_id": _m2o("product.attribute", "Attribute")},
    "product.category": _NAMED,
    "product.combo.item": {"product_id": _m2o("product.product", "Product", required=True)},
    "product.pricelist": _NAMED | _ACTIVE | {"currency_id": _m2o("res.currency", "Currency")},
    "res.country": _NAMED | {"code": Field("char", "Country Code")},
    "res.country.state": _NAMED
    | {"code": Field("char", "State Code"), "country_id": _m2o("res.country", "Country", required=True)},
    "res.currency": _NAMED
    | _ACTIVE
    | {
        "symbol": Field("char", "Symbol", required=True),
        "decimal_places": Field("integer", "Decimal Places", readonly=True),
        "rounding": Field("float", "Rounding Factor"),
    },
    "res.lang": _NAMED | _ACTIVE | {"code": Field("char", "Locale Code", required=True)},
    "uom.uom": _NAMED | _ACTIVE,
    "stock.warehouse": _NAMED
    | _ACTIVE
    | {"code": Field("char", "Short Name"), "company_id": _m2o("res.company", "Company")},
    "res.company": _NAMED
    | {
        "partner_id": _m2o("res.partner", "Partner"),
        "currency_id": _m2o("res.currency", "Currency"),
        "sale_discount_product_id": _m2o("product.product", "Discount Product", since=17),
    },
    "res.users": _NAMED
    | _ACTIVE
    | {
        "login": Field("char", "Login", required=True),
        "company_id": _m2o("res.company", "Company"),
        "company_ids": Field("many2many", "Companies", "res.company"),
        "tz": Field("selection", "Timezone"),
        "lang": Field("selection", "Language"),
    },
    "account.tax": _NAMED | _ACTIVE | {"amount": Field("float", "Amount", required=True)},
}

_DEFAULT_ORDER = {
    "sale.order": "date_order desc, id desc",
    "sale.order.line": "order_id, sequence, id",
    "res.partner": "complete_name asc, id desc",
    "product.product": "default_code, name, id",
    "product.template": "name, id",
    "res.country": "name, id",
    "res.country.state": "code, id",
    "res.currency": "active desc, name, id",
    "res.users": "name, login, id",
}

_STATES = [("draft", "Quotation"), ("sent", "Quotation Sent"), ("sale", "Sales Order")]
_SELECTIONS: dict[tuple[str, str], list[tuple[str, str]]] = {
    ("sale.order", "invoice_status"): [
        ("upselling", "Upselling Opportunity"),
        ("invoiced", "Fully Invoiced"),
        ("to invoice", "To Invoice"),
        ("no", "Nothing to Invoice"),
    ],
    ("sale.order", "delivery_status"): [
        ("pending", "Not Delivered"),
        ("started", "Started"),
        ("partial", "Partially Delivered"),
        ("full", "Fully Delivered"),
    ],
}


@cache
def fields_of(version: int, model: str, modules: frozenset[str] = frozenset()) -> dict[str, Field]:
    """The fields `model` has on that version with those extra modules; KeyError for an unknown model."""
    fields = _AUTOMATIC | _MODELS[model]
    return {
        name: field
        for name, field in fields.items()
        if field.since <= version <= field.until and (not field.module or field.module in modules)
    }


def has_model(model: str) -> bool:
    return model in _MODELS


def model_names() -> list[str]:
    return list(_MODELS)


def default_order(model: str) -> str:
    return _DEFAULT_ORDER.get(model, "id")


def selection_of(version: int, model: str, name: str) -> list[tuple[str, str]]:
    if (model, name) == ("sale.order", "state"):
        return [*_STATES, *([("done", "Locked")] if version < 17 else []), ("cancel", "Cancelled")]
    return _SELECTIONS.get((model, name), [])


def inverse_fields() -> set[tuple[str, str]]:
    """Every (model, many2one) that a one2many reads backwards."""
    return {
        (field.relation, field.inverse)
        for fields in _MODELS.values()
        for field in fields.values()
        if field.inverse
    }
