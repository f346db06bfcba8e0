"""Odoo's search domains: prefix notation compiled to a test over one record."""

import operator
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from sandbox.odoo.database import Row, World
from sandbox.odoo.datetimes import lower_bound, moment_test
from sandbox.odoo.errors import OdooError, value_error
from sandbox.odoo.fields import display_name, value_of
from sandbox.odoo.schema import Field, fields_of

Test = Callable[[Row], bool]
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_OPERATORS = {"=", "!=", "in", "not in", *_ORDERED, "like", "ilike", "=like", "=ilike"}


class Domains:
    """Compiles domains for one database of one version."""

    def __init__(self, world: World, version: int, modules: frozenset[str]) -> None:
        self.world = world
        self.version = version
        self.modules = modules

    def compile(self, model: str, domain: Any) -> Test:
        """A test for records of `model`. Raises OdooError as that version does for what it refuses."""
        terms = iter(domain or [])
        tests = []
        for term in terms:
            tests.append(self._term(model, term, terms))
        if len(tests) == 1:
            return tests[0]
        return lambda row: all(test(row) for test in tests)

    def candidates(self, model: str, domain: Any) -> list[int] | None:
        """Ids among which every match is, found by an index; None when the whole table must be looked at."""
        best: list[int] | None = None
        terms = iter(domain or ())
        for term in terms:
            found = self._candidates(model, term, terms)
            if found is not None and (best is None or len(found) < len(best)):
                best = found
        return best

    def _candidates(self, model: str, term: Any, rest: Iterator[Any]) -> list[int] | None:
        if term == "|":
            left = self._candidates(model, next(rest), rest)
            right = self._candidates(model, next(rest), rest)
            return None if left is None or right is None else list(dict.fromkeys(left + right))
        if term == "&":
            left = self._candidates(model, next(rest), rest)
            right = self._candidates(model, next(rest), rest)
            return right if left is None else left
        if term == "!":
            self._candidates(model, next(rest), rest)
            return None
        return self._indexed(model, *term) if isinstance(term, list | tuple) and len(term) == 3 else None

    def _indexed(self, model: str, name: str, op: str, value: Any) -> list[int] | None:
        if model == "sale.order" and name == "write_date":
            bound: datetime | None = lower_bound(self.version, op, value)
            return None if bound is None else self.world.orders_written_since(bound)
        if op not in ("=", "in") or not value:
            return None
        values = value if isinstance(value, list | tuple) else [value]
        if name == "id":
            return [each for each in values if isinstance(each, int)]
        if self.world.is_indexed(model, name):
            return [child for each in values for child in self.world.children(model, name, each)]
        return None

    def _term(self, model: str, term: Any, rest: Iterator[Any]) -> Test:
        if term == "!":
            inner = self._term(model, next(rest), rest)
            return lambda row: not inner(row)
        if term in ("&", "|"):
            left = self._term(model, next(rest), rest)
            right = self._term(model, next(rest), rest)
            if term == "&":
                return lambda row: left(row) and right(row)
            return lambda row: left(row) or right(row)
        return self._leaf(model, term)

    def _leaf(self, model: str, leaf: Any) -> Test:
        if not isinstance(leaf, list | tuple) or len(leaf) != 3:
            raise self._malformed(leaf)
        name, op, value = leaf
        if op not in _OPERATORS:
            raise value_error(f"Invalid operator {op!r} in domain term {tuple(leaf)!r}")
        head, _, tail = str(name).partition(".")
        field = fields_of(self.version, model, self.modules).get(head)
        if field is None:
            word = "condition" if self.version >= 19 else "leaf"
            raise value_error(f"Invalid field {model}.{name} in {word} {tuple(leaf)!r}")
        if tail:
            return self._path(model, head, field, (tail, op, value))
        return self._plain(model, head, field, op, value)

    def _malformed(self, leaf: Any) -> OdooError:
        if self.version >= 19:
            return value_error(f"Domain() invalid item in domain: {leaf!r}")
        return OdooError("builtins.IndexError", "tuple index out of range")

    def _path(self, model: str, name: str, field: Field, leaf: tuple[str, str, Any]) -> Test:
        inner = self._leaf(field.relation, leaf)
        world, version = self.world, self.version

        def test(row: Row) -> bool:
            value = value_of(world, version, model, row, name, field)
            ids = value if isinstance(value, list) else [value] if value else []
            targets = (world.get(field.relation, each) for each in ids)
            return any(target is not None and inner(target) for target in targets)

        return test

    def _plain(self, model: str, name: str, field: Field, op: str, value: Any) -> Test:
        world, version = self.world, self.version
        if field.type in ("datetime", "date"):
            moment = moment_test(version, op, value)
            return lambda row: moment(row.get(name))
        if field.type == "many2one" and isinstance(value, str):
            passes = _value_test(op, value)
            return lambda row: passes(self._name_of(field.relation, row.get(name)))
        passes = _value_test(op, value)
        if field.type in ("one2many", "many2many"):
            return lambda row: any(passes(v) for v in value_of(world, version, model, row, name, field))
        return lambda row: passes(value_of(world, version, model, row, name, field))

    def _name_of(self, model: str, record_id: Any) -> Any:
        row = self.world.get(model, record_id) if record_id else None
        return display_name(self.world, self.version, model, row) if row else False


def _value_test(op: str, value: Any) -> Callable[[Any], bool]:
    if op in ("=", "!="):
        empty = value is False or value is None
        same = (lambda v: not v) if empty else (lambda v: v == value)
        return same if op == "=" else (lambda v: not same(v))
    if op in ("in", "not in"):
        wanted = set(value if isinstance(value, list | tuple) else [value])
        wanted |= {False, None, ""} if False in wanted else set()
        return (lambda v: v in wanted) if op == "in" else (lambda v: v not in wanted)
    if op in _ORDERED:
        compare = _ORDERED[op]
        return lambda v: v is not False and value is not False and compare(v, value)
    return _like_test(op, str(value))


def _like_test(op: str, pattern: str) -> Callable[[Any], bool]:
    """`like` and `ilike` find the text anywhere; `=like` and `=ilike` match the whole, `%` at the ends."""
    ignore_case = "ilike" in op
    wanted = pattern.lower() if ignore_case else pattern

    def test(value: Any) -> bool:
        text = str(value or "")
        text = text.lower() if ignore_case else text
        if not op.startswith("="):
            return wanted in text
        core = wanted.strip("%")
        if wanted.startswith("%") and wanted.endswith("%"):
            return core in text
        if wanted.startswith("%"):
            return text.endswith(core)
        return text.startswith(core) if wanted.endswith("%") else text == wanted

    return test
