"""Whole orders as nested records: one call where the server nests (17 and later), else put together here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from connections.errors import Contract
from sync.sources.odoo_fields import (
    ATTRIBUTE_VALUE,
    COUNTRY,
    FOLLOWED,
    LINE,
    ORDER,
    PARTNER,
    PRODUCT,
    STATE,
    TEMPLATE,
    available,
    specification,
)
from sync.sources.odoo_values import Record

if TYPE_CHECKING:  # the rest needs no Django
    from connections.odoo.client import OdooClient

FIRST_MAJOR_THAT_NESTS = 17
MOST_CODES = 10_000
ATTRIBUTE_VALUES = "product_template_attribute_value_ids"

Table = dict[int, Record]


def read_orders(client: OdooClient, order_ids: Sequence[int]) -> list[Any]:
    """Those of these orders that are confirmed or cancelled and that the server still shows."""
    domain = [["id", "in", list(order_ids)], ["state", "in", FOLLOWED]]
    if client.server.major >= FIRST_MAJOR_THAT_NESTS:
        wanted = specification(client.server.fields)
        return records(client.web_search_read(ORDER, domain=domain, specification=wanted, order="id"))
    return _Classic(client).orders(domain)


def records(answer: object) -> list[Any]:
    """The list an answer should be; what is in it is looked at one by one."""
    if not isinstance(answer, list):
        raise Contract("odoo_broken_answer", f"a list of records was expected, not {type(answer).__name__}")
    return answer


class _Classic:
    """Four calls: orders, lines, products, partners. More only for what some order needs: a template's code,
    the values of variants, the VAT of a parent company, codes of states and countries not met before.
    """

    def __init__(self, client: OdooClient) -> None:
        self.client = client

    def orders(self, domain: Sequence[Any]) -> list[Any]:
        wanted = self._available(ORDER)
        found = records(self.client.search_read(ORDER, domain=domain, fields=wanted, order="id"))
        orders = [order for order in found if isinstance(order, dict)]
        lines = self._lines(_ids_in(orders, "order_line"))
        partners = self._partners(_ids(orders, "partner_id", "partner_shipping_id"))
        for order in orders:
            _expand(order, "order_line", lines)
            _join(order, partners, "partner_id", "partner_shipping_id")
            _join(order, {}, "currency_id", "warehouse_id", "company_id", "user_id")
        return found

    def _lines(self, ids: set[int]) -> Table:
        lines = self._read(LINE, ids, self._available(LINE))
        products = self._products(_ids(lines.values(), "product_id"))
        for line in lines.values():
            _join(line, products, "product_id")
            _join(line, {}, "product_uom", "product_uom_id")
        return lines

    def _products(self, ids: set[int]) -> Table:
        products = self._read(PRODUCT, ids, self._available(PRODUCT))
        codeless = [p for p in products.values() if not p.get("default_code") and not p.get("barcode")]
        templates = self._read(TEMPLATE, _ids(codeless, "product_tmpl_id"), ["default_code"])
        values = self._attribute_values(_ids_in(products.values(), ATTRIBUTE_VALUES))
        for product in products.values():
            _join(product, templates, "product_tmpl_id")
            _expand(product, ATTRIBUTE_VALUES, values)
        return products

    def _attribute_values(self, ids: set[int]) -> Table:
        values = self._read(ATTRIBUTE_VALUE, ids, ["name", "attribute_id"])
        for value in values.values():
            _join(value, {}, "attribute_id")
        return values

    def _partners(self, ids: set[int]) -> Table:
        partners = self._read(PARTNER, ids, self._available(PARTNER))
        without_vat = [partner for partner in partners.values() if not partner.get("vat")]
        parents = _ids(without_vat, "commercial_partner_id") - partners.keys()
        companies = partners | self._read(PARTNER, parents, ["vat"])
        vats = {company_id: {"vat": company.get("vat")} for company_id, company in companies.items()}
        states = self._codes(STATE, _ids(partners.values(), "state_id"))
        countries = self._codes(COUNTRY, _ids(partners.values(), "country_id"))
        for partner in partners.values():
            _join(partner, vats, "commercial_partner_id")
            _join(partner, states, "state_id")
            _join(partner, countries, "country_id")
        return partners

    def _codes(self, model: str, ids: set[int]) -> Table:
        """States and countries are master data: their codes are kept for as long as this process lives."""
        known = _CODES.setdefault((self.client.server.identity, model), {})
        fresh = self._read(model, ids - known.keys(), ["code"])
        if len(known) + len(fresh) > MOST_CODES:  # no world has so many: a server makes them up
            return known | fresh
        known.update(fresh)
        return known

    def _available(self, model: str) -> list[str]:
        return available(self.client.server.fields, model)

    def _read(self, model: str, ids: set[int], fields: Sequence[str]) -> Table:
        """By id, because a search leaves out what is archived. No call when there is nothing to read."""
        if not ids:
            return {}
        answer = records(self.client.read(model, ids=sorted(ids), fields=fields))
        return {
            record["id"]: record for record in answer if isinstance(record, dict) and _is_id(record.get("id"))
        }


_CODES: dict[tuple[str, str], Table] = {}


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _pair(value: object) -> Record | None:
    """A many2one, [id, display name], as a record; None for anything else."""
    if isinstance(value, list) and len(value) == 2 and _is_id(value[0]):
        return {"id": value[0], "display_name": value[1]}
    return None


def _ids(rows: Iterable[Record], *keys: str) -> set[int]:
    """The ids that many2one fields point to."""
    pairs = (_pair(row.get(key)) for row in rows for key in keys)
    return {pair["id"] for pair in pairs if pair}


def _ids_in(rows: Iterable[Record], key: str) -> set[int]:
    """The ids that a one2many or many2many field lists."""
    lists = (row.get(key) for row in rows)
    return {value for values in lists if isinstance(values, list) for value in values if _is_id(value)}


def _join(row: Record, table: Table, *keys: str) -> None:
    """Put the record in place of each [id, display name]. Anything else stays for the mapping to judge."""
    for key in keys:
        if pair := _pair(row.get(key)):
            row[key] = {**pair, **table.get(pair["id"], {})}


def _expand(row: Record, key: str, table: Table) -> None:
    """Put the records in place of a list of ids. One that is not in the table stays a bare id: a misfit."""
    values = row.get(key)
    if isinstance(values, list):
        row[key] = [table.get(value, {"id": value}) if _is_id(value) else value for value in values]
