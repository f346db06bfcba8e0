"""What a field of a record holds: stored values, Odoo's empty values, computed fields and display names."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sandbox.odoo.database import Row, World
from sandbox.odoo.schema import Field

_EMPTY: dict[str, Any] = {"integer": 0, "float": 0.0, "monetary": 0.0}
_ADDRESS_TYPES = {"invoice": "Invoice Address", "delivery": "Delivery Address", "other": "Other Address"}
_ADDRESS_TYPES_19 = {"invoice": "Invoice", "delivery": "Delivery", "other": "Other"}

Computed = Callable[[World, int, Row], Any]


def value_of(world: World, version: int, model: str, row: Row, name: str, field: Field) -> Any:
    """The value as Python has it: many2one an id or False, x2many a list of ids, datetimes aware."""
    value = row.get(name)
    if value is not None:
        return value
    compute = _COMPUTED.get((model, name)) or _COMPUTED.get(("", name))
    if compute is not None:
        return compute(world, version, row)
    if name == "display_name":
        return display_name(world, version, model, row)
    if field.type in ("one2many", "many2many"):
        return _children(world, field, row)
    return _EMPTY.get(field.type, False)


def display_name(world: World, version: int, model: str, row: Row) -> str:
    """As the server composes it; a record that holds a `display_name` of its own keeps that one."""
    if row.get("display_name"):
        return str(row["display_name"])
    compute = _NAMES.get(model)
    if compute is not None:
        return compute(world, version, row)
    return str(row.get("name") or f"{model},{row['id']}")


def to_json(value: Any) -> Any:
    """Datetimes as Odoo hands them out: UTC, whole seconds, truncated."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    return value


def _children(world: World, field: Field, row: Row) -> list[int]:
    if not field.inverse:
        return []
    ids = world.children(field.relation, field.inverse, row["id"])
    if field.relation != "sale.order.line":
        return sorted(ids)
    lines = world.tables["sale.order.line"]
    return sorted(ids, key=lambda line_id: (lines[line_id].get("sequence", 10), line_id))


def _related(world: World, model: str, row: Row, name: str) -> Row | None:
    target = row.get(name)
    return world.get(model, target) if target else None


def _name_of(world: World, version: int, model: str, row: Row, name: str) -> str:
    target = _related(world, model, row, name)
    return display_name(world, version, model, target) if target else ""


def _partner_name(world: World, version: int, row: Row) -> str:
    labels = _ADDRESS_TYPES_19 if version >= 19 else _ADDRESS_TYPES
    name = row.get("name") or labels.get(row.get("type", ""), "")
    parent = _related(world, "res.partner", row, "parent_id")
    if parent and not row.get("is_company"):
        return f"{parent.get('name') or ''}, {name}"
    return str(name or "")


def _commercial_id(world: World, version: int, row: Row) -> int:
    parent = _related(world, "res.partner", row, "parent_id")
    if parent is None or row.get("is_company"):
        return int(row["id"])
    return _commercial_id(world, version, parent)


def _commercial_company(world: World, version: int, row: Row) -> Any:
    owner = world.get("res.partner", _commercial_id(world, version, row))
    return owner.get("name") if owner and owner.get("is_company") else False


def _template(world: World, row: Row) -> Row:
    return _related(world, "product.template", row, "product_tmpl_id") or {}


def _product_own_name(world: World, version: int, row: Row) -> Any:
    return _template(world, row).get("name") or False


def _coded(code: Any, name: Any) -> str:
    return f"[{code}] {name}" if code else str(name)


def _product_name(world: World, version: int, row: Row) -> str:
    name = row.get("name") or _product_own_name(world, version, row)
    values = (
        world.get("product.template.attribute.value", value_id) or {}
        for value_id in row.get("product_template_attribute_value_ids", ())
    )
    variant = ", ".join(str(value.get("name", "")) for value in values)
    return _coded(row.get("default_code"), f"{name} ({variant})" if variant else name)


def _template_name(world: World, version: int, row: Row) -> str:
    return _coded(row.get("default_code"), row.get("name"))


def _line_name(world: World, version: int, row: Row) -> str:
    order = _related(world, "sale.order", row, "order_id") or {}
    what = _name_of(world, version, "product.product", row, "product_id")
    customer = _name_of(world, version, "res.partner", order, "partner_id")
    first_line = str(row.get("name") or "").split("\n", 1)[0]
    return f"{order.get('name')} - {what or first_line} ({customer})"


def _attribute_value_name(world: World, version: int, row: Row) -> str:
    return f"{_name_of(world, version, 'product.attribute', row, 'attribute_id')}: {row.get('name')}"


def _state_name(world: World, version: int, row: Row) -> str:
    country = _related(world, "res.country", row, "country_id") or {}
    return f"{row.get('name')} ({country.get('code')})"


def _pricelist_name(world: World, version: int, row: Row) -> str:
    return f"{row.get('name')} ({_name_of(world, version, 'res.currency', row, 'currency_id')})"


_NAMES: dict[str, Callable[[World, int, Row], str]] = {
    "res.partner": _partner_name,
    "product.product": _product_name,
    "product.template": _template_name,
    "product.template.attribute.value": _attribute_value_name,
    "product.attribute.value": _attribute_value_name,
    "product.pricelist": _pricelist_name,
    "res.country.state": _state_name,
    "sale.order.line": _line_name,
}

_COMPUTED: dict[tuple[str, str], Computed] = {
    ("res.partner", "complete_name"): _partner_name,
    ("res.partner", "commercial_partner_id"): _commercial_id,
    ("res.partner", "commercial_company_name"): _commercial_company,
    ("product.product", "name"): _product_own_name,
    ("product.template", "product_variant_count"): lambda world, version, row: len(
        world.children("product.product", "product_tmpl_id", row["id"])
    ),
    ("product.product", "type"): lambda world, version, row: _template(world, row).get("type", False),
    ("product.product", "detailed_type"): lambda world, version, row: _template(world, row).get(
        "type", False
    ),
    ("product.product", "is_storable"): lambda world, version, row: _template(world, row).get(
        "is_storable", False
    ),
    ("product.product", "uom_id"): lambda world, version, row: _template(world, row).get("uom_id", False),
    ("product.template", "detailed_type"): lambda world, version, row: row.get("type", False),
    ("sale.order.line", "product_template_id"): lambda world, version, row: (
        _related(world, "product.product", row, "product_id") or {}
    ).get("product_tmpl_id", False),
    ("sale.order.line", "sequence"): lambda world, version, row: 10,
    ("", "active"): lambda world, version, row: True,
}
