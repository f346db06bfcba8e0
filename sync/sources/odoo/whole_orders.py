"""Whole orders as nested records: one call where the server nests (17 and later), else put together here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sync.sources.odoo.fields import (
    ATTRIBUTE_VALUE,
    ATTRIBUTE_VALUES,
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
from sync.sources.odoo.master_data import Masters
from sync.sources.odoo.records import Table, by_id, expand, ids_in, ids_of, join, records

if TYPE_CHECKING:  # the rest needs no Django
    from connections.odoo.client import OdooClient

FIRST_MAJOR_THAT_NESTS = 17


def read_orders(client: OdooClient, order_ids: Sequence[int], masters: Masters) -> list[Any]:
    """Those of these orders that are confirmed or cancelled and that the server still shows."""
    domain = [["id", "in", list(order_ids)], ["state", "in", FOLLOWED]]
    if client.server.major >= FIRST_MAJOR_THAT_NESTS:
        wanted = specification(client.server.fields)
        return records(client.web_search_read(ORDER, domain=domain, specification=wanted, order="id"))
    return _Classic(client, masters).orders(domain)


class _Classic:
    """Four calls: orders, lines, products, partners. More only for master data that some order needs and
    that was not met lately: a template's code, the values of variants, the VAT of a parent company, codes
    of states and countries.
    """

    def __init__(self, client: OdooClient, masters: Masters) -> None:
        self.client = client
        self.masters = masters

    def orders(self, domain: Sequence[Any]) -> list[Any]:
        wanted = self._available(ORDER)
        found = records(self.client.search_read(ORDER, domain=domain, fields=wanted, order="id"))
        orders = [order for order in found if isinstance(order, dict)]
        lines = self._lines(ids_in(orders, "order_line"))
        partners = self._partners(ids_of(orders, "partner_id", "partner_shipping_id"))
        for order in orders:
            expand(order, "order_line", lines)
            join(order, partners, "partner_id", "partner_shipping_id")
            join(order, {}, "currency_id", "warehouse_id", "company_id", "user_id")
        return found

    def _lines(self, ids: set[int]) -> Table:
        lines = self._read(LINE, ids, self._available(LINE))
        products = self._products(ids_of(lines.values(), "product_id"))
        for line in lines.values():
            join(line, products, "product_id")
            join(line, {}, "product_uom", "product_uom_id")
        return lines

    def _products(self, ids: set[int]) -> Table:
        products = self._read(PRODUCT, ids, self._available(PRODUCT))
        codeless = [p for p in products.values() if not p.get("default_code") and not p.get("barcode")]
        templates = self.masters.read(TEMPLATE, ids_of(codeless, "product_tmpl_id"), ["default_code"])
        values = self._attribute_values(ids_in(products.values(), ATTRIBUTE_VALUES))
        for product in products.values():
            join(product, templates, "product_tmpl_id")
            expand(product, ATTRIBUTE_VALUES, values)
        return products

    def _attribute_values(self, ids: set[int]) -> Table:
        values = self.masters.read(ATTRIBUTE_VALUE, ids, ["name", "attribute_id"])
        for value in values.values():
            join(value, {}, "attribute_id")
        return values

    def _partners(self, ids: set[int]) -> Table:
        partners = self._read(PARTNER, ids, self._available(PARTNER))
        without_vat = [partner for partner in partners.values() if not partner.get("vat")]
        parents = ids_of(without_vat, "commercial_partner_id") - partners.keys()
        companies = partners | self.masters.read(PARTNER, parents, ["vat"])
        vats = {company_id: {"vat": company.get("vat")} for company_id, company in companies.items()}
        states = self.masters.read(STATE, ids_of(partners.values(), "state_id"), ["code"])
        countries = self.masters.read(COUNTRY, ids_of(partners.values(), "country_id"), ["code"])
        for partner in partners.values():
            join(partner, vats, "commercial_partner_id")
            join(partner, states, "state_id")
            join(partner, countries, "country_id")
        return partners

    def _available(self, model: str) -> list[str]:
        return available(self.client.server.fields, model)

    def _read(self, model: str, ids: set[int], fields: Sequence[str]) -> Table:
        """By id, because a search leaves out what is archived. No call when there is nothing to read."""
        return by_id(self.client.read(model, ids=sorted(ids), fields=fields)) if ids else {}
