"""The model methods a client may call: their signatures per version, rights, and what they answer."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sandbox.odoo.access import User
from sandbox.odoo.database import Row
from sandbox.odoo.errors import access_error, model_denied, record_denied, type_error
from sandbox.odoo.shop import Shop

_LABELS = {"sale.order": "Sales Order", "sale.order.line": "Sales Order Line", "res.users": "User"}


@dataclass(frozen=True)
class Method:
    """One callable; `on_records` methods take ids first, `since` and `until` are major versions.

    `model` names the only model that has it; `owner` the class its TypeErrors speak of.
    """

    function: Callable[..., Any]
    signature: inspect.Signature
    on_records: bool
    owner: str
    model: str
    since: int
    until: int


_METHODS: dict[str, list[Method]] = {}


def rpc(
    *,
    on_records: bool = False,
    owner: str = "BaseModel",
    model: str = "",
    since: int = 0,
    until: int = 99,
    name: str = "",
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a method of `Env` as callable from outside."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        skip = 3 if on_records else 2  # self, model[, ids]
        signature = inspect.Signature(list(inspect.signature(function).parameters.values())[skip:])
        method = Method(function, signature, on_records, owner, model, since, until)
        _METHODS.setdefault(name or function.__name__, []).append(method)
        return function

    return register


@cache
def find_method(version: int, name: str) -> Method | None:
    return next((each for each in _METHODS.get(name, ()) if each.since <= version <= each.until), None)


class Env:
    """One user's call into one shop, with its context."""

    def __init__(self, shop: Shop, user: User, context: Mapping[str, Any] | None = None) -> None:
        self.shop = shop
        self.user = user
        self.context = context or {}
        self.reader = shop.reader_in(self.context.get("lang") or "")

    def call(self, model: str, name: str, args: list[Any], kwargs: Mapping[str, Any]) -> Any:
        """Run a method the way `call_kw` does. Raises OdooError; TypeError texts are Odoo's."""
        method = self.method(model, name)
        values = dict(kwargs)
        ids: list[Any] = []
        if method.on_records:
            if not args:
                raise type_error(f"{method.owner}.{name}() missing 1 required positional argument: 'ids'")
            ids, args = _as_ids(args[0]), args[1:]
        return self.run(model, name, method, ids, args, values)

    def method(self, model: str, name: str) -> Method:
        """Raises LookupError for an unknown method, AccessError for a private one."""
        if name.startswith("_"):
            shown = f"'{model}.{name}'" if self.shop.version >= 18 else name
            raise access_error(f"Private methods (such as {shown}) cannot be called remotely.")
        method = find_method(self.shop.version, name)
        if method is None or method.model not in ("", model):
            raise LookupError(name)
        return method

    def run(
        self,
        model: str,
        name: str,
        method: Method,
        ids: list[Any],
        args: list[Any],
        kwargs: Mapping[str, Any],
    ) -> Any:
        try:
            method.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise type_error(f"{method.owner}.{name}() {error}") from None
        before = (self, model, ids) if method.on_records else (self, model)
        return method.function(*before, *args, **kwargs)

    # --- what may be seen ---------------------------------------------------------------------------

    def _allowed(self, model: str) -> Callable[[Row], bool]:
        """The record rules of this user for `model`. Raises AccessError without rights on the model."""
        if model in self.user.denied:
            raise model_denied(model, _LABELS.get(model, model))
        if model not in ("sale.order", "sale.order.line"):
            return lambda row: True
        companies = set(self.context.get("allowed_company_ids") or self.user.company_ids)

        def visible(row: Row) -> bool:
            order = row if model == "sale.order" else self.shop.world.get("sale.order", row["order_id"]) or {}
            if order.get("company_id", 1) not in companies:
                return False
            return not self.user.own_documents or order.get("user_id", False) in (False, self.user.id)

        return visible

    def _searchable(self, model: str, domain: Any) -> Callable[[Row], bool]:
        allowed = self._allowed(model)
        asks_active = any(term[0] == "active" for term in domain or () if isinstance(term, list) and term)
        if asks_active or not self.context.get("active_test", True):
            return allowed
        return lambda row: row.get("active", True) and allowed(row)

    def _readable(self, model: str, ids: list[Any]) -> list[Row]:
        """Those of the ids that exist. Raises AccessError for one the rules hide."""
        allowed = self._allowed(model)
        found = (self.reader.world.get(model, each) for each in ids)
        rows = [row for row in found if row is not None]
        if not all(allowed(row) for row in rows):
            who = f"{self.user.name} (id={self.user.id})"
            raise record_denied(self.shop.version, model, _LABELS.get(model, model), who)
        return rows

    # --- reading ------------------------------------------------------------------------------------

    @rpc()
    def search(
        self, model: str, domain: Any, offset: int = 0, limit: int | None = None, order: str | None = None
    ) -> list[int]:
        rows = self.reader.search(model, domain, self._searchable(model, domain), order, offset, limit)
        return [row["id"] for row in rows]

    @rpc()
    def search_count(self, model: str, domain: Any, limit: int | None = None) -> int:
        count = len(self.reader.matching(model, domain, self._searchable(model, domain)))
        return min(count, limit) if limit else count

    @rpc()
    def search_read(
        self,
        model: str,
        domain: Any = None,
        fields: list[str] | None = None,
        offset: int = 0,
        limit: int | None = None,
        order: str | None = None,
        load: str = "_classic_read",
    ) -> list[Row]:
        rows = self.reader.search(model, domain, self._searchable(model, domain), order, offset, limit)
        return self.reader.classic(model, rows, fields, load)

    @rpc(on_records=True)
    def read(
        self, model: str, ids: list[Any], fields: list[str] | None = None, load: str = "_classic_read"
    ) -> list[Row]:
        return self.reader.classic(model, self._readable(model, ids), fields, load)

    @rpc(owner="Base", until=16, name="web_search_read")
    def web_search_read_16(
        self,
        model: str,
        domain: Any = None,
        fields: list[str] | None = None,
        offset: int = 0,
        limit: int | None = None,
        order: str | None = None,
        count_limit: int | None = None,
    ) -> Row:
        rows = self.reader.search(model, domain, self._searchable(model, domain), order, offset, limit)
        records = self.reader.classic(model, rows, fields, "_classic_read")
        return self._page(model, domain, records, offset, limit, count_limit)

    @rpc(owner="Base", since=17)
    def web_search_read(
        self,
        model: str,
        domain: Any,
        specification: Mapping[str, Any],
        offset: int = 0,
        limit: int | None = None,
        order: str | None = None,
        count_limit: int | None = None,
    ) -> Row:
        rows = self.reader.search(model, domain, self._searchable(model, domain), order, offset, limit)
        records = self.reader.nested(model, rows, specification)
        return self._page(model, domain, records, offset, limit, count_limit)

    @rpc(on_records=True, owner="Base", since=17)
    def web_read(self, model: str, ids: list[Any], specification: Mapping[str, Any]) -> list[Row]:
        return self.reader.nested(model, self._readable(model, ids), specification)

    def _page(
        self,
        model: str,
        domain: Any,
        records: list[Row],
        offset: int,
        limit: int | None,
        count_limit: int | None,
    ) -> Row:
        """`length` is a real count only when the page is full and `count_limit` does not say enough."""
        length = len(records) + offset if records else 0
        enough = count_limit and count_limit <= length
        if records and limit and len(records) == limit and not enough:
            length = self.search_count(model, domain, count_limit)
        return {"length": length, "records": records}

    @rpc()
    def fields_get(
        self, model: str, allfields: list[str] | None = None, attributes: list[str] | None = None
    ) -> dict[str, Row]:
        return self.reader.describe(model, allfields, attributes)

    @rpc()
    def check_access_rights(self, model: str, operation: str, raise_exception: bool = True) -> bool:
        if self._may(model, operation):
            return True
        if raise_exception:
            raise model_denied(model, _LABELS.get(model, model))
        return False

    @rpc(on_records=True, since=18)
    def has_access(self, model: str, ids: list[Any], operation: str) -> bool:
        return self._may(model, operation)

    def _may(self, model: str, operation: str) -> bool:
        return model not in self.user.denied and (operation == "read" or model != "res.users")

    @rpc(owner="Lang", model="res.lang")
    def get_installed(self, model: str) -> list[list[str]]:
        return [[code, name] for code, name in self.shop.languages.installed.items()]

    @rpc(owner="Users", model="res.users")
    def context_get(self, model: str) -> Row:
        return {"lang": self.user.lang, "tz": self.user.tz, "uid": self.user.id}

    @rpc(owner="Users", model="res.users", until=17, name="has_group")
    def has_group_of_mine(self, model: str, group_ext_id: str) -> bool:
        return self._in_group(group_ext_id)

    @rpc(on_records=True, owner="Users", model="res.users", since=18)
    def has_group(self, model: str, ids: list[Any], group_ext_id: str) -> bool:
        return self._in_group(group_ext_id)

    def _in_group(self, group_ext_id: str) -> bool:
        if "sale.order" in self.user.denied:
            return False
        if group_ext_id == "sales_team.group_sale_salesman_all_leads":
            return not self.user.own_documents
        return group_ext_id == "sales_team.group_sale_salesman"

    # --- writing: what a person would do in Odoo ----------------------------------------------------

    @rpc(on_records=True)
    def write(self, model: str, ids: list[Any], vals: Mapping[str, Any]) -> bool:
        if not self._may(model, "write"):
            raise model_denied(model, _LABELS.get(model, model), "modify")
        with self.shop.begin() as tx:
            for row in self._readable(model, ids):
                tx.write(model, row["id"], vals)
        return True

    @rpc(on_records=True, model="sale.order")
    def unlink(self, model: str, ids: list[Any]) -> bool:
        return self._each(model, ids, self.shop.unlink)

    @rpc(on_records=True, owner="SaleOrder", model="sale.order")
    def action_confirm(self, model: str, ids: list[Any]) -> bool:
        return self._each(model, ids, self.shop.confirm)

    @rpc(on_records=True, owner="SaleOrder", model="sale.order")
    def action_cancel(self, model: str, ids: list[Any]) -> bool:
        return self._each(model, ids, self.shop.cancel)

    def _each(self, model: str, ids: list[Any], action: Callable[[int], None]) -> bool:
        for row in self._readable(model, ids):
            action(row["id"])
        return True


def _as_ids(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
