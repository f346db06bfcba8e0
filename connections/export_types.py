"""What kind of value each field of an imported connection takes: a list or a mapping is not a text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from connections.models import Connection
from connections.plain_text import one_line

BIGGEST = 2**63
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # by a database, or by a file
SHOWN = 80  # characters of a name


class Unportable(Exception):
    """The text, or the key, is not what it has to be; the words say so to a person."""


def require(rows: Iterable[Mapping[Any, Any]]) -> None:
    """Raises Unportable at the first value that is of another kind than its field."""
    for number, row in enumerate(rows, start=1):
        for name, value in row.items():
            if not isinstance(name, str) or not _fits(name, value):
                raise Unportable(_misfit(number, name))


def _fits(name: str, value: Any) -> bool:
    if name == "secrets":
        return value is None or (isinstance(value, dict) and all(map(_is_plain, [*value, *value.values()])))
    if name == "events":
        return isinstance(value, list) and all(isinstance(word, str) and _is_plain(word) for word in value)
    if name in SWITCHES:
        return isinstance(value, bool)
    return value is None or _is_plain(value)


def _is_plain(value: Any) -> bool:
    if isinstance(value, str):
        return not UNSTORABLE.search(value)
    if isinstance(value, int):
        return abs(value) < BIGGEST
    return isinstance(value, float | date)


def _misfit(number: int, name: Any) -> str:
    words = {"number": number, "field": one_line(name[:SHOWN]) if isinstance(name, str) else "?"}
    if name in SWITCHES:
        return _("Connection %(number)s: “%(field)s” is true or false, without quotes.") % words
    if name == "events":
        return _("Connection %(number)s: “%(field)s” is a list of texts.") % words
    if name == "secrets":
        return _("Connection %(number)s: “%(field)s” has texts by name, as exportconnections writes.") % words
    return _("Connection %(number)s: “%(field)s” has a value that is not a text, a number or a date.") % words


SWITCHES = {
    field.name for field in Connection._meta.concrete_fields if isinstance(field, models.BooleanField)
}
