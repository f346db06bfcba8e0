"""Records as the API hands them out: classic reads, nested `specification` reads, `fields_get`."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sandbox.odoo.database import Row, World
from sandbox.odoo.domains import Domains, Test
from sandbox.odoo.errors import unknown_field, user_error, value_error
from sandbox.odoo.fields import display_name, to_json, value_of
from sandbox.odoo.schema import Field, default_order, fields_of, selection_of

_ORDER = re.compile(r'^(\s*([a-z0-9:_]+|"[a-z0-9:_]+")(\s+(desc|asc))?\s*(,|$))+(?<!,)$', re.IGNORECASE)
_ATTRIBUTES = ("string", "type", "relation", "store", "readonly", "required", "selection")
_UNSTORED = {"display_name", "is_reward_line"}
SortTerm = tuple[Callable[[Row], Any], bool]


class Reader:
    """Searches and reads one database as one version does."""

    def __init__(self, world: World, version: int, modules: frozenset[str]) -> None:
        self.world = world
        self.version = version
        self.modules = modules
        self.domains = Domains(world, version, modules)

    def fields(self, model: str) -> dict[str, Field]:
        return fields_of(self.version, model, self.modules)

    def search(
        self, model: str, domain: Any, allowed: Test, order: str | None, offset: int, limit: int | None
    ) -> list[Row]:
        rows = self.matching(model, domain, allowed)
        self._sort(model, rows, order or default_order(model))
        return rows[offset : offset + limit if limit else None]

    def matching(self, model: str, domain: Any, allowed: Test) -> list[Row]:
        """Every committed record that passes, in no order."""
        test = self.domains.compile(model, domain)
        return [row for row in self._candidates(model, domain) if test(row) and allowed(row)]

    def _candidates(self, model: str, domain: Any) -> Iterable[Row]:
        ids = self.domains.candidates(model, domain)
        if ids is None:
            return self.world.rows(model)
        found = (self.world.get(model, each) for each in dict.fromkeys(ids))
        return [row for row in found if row is not None]

    def _sort(self, model: str, rows: list[Row], order: str) -> None:
        for getter, descending in reversed(self._sort_terms(model, order)):
            rows.sort(key=getter, reverse=descending)

    def _sort_terms(self, model: str, order: str) -> list[SortTerm]:
        if not _ORDER.match(order):
            raise user_error(
                f'Invalid "order" specified ({order}). A valid "order" specification is a comma-separated '
                "list of valid field names (optionally followed by asc/desc for the direction)"
            )
        terms: list[SortTerm] = []
        for part in order.split(","):
            name, _, direction = part.strip().partition(" ")
            terms += self._sort_term(model, name.strip('"'), direction.strip().lower() == "desc")
        return terms

    def _sort_term(self, model: str, name: str, descending: bool) -> list[SortTerm]:
        field = self.fields(model).get(name)
        if field is None:
            raise value_error(f"Invalid field {name!r} on model {model!r}")
        if field.type == "many2one":
            inner = self._sort_terms(field.relation, default_order(field.relation))
            return [
                (self._through(field.relation, name, getter), down != descending) for getter, down in inner
            ]

        def getter(row: Row) -> tuple[bool, Any]:
            value = value_of(self.world, self.version, model, row, name, field)
            # NULL sorts last, as in PostgreSQL; a false boolean is a value.
            empty = value is False and field.type != "boolean"
            return (empty, 0 if empty else value)

        return [(getter, descending)]

    def _through(self, model: str, name: str, getter: Callable[[Row], Any]) -> Callable[[Row], Any]:
        def through(row: Row) -> tuple[bool, Any]:
            target = self.world.get(model, row[name]) if row.get(name) else None
            return (True, ()) if target is None else (False, getter(target))

        return through

    def classic(self, model: str, rows: Iterable[Row], names: list[str] | None, load: str) -> list[Row]:
        """`read`: many2one as [id, display name], or the bare id when `load` is not "_classic_read"."""
        fields = self.fields(model)
        wanted = list(dict.fromkeys(names or fields))
        for name in wanted:
            self._known(model, fields, name)
        named = load == "_classic_read"
        return [
            {"id": row["id"]}
            | {name: self._classic_value(model, row, name, fields[name], named) for name in wanted}
            for row in rows
        ]

    def _known(self, model: str, fields: Mapping[str, Field], name: str) -> Field:
        if name not in fields:
            raise unknown_field(self.version, model, name)
        return fields[name]

    def _classic_value(self, model: str, row: Row, name: str, field: Field, named: bool) -> Any:
        value = value_of(self.world, self.version, model, row, name, field)
        if field.type != "many2one" or not value or not named:
            return to_json(value)
        return [value, self._display(field.relation, value)]

    def _display(self, model: str, record_id: int) -> str:
        row = self.world.get(model, record_id) or {"id": record_id}
        return display_name(self.world, self.version, model, row)

    def nested(self, model: str, rows: Iterable[Row], specification: Mapping[str, Any]) -> list[Row]:
        """`web_read`: relations are followed as far as the specification names their `fields`."""
        fields = self.fields(model)
        for name in specification:
            self._known(model, fields, name)
        return [
            {"id": row["id"]}
            | {
                name: self._nested_value(model, row, name, fields[name], each or {})
                for name, each in specification.items()
            }
            for row in rows
        ]

    def _nested_value(
        self, model: str, row: Row, name: str, field: Field, specification: Mapping[str, Any]
    ) -> Any:
        value = value_of(self.world, self.version, model, row, name, field)
        if "fields" not in specification or field.type not in ("many2one", "one2many", "many2many"):
            return to_json(value)
        inner = specification["fields"]
        if field.type == "many2one":
            # An unknown name is refused even where the relation is empty.
            targets = self._existing(field.relation, [value] if value else [])
            found = self.nested(field.relation, targets, inner)
            return found[0] if found else False
        return self._nested_many(field.relation, value, specification)

    def _nested_many(self, model: str, ids: list[int], specification: Mapping[str, Any]) -> list[Row]:
        rows = self._existing(model, ids)
        if specification.get("order"):
            self._sort(model, rows, specification["order"])
        limit = specification.get("limit") or len(rows)
        stubs = [{"id": row["id"]} for row in rows[limit:]]
        return self.nested(model, rows[:limit], specification["fields"]) + stubs

    def _existing(self, model: str, ids: Iterable[int]) -> list[Row]:
        found = (self.world.get(model, each) for each in ids)
        return [row for row in found if row is not None]

    def describe(self, model: str, names: list[str] | None, attributes: list[str] | None) -> dict[str, Row]:
        """`fields_get`: unknown names are left out without an error."""
        return {
            name: self._describe(model, name, field, attributes or _ATTRIBUTES)
            for name, field in self.fields(model).items()
            if not names or name in names
        }

    def _describe(self, model: str, name: str, field: Field, attributes: Iterable[str]) -> Row:
        facts: Row = {
            "string": field.string,
            "type": field.type,
            "store": name not in _UNSTORED,
            "readonly": field.readonly,
            "required": field.required,
        }
        if field.relation:
            facts["relation"] = field.relation
        if field.type == "selection":
            facts["selection"] = [list(pair) for pair in selection_of(self.version, model, name)]
        return {name: value for name, value in facts.items() if name in attributes}
