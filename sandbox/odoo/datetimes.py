"""How each Odoo version compares a datetime field with a literal: the difference that loses orders."""

import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.odoo.errors import OdooError, value_error

_ISO = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?")
_SECOND = timedelta(seconds=1)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

Test = Callable[[Any], bool]


def moment_test(version: int, op: str, literal: Any) -> Test:
    """A test for stored moments (aware datetimes or False).

    16 to 18 give the literal to SQL and compare microseconds; 19 compares whole seconds, so there `> T`
    means `>= T + 1 s` and `=` matches the whole second. Raises OdooError for what a server refuses.
    """
    if op in ("in", "not in"):
        tests = [moment_test(version, "=", each) for each in literal]
        return (
            (lambda v: any(t(v) for t in tests)) if op == "in" else (lambda v: not any(t(v) for t in tests))
        )
    if literal is False or literal is None:
        return {"=": lambda v: not v, "!=": bool}.get(op, lambda v: False)
    if version >= 19:
        return _whole_second_test(op, _parse_19(op, literal))
    compare, bound = _COMPARE[op], _parse_sql(op, literal)
    if op == "!=":
        return lambda v: not v or compare(v, bound)
    return lambda v: bool(v) and compare(v, bound)


def lower_bound(version: int, op: str, literal: Any) -> datetime | None:
    """No moment before this one passes the test; None when the test gives no such bound."""
    if op not in ("=", ">", ">=") or not isinstance(literal, str):
        return None
    bound = _parse_19(op, literal) if version >= 19 else _parse_sql(op, literal)
    return bound.replace(microsecond=0)


def _whole_second_test(op: str, bound: datetime) -> Test:
    after = bound + _SECOND
    tests: dict[str, Test] = {
        "=": lambda v: bool(v) and bound <= v < after,
        "!=": lambda v: not v or not bound <= v < after,
        "<": lambda v: bool(v) and v < bound,
        "<=": lambda v: bool(v) and v < after,
        ">": lambda v: bool(v) and v >= after,
        ">=": lambda v: bool(v) and v >= bound,
    }
    return tests[op]


def _with_time(op: str, literal: str) -> str:
    """A bare date means its last second for `>` and `<=`, its first for the others."""
    if len(literal) != 10:
        return literal
    return f"{literal} 23:59:59" if op in (">", "<=") else f"{literal} 00:00:00"


def _parse_sql(op: str, literal: Any) -> datetime:
    if not isinstance(literal, str):
        raise OdooError(
            "psycopg2.errors.DatetimeFieldOverflow", f'date/time field value out of range: "{literal}"\n'
        )
    text = _with_time(op, literal)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise OdooError(
            "psycopg2.errors.InvalidDatetimeFormat", f'invalid input syntax for type timestamp: "{text}"\n'
        ) from None
    # A timestamp column has no zone: PostgreSQL drops what the literal says about it.
    return moment.replace(tzinfo=UTC)


def _parse_19(op: str, literal: Any) -> datetime:
    if not isinstance(literal, str):
        raise value_error(f"Failed to cast {literal} into a datetime")
    if literal.endswith("Z") or re.search(r"[+-]\d\d:?\d\d$", literal[10:]):
        raise value_error(f"expecting only datetimes with no timezone: {literal!r}")
    if not _ISO.fullmatch(literal):
        raise value_error(f"Invalid term {literal.split()[0]!r} in expression date: {literal!r}")
    return datetime.fromisoformat(_with_time(op, literal)).replace(microsecond=0, tzinfo=UTC)
