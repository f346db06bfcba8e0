"""A shop: one Odoo database in memory, with master data, users, orders and switchable faults."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import product as combinations
from typing import Any

from sandbox.odoo.access import SALES_MODELS, ApiKey, User, Users
from sandbox.odoo.database import Clock, Tx
from sandbox.odoo.faults import Faults
from sandbox.odoo.languages import SOURCE, Languages
from sandbox.odoo.read import Reader
from sandbox.odoo.sales import DEFAULT_TAX, Line, Sales
from sandbox.odoo.upgrades import migrate

VERSIONS = (16, 17, 18, 19)


class Shop(Sales):
    """One Odoo database of one major version (16 to 19).

    `clock` gives aware datetimes and is the server's only sense of time. A new shop has a company, units,
    currencies, one customer, one product and `poller`, a user whose key is `api_key`; `empty=True` has
    nothing at all. `modules` adds the fields of modules a server may lack ("delivery", "sale_loyalty").
    """

    def __init__(
        self,
        version: int,
        database: str,
        clock: Clock,
        *,
        modules: frozenset[str] = frozenset(),
        empty: bool = False,
    ) -> None:
        if version not in VERSIONS:
            raise ValueError(f"the sandbox plays Odoo {VERSIONS[0]} to {VERSIONS[-1]}, not {version}")
        super().__init__(version, clock)
        self.database = database
        self.modules = modules
        self.languages = Languages(version)
        self.reader = Reader(self.world, version, modules)
        self.users = Users(version)
        self.faults = Faults()
        self.calls: Counter[tuple[str, str]] = Counter()
        self.api_key = f"sandbox-key-{database}"
        self.login = "poller@example.com"
        if not empty:
            self._furnish()

    def upgrade(self, version: int) -> None:
        """The same database on a newer Odoo, with the same modules, users and keys."""
        for step in range(self.version + 1, version + 1):
            with self.begin() as tx:
                migrate(self.world, tx, step)
        self.turn_into(version)
        self.reader = Reader(self.world, version, self.reader.modules)
        self.users.version = version

    def _furnish(self) -> None:
        with self.begin() as tx:
            for model, values in _MASTER_DATA:
                tx.create(model, values)
        self.add_user(2, "admin", "Mitchell Admin", password="sandbox-password-admin")  # noqa: S106
        self.poller = self.add_user(
            7, self.login, "Order Poller", password=f"sandbox-password-{self.database}", key=self.api_key
        )
        self.customer_id = self.add_partner("José Ángel Muñoz", email="jose@example.mx", city="Monterrey")
        self.product_id = self.add_product("Tornillo hexagonal", code="TOR-12", price=1.25)

    def reader_in(self, language: str) -> Reader:
        if language in ("", SOURCE):
            return self.reader
        return Reader(self.languages.view(self.world, language), self.version, self.modules)

    # --- users --------------------------------------------------------------------------------------

    def add_user(
        self, user_id: int, login: str, name: str = "", *, password: str = "", key: str = "", **flags: Any
    ) -> User:
        """`flags` are fields of `User`: two_factor, own_documents, denied, company_ids, active, tz, lang."""
        keys = [ApiKey(key)] if key else []
        user = User(user_id, login, name or login, password, keys, **flags)
        self.add(
            "res.users",
            id=user_id,
            login=login,
            name=user.name,
            company_id=user.company_ids[0],
            company_ids=list(user.company_ids),
            tz=user.tz,
            lang=user.lang,
            active=user.active,
        )
        return self.users.add(user)

    def add_user_without_sales(self, user_id: int, login: str, *, key: str) -> User:
        return self.add_user(user_id, login, key=key, denied=SALES_MODELS)

    # --- master data --------------------------------------------------------------------------------

    def add(self, model: str, *, tx: Tx | None = None, **values: Any) -> int:
        """A record of any model; `id` may be given. Returns its id."""
        with self._within(tx) as inner:
            return inner.create(model, values)

    def add_partner(self, name: str, **values: Any) -> int:
        return self.add("res.partner", **{"name": name, "type": "contact", "lang": "en_US", **values})

    def add_product(
        self,
        name: str,
        *,
        code: str = "",
        barcode: str = "",
        price: float = 1.0,
        kind: str = "goods",
        uom_id: int = 1,
        **values: Any,
    ) -> int:
        """A product without variants; `kind` is "goods" or "service". Returns the product.product id."""
        facts = {
            "name": name,
            "default_code": code or False,
            "barcode": barcode or False,
            "lst_price": price,
            "list_price": price,
        }
        with self.begin() as tx:
            template = tx.create("product.template", facts | {"uom_id": uom_id} | self._kind(kind))
            return tx.create("product.product", facts | {"product_tmpl_id": template, **values})

    def add_variants(
        self, name: str, attributes: Mapping[str, Sequence[str]], *, code: str = "", price: float = 1.0
    ) -> list[int]:
        """A product with one variant per combination, coded `code-1`, `code-2` ... Returns their ids."""
        with self.begin() as tx:
            template = tx.create(
                "product.template", {"name": name, "uom_id": 1, "list_price": price} | self._kind("goods")
            )
            values = [self._attribute(tx, template, each, attributes[each]) for each in attributes]
            return [
                tx.create(
                    "product.product",
                    {
                        "product_tmpl_id": template,
                        "default_code": f"{code}-{number}" if code else False,
                        "lst_price": price,
                        "product_template_attribute_value_ids": list(combination),
                    },
                )
                for number, combination in enumerate(combinations(*values), start=1)
            ]

    def _attribute(self, tx: Tx, template: int, name: str, values: Sequence[str]) -> list[int]:
        attribute = tx.create("product.attribute", {"name": name})
        ids = []
        for value in values:
            owner = {"name": value, "attribute_id": attribute}
            value_id = tx.create("product.attribute.value", owner)
            more = {"product_attribute_value_id": value_id, "product_tmpl_id": template}
            ids.append(tx.create("product.template.attribute.value", owner | more))
        return ids

    def _kind(self, kind: str) -> dict[str, Any]:
        if kind == "service":
            return {"type": "service"}
        return {"type": "consu", "is_storable": True} if self.version >= 18 else {"type": "product"}

    # --- the quick way ------------------------------------------------------------------------------

    def sell(
        self,
        partner_id: int | None = None,
        lines: Sequence[Line] | None = None,
        *,
        tx: Tx | None = None,
        **values: Any,
    ) -> int:
        """A confirmed order, by default of the shop's customer for its product. Returns its id."""
        with self._within(tx) as inner:
            chosen = lines if lines is not None else [Line(self.product_id)]
            order_id = self.quotation(partner_id or self.customer_id, chosen, tx=inner, **values)
            self.confirm(order_id, tx=inner)
        return order_id


_MASTER_DATA: list[tuple[str, dict[str, Any]]] = [
    ("res.currency", {"id": 1, "name": "USD", "symbol": "$", "decimal_places": 2, "rounding": 0.01}),
    ("res.currency", {"id": 33, "name": "MXN", "symbol": "$", "decimal_places": 2, "rounding": 0.01}),
    ("res.currency", {"id": 126, "name": "EUR", "symbol": "€", "decimal_places": 2, "rounding": 0.01}),
    ("res.country", {"id": 75, "name": "France", "code": "FR"}),
    ("res.country", {"id": 68, "name": "Spain", "code": "ES"}),
    ("res.country", {"id": 156, "name": "Mexico", "code": "MX"}),
    ("res.country", {"id": 231, "name": "United Kingdom", "code": "GB"}),
    ("res.country", {"id": 233, "name": "United States", "code": "US"}),
    ("res.country.state", {"id": 52, "name": "Texas", "code": "TX", "country_id": 233}),
    ("res.country.state", {"id": 428, "name": "Madrid", "code": "M", "country_id": 68}),
    ("res.country.state", {"id": 493, "name": "Ciudad de México", "code": "CMX", "country_id": 156}),
    ("res.country.state", {"id": 503, "name": "Nuevo León", "code": "NLE", "country_id": 156}),
    ("uom.uom", {"id": 1, "name": "Units"}),
    ("uom.uom", {"id": 2, "name": "Dozens"}),
    ("uom.uom", {"id": 12, "name": "kg"}),
    ("account.tax", {"id": DEFAULT_TAX, "name": "16%", "amount": 16.0}),
    ("product.pricelist", {"id": 1, "name": "Default", "currency_id": 1}),
    ("res.partner", {"id": 1, "name": "Sandbox Company", "is_company": True, "type": "contact"}),
    ("res.company", {"id": 1, "name": "Sandbox Company", "partner_id": 1, "currency_id": 1}),
    ("stock.warehouse", {"id": 1, "name": "Main Warehouse", "code": "WH", "company_id": 1}),
]
