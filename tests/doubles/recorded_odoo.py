"""A client without HTTP that answers as a recorded Odoo would: the records of `tests/recordings/v<major>`."""

import copy
import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from connections.errors import Contract
from sync.sources.odoo.source import WANTED

RECORDINGS = Path(__file__).parents[1] / "recordings"
VERSIONS = (16, 17, 18, 19)

RELATIONS = {
    "partner_id": "res.partner",
    "partner_shipping_id": "res.partner",
    "commercial_partner_id": "res.partner",
    "state_id": "res.country.state",
    "country_id": "res.country",
    "order_line": "sale.order.line",
    "product_id": "product.product",
    "product_tmpl_id": "product.template",
    "product_template_attribute_value_ids": "product.template.attribute.value",
    "attribute_id": "product.attribute",
    "currency_id": "res.currency",
    "product_uom_id": "uom.uom",
    "product_uom": "uom.uom",
    "linked_line_id": "sale.order.line",
}

# Which recording shows which records, by the end of its file's name.
SOURCES = {
    "orders-all-poll-fields-special": "sale.order",
    "orders-fields-empty": "sale.order",
    "lines-special": "sale.order.line",
    "partners": "res.partner",
    "partners-more": "res.partner",
    "partners-mobile": "res.partner",
    "states": "res.country.state",
    "countries": "res.country",
    "products": "product.product",
    "templates": "product.template",
    "ptav": "product.template.attribute.value",
    "uom": "uom.uom",
    "currencies": "res.currency",
}

OPERATORS = {
    "=": lambda value, operand: value == operand,
    "!=": lambda value, operand: value != operand,
    ">": lambda value, operand: value > operand,
    ">=": lambda value, operand: value >= operand,
    "in": lambda value, operand: value in operand,
    "not in": lambda value, operand: value not in operand,
}


@dataclass(frozen=True)
class Server:
    """What a source asks of `connections.odoo.server_info.Server`."""

    major: int
    fields: dict
    identity: str

    def differs(self, other):
        return self != other


class RecordedOdoo:
    """The verbs of `OdooClient`. `tables`, model -> id -> record, may be changed by a test."""

    def __init__(self, major):
        self.tables = load(major)
        self.calls = Counter()
        self.refreshed = 0
        self.time = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
        self.server = Server(major, self.true_fields(), f"recorded {major} {id(self)}")

    def true_fields(self):
        """What `fields_get` would say of the wanted fields."""
        return {
            model: frozenset(names).intersection(*(record for record in self.tables[model].values()))
            for model, names in WANTED.items()
        }

    def now(self):
        return self.time

    def refresh(self):
        self.refreshed += 1
        self.server = Server(self.server.major, self.true_fields(), self.server.identity)
        return self.server

    def read(self, model, *, ids, fields):
        self.calls["read", model] += 1
        return [self._flat(model, self.tables[model][i], fields) for i in ids if i in self.tables[model]]

    def search_read(self, model, *, domain, fields, order="", limit=None):
        self.calls["search_read", model] += 1
        return [self._flat(model, record, fields) for record in self._search(model, domain, order, limit)]

    def web_search_read(self, model, *, domain, specification, order="", limit=None):
        self.calls["web_search_read", model] += 1
        found = self._search(model, domain, order, limit)
        return [self._nested(model, record, specification) for record in found]

    def _search(self, model, domain, order, limit):
        found = [
            record
            for record in self.tables[model].values()
            if all(OPERATORS[operator](_plain(record[name]), operand) for name, operator, operand in domain)
        ]
        for part in reversed(order.split(", ") if order else ["id"]):
            name, _, direction = part.partition(" ")
            found.sort(key=lambda record: record[name], reverse=direction == "desc")
        return found[:limit]

    def _flat(self, model, record, fields):
        _check(model, record, fields)
        return copy.deepcopy({name: record[name] for name in ["id", *fields]})

    def _nested(self, model, record, specification):
        _check(model, record, specification)
        values = {name: self._value(name, record[name], spec) for name, spec in specification.items()}
        return {"id": record["id"], **values}

    def _value(self, name, value, spec):
        if not spec or not value:
            return value[0] if _is_pair(value) else copy.deepcopy(value)
        model, wanted = RELATIONS.get(name), dict(spec["fields"])
        if _is_pair(value):
            named = {"display_name": value[1]} if wanted.pop("display_name", None) is not None else {}
            record = self.tables[model][value[0]] if wanted else {"id": value[0]}
            return self._nested(model, record, wanted) | named
        return [self._nested(model, self.tables[model][i], wanted) for i in value]


def load(major):
    """The recorded records of one version, flat: model -> id -> record."""
    tables = {model: {} for model in [*RELATIONS.values(), *WANTED]}
    for suffix, model in SOURCES.items():
        for record in recorded(major, suffix):
            tables[model].setdefault(record["id"], {}).update(record)
    _fill(tables, cases(major))
    return tables


def recorded(major, suffix):
    """The result of the recording whose name ends so; nothing when the server answered an error."""
    (path,) = (RECORDINGS / f"v{major}").glob(f"execute_kw-??-{suffix}.json")
    answer = json.loads(path.read_text())["response"]["json"]
    return answer.get("result") or []


def cases(major):
    """What each hand-made order shows: its name -> its id."""
    listed = json.loads((RECORDINGS / f"v{major}" / "cases.json").read_text())["cases"]
    return {name: case["orders"][0]["id"] for name, case in listed.items() if name != "bulk"}


def _fill(tables, ids):
    """What the recordings leave out of some records: fields of orders, mobile phones, the parent company."""
    lines = sorted(tables["sale.order.line"].values(), key=lambda line: (line["sequence"], line["id"]))
    for order in tables["sale.order"].values():
        order["order_line"] = [line["id"] for line in lines if line["order_id"][0] == order["id"]]
        order.setdefault("warehouse_id", [1, "YourCompany"])
        order.setdefault("origin", False)
        order.setdefault("commitment_date", False)
    tables["sale.order"][ids["commitment"]]["commitment_date"] = "2026-12-24 10:30:00"
    _fill_stock(tables["product.product"])
    partners = tables["res.partner"]
    for partner in list(partners.values()):
        if any("mobile" in other for other in partners.values()):
            partner.setdefault("mobile", False)
        company_id, company = partner["commercial_partner_id"]
        named = {"id": company_id, "name": company, "display_name": company, "vat": partner["vat"]}
        partners.setdefault(company_id, partner | named)
    for value in tables["product.template.attribute.value"].values():
        attribute_id, name = value["attribute_id"]
        tables["product.attribute"][attribute_id] = {"id": attribute_id, "name": name, "display_name": name}


def _fill_stock(products):
    """Nobody asked 18 and 19 what is kept in stock: the same goods as on 16, whose types say it."""
    stored = {product["name"] for product in recorded(16, "products") if product["type"] == "product"}
    if not any(product["type"] == "product" for product in products.values()):
        for product in products.values():
            product.setdefault("is_storable", product["name"] in stored)


def _is_pair(value):
    return isinstance(value, list) and len(value) == 2 and isinstance(value[1], str)


def _plain(value):
    return value[0] if _is_pair(value) else value


def _check(model, record, fields):
    unknown = [name for name in fields if name not in record]
    if unknown:
        raise Contract("odoo_unknown_field", f"Invalid field {unknown[0]!r} on {model!r}")
