"""What changed from one version of an order to the next, in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

MONEY = ("amount_untaxed", "amount_tax", "amount_total", "unit_price", "subtotal", "total")
MOMENTS = ("date_order", "write_date", "commitment_date")
LEFT_OUT = ("id", "create_date", "write_date", "line_id", "sequence", "odoo_product_id")
MOST_CHANGES = 60

PARTS: Mapping[str, Any] = {
    "order": "",
    "customer": gettext_lazy("Customer"),
    "shipping_address": gettext_lazy("Delivery address"),
}
LABELS: Mapping[str, Any] = {
    "name": gettext_lazy("name"),
    "state": gettext_lazy("state"),
    "date_order": gettext_lazy("order date"),
    "amount_untaxed": gettext_lazy("amount without tax"),
    "amount_tax": gettext_lazy("tax"),
    "amount_total": gettext_lazy("total"),
    "currency": gettext_lazy("currency"),
    "note": gettext_lazy("note"),
    "client_order_ref": gettext_lazy("customer reference"),
    "locked": gettext_lazy("locked"),
    "commitment_date": gettext_lazy("promised delivery"),
    "warehouse": gettext_lazy("warehouse"),
    "company": gettext_lazy("company"),
    "origin": gettext_lazy("origin"),
    "salesperson": gettext_lazy("salesperson"),
    "email": gettext_lazy("e-mail"),
    "phone": gettext_lazy("telephone"),
    "tax_id": gettext_lazy("tax number"),
    "company_name": gettext_lazy("company name"),
    "reference": gettext_lazy("reference"),
    "street": gettext_lazy("street"),
    "street2": gettext_lazy("street, second line"),
    "city": gettext_lazy("city"),
    "state_code": gettext_lazy("code of the region"),
    "zip": gettext_lazy("postal code"),
    "country": gettext_lazy("country"),
    "country_code": gettext_lazy("code of the country"),
    "sku": gettext_lazy("article number"),
    "quantity": gettext_lazy("quantity"),
    "unit_price": gettext_lazy("unit price"),
    "subtotal": gettext_lazy("subtotal"),
    "discount_percent": gettext_lazy("discount in %"),
    "variant": gettext_lazy("variant"),
    "barcode": gettext_lazy("barcode"),
    "uom": gettext_lazy("unit"),
    "product_type": gettext_lazy("kind of product"),
    "is_storable": gettext_lazy("kept in stock"),
    "is_delivery": gettext_lazy("delivery cost"),
    "is_downpayment": gettext_lazy("down payment"),
    "is_reward": gettext_lazy("reward or discount"),
}
WORDS: Mapping[tuple[str, Any], Any] = {
    ("state", "sale"): gettext_lazy("Confirmed"),
    ("state", "done"): gettext_lazy("Confirmed, locked"),
    ("state", "cancel"): gettext_lazy("Cancelled"),
}


@dataclass(frozen=True)
class ValueChange:
    """`before` or `after` is empty where something came or went."""

    what: str
    before: str = ""
    after: str = ""


def content(body: bytes | memoryview | None) -> dict[str, Any]:
    """The order in a stored payload; {} where there is none to be read."""
    with suppress(ValueError, RecursionError):
        found = json.loads(bytes(body)) if body else {}
        return found if isinstance(found, dict) else {}
    return {}


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[ValueChange]:
    """In the order of the payload; the first so many."""
    currency = str(_part(after, "order").get("currency") or "")
    found = [*_parts(before, after, currency), *_lines(before, after, currency)]
    return found[:MOST_CHANGES]


def money(value: Any, currency: str) -> str:
    return f"{number_format(value, decimal_pos=2, force_grouping=True)} {currency}".strip()


def _parts(before: Mapping[str, Any], after: Mapping[str, Any], currency: str) -> Iterator[ValueChange]:
    for part, title in PARTS.items():
        old, new = _flat(_part(before, part)), _flat(_part(after, part))
        for name in dict.fromkeys([*old, *new]):
            if name in LEFT_OUT or old.get(name) == new.get(name):
                continue
            label = _label(name, in_address=part != "order")
            what = f"{title}, {label}" if title else label
            yield ValueChange(
                _capital(what), *(_shown(name, side.get(name), currency) for side in (old, new))
            )


def _lines(before: Mapping[str, Any], after: Mapping[str, Any], currency: str) -> Iterator[ValueChange]:
    old, new = _by_line(before), _by_line(after)
    for key in dict.fromkeys([*old, *new]):
        was, is_now = old.get(key), new.get(key)
        if was is None or is_now is None:
            what = _("Line added") if was is None else _("Line removed")
            yield ValueChange(
                what, *(_line_in_words(line, currency) if line else "" for line in (was, is_now))
            )
            continue
        for name in dict.fromkeys([*was, *is_now]):
            if name not in LEFT_OUT and was.get(name) != is_now.get(name):
                what = _("Line %(line)s, %(what)s") % {"line": _title(is_now), "what": _label(name)}
                yield ValueChange(what, *(_shown(name, line.get(name), currency) for line in (was, is_now)))


def _part(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    part = body.get(name)
    return part if isinstance(part, dict) else {}


def _flat(part: Mapping[str, Any]) -> dict[str, Any]:
    address = part.get("address")
    rest = {name: value for name, value in part.items() if name != "address"}
    return rest | (address if isinstance(address, dict) else {})


def _by_line(body: Mapping[str, Any]) -> dict[Any, dict[str, Any]]:
    items = body.get("items")
    lines = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return {line.get("line_id") or n: line for n, line in enumerate(lines)}


def _line_in_words(line: Mapping[str, Any], currency: str) -> str:
    parts = [f"{_shown('quantity', line.get('quantity'), '')} × {_title(line)}"]
    if isinstance(line.get("subtotal"), int | float):
        parts.append(money(line["subtotal"], currency))
    return ", ".join(parts)


def _title(line: Mapping[str, Any]) -> str:
    return str(line.get("name") or line.get("sku") or "?").split("\n")[0][:80]


def _label(name: str, *, in_address: bool = False) -> str:
    if name == "state" and in_address:
        return _("region")
    return str(LABELS.get(name, name.replace("_", " ")))


def _shown(name: str, value: Any, currency: str) -> str:
    if value in (None, ""):
        return ""
    if (name, value) in WORDS:
        return str(WORDS[name, value])
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int | float):
        plain = number_format(value, use_l10n=True).rstrip("0").rstrip(".,") if "." in str(value) else value
        return money(value, currency) if name in MONEY else str(plain) or "0"
    return _shown_moment(value) if name in MOMENTS else str(value)


def _shown_moment(text: Any) -> str:
    with suppress(ValueError):
        at = datetime.fromisoformat(str(text)).replace(tzinfo=UTC)
        return date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT")
    return str(text)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
