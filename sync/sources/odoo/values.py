"""Single values out of a record that somebody else's server sent: checked and made harmless, or Misfit."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

Record = dict[str, Any]

BIGGEST_NUMBER = 2**53  # beyond it JSON readers lose digits, and ids would name another record

# Moments beyond these years cannot be told in another time zone.
_YEARS = (1000, 9000)

# What may be wrong with a value, in words that are stored and shown.
MISSING, OUT_OF_RANGE, NO_CHOICE = "missing", "out of range", "not one of the known values"
PROBLEM_OF = {
    "a text": "not a text",
    "a number": "not a number",
    "a whole number": "not a whole number",
    "true or false": "not true or false",
    "a date with time": "not a date with time",
    "an object": "not a record",
    "a record's number": "not a record",
    "a list": "not a list",
}
PROBLEMS = (MISSING, OUT_OF_RANGE, NO_CHOICE, *dict.fromkeys(PROBLEM_OF.values()))

# NUL breaks PostgreSQL, lone surrogates break UTF-8, the other controls break terminals and logs.
_HARMFUL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class Misfit(ValueError):
    """A value is not of the kind Odoo gives for its field. Says which field and which kind, not the value.

    `problem` is one of PROBLEMS.
    """

    def __init__(self, text: str, problem: str = MISSING) -> None:
        super().__init__(text)
        self.problem = problem

    def within(self, place: str) -> "Misfit":
        """The same, told from further outside."""
        return Misfit(f"{place}: {self}", self.problem)


def clean(text: str) -> str:
    """The text with every character that could hurt somebody downstream shown as U+FFFD."""
    return text if text.isprintable() else _HARMFUL.sub("\ufffd", text)


def text(record: Record, key: str) -> str:
    """Odoo's `false` stands for "nothing" in every type: ""."""
    value = _present(record, key)
    if isinstance(value, str):
        return clean(value)
    if value is False or value is None:
        return ""
    raise _misfit(key, "a text", value)


def optional_text(record: Record, key: str) -> str | None:
    """None where the server does not have the field."""
    return text(record, key) if key in record else None


def choice(record: Record, key: str, choices: Sequence[str]) -> str:
    value = _present(record, key)
    if value not in choices:
        raise Misfit(f"{key} is none of {', '.join(choices)}", NO_CHOICE)
    return str(value)


def number(record: Record, key: str) -> float:
    """A finite number, as Odoo gives it: float noise is passed on."""
    value = _present(record, key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _misfit(key, "a number", value)
    if not abs(value) <= BIGGEST_NUMBER:  # so that NaN fails too
        raise Misfit(f"{key} is a number beyond all measure", OUT_OF_RANGE)
    return float(value)


def optional_integer(record: Record, key: str) -> int | None:
    value = record.get(key)
    if value is None or value is False:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise _misfit(key, "a whole number", value)
    if abs(value) > BIGGEST_NUMBER:
        raise Misfit(f"{key} is a number beyond all measure", OUT_OF_RANGE)
    return value


def optional_flag(record: Record, key: str) -> bool | None:
    value = record.get(key)
    if value is not None and not isinstance(value, bool):
        raise _misfit(key, "true or false", value)
    return value


def moment(record: Record, key: str) -> datetime:
    """A datetime in UTC with whole seconds."""
    value = optional_moment(record, key)
    if value is None:
        raise Misfit(f"{key} is missing")
    return value


def optional_moment(record: Record, key: str) -> datetime | None:
    value = record.get(key)
    if value is None or value is False:
        return None
    try:
        parsed = datetime.fromisoformat(value)
        moment = (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as error:
        raise _misfit(key, "a date with time", value) from error
    if not _YEARS[0] <= moment.year < _YEARS[1]:
        raise Misfit(f"{key} is a date beyond all measure", OUT_OF_RANGE)
    return moment.replace(microsecond=0)


def record_id(record: object) -> int:
    """The id of something that should be a record."""
    if not isinstance(record, dict):
        raise _misfit("a record", "an object", record)
    value = record.get("id")
    if type(value) is int and 0 < value <= BIGGEST_NUMBER:
        return value
    raise _misfit("id", "a record's number", value)


def related(record: Record, key: str) -> Record | None:
    """The record a many2one points to; None for none."""
    value = _present(record, key)
    if value is False or value is None:
        return None
    _record_in(value, key)
    return value  # type: ignore[no-any-return]


def related_name(record: Record, key: str) -> str:
    """The display name of what a many2one points to."""
    other = related(record, key)
    return "" if other is None else text(other, "display_name")


def optional_related_name(record: Record, key: str) -> str | None:
    return related_name(record, key) if key in record else None


def related_list(record: Record, key: str) -> list[Record]:
    """The records of a one2many or many2many, each once, in the server's order."""
    value = _present(record, key)
    if not isinstance(value, list):
        raise _misfit(key, "a list", value)
    records: dict[int, Record] = {}
    for item in value:
        records.setdefault(_record_in(item, key), item)
    return list(records.values())


def _record_in(value: object, key: str) -> int:
    try:
        return record_id(value)
    except Misfit as error:
        raise error.within(key) from error


def _present(record: Record, key: str) -> Any:
    try:
        return record[key]
    except KeyError:
        raise Misfit(f"{key} is missing") from None


def _misfit(key: str, expected: str, value: object) -> Misfit:
    return Misfit(f"{key} is not {expected} but {type(value).__name__}", PROBLEM_OF[expected])
