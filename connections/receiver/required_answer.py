"""What a connection requires of its receiver's answers beyond 2xx: a value that a JSON pointer leads to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import orjson
from django.utils.translation import gettext as _

NOT_JSON = "receiver_answer_not_json"
CUT = "receiver_answer_cut"
DIFFERS = "receiver_answer_differs"

SHOWN = 100  # characters of a value that was required

_POINTER = re.compile(r"(?:/(?:[^~/]|~[01])*)*")  # RFC 6901, section 3
_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an answer does not say that the order was taken: a code of `connections/causes`, and a detail.

    The detail holds nothing of the answer but true, false and null: who may not see answers may see it.
    """

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class RequiredAnswer:
    """A JSON pointer (RFC 6901) into the answer and the value that has to stand there."""

    pointer: str
    value: Any

    @classmethod
    def of(cls, pointer: str, typed: str) -> RequiredAnswer | None:
        """As people typed it; None where nothing is required. An empty pointer is the whole answer."""
        return cls(pointer, meant_by(typed)) if pointer or typed else None

    def fault(self, text: str, *, cut: bool) -> Fault | None:
        """What is wrong with this answer; None is nothing. `cut`: only its beginning was read."""
        try:
            answer = orjson.loads(text.removeprefix("\ufeff"))
        except orjson.JSONDecodeError as error:
            return Fault(CUT, "") if cut else Fault(NOT_JSON, error.msg)
        found = value_at(self.pointer, answer)
        return None if is_same(found, self.value) else Fault(DIFFERS, self._difference(found))

    def _difference(self, found: Any) -> str:
        return _("%(pointer)s: required is %(value)s, found is %(found)s") % {
            "pointer": self.pointer or _("whole answer"),
            "value": orjson.dumps(self.value).decode()[:SHOWN],
            "found": _kind(found, self.value),
        }


def is_pointer(text: str) -> bool:
    return _POINTER.fullmatch(text) is not None


def meant_by(typed: str) -> Any:
    """true, 0 and "ok" are JSON; what is no JSON is meant as text, so that quotes may be left out."""
    try:
        return orjson.loads(typed)
    except orjson.JSONDecodeError:
        return typed


def value_at(pointer: str, document: Any) -> Any:
    """What a valid pointer leads to; `_MISSING`, which equals nothing, where it leads nowhere."""
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict):
            document = document.get(name, _MISSING)
        elif isinstance(document, list) and _INDEX.fullmatch(name) and int(name) < len(document):
            document = document[int(name)]
        else:
            return _MISSING
    return document


def is_same(one: Any, other: Any) -> bool:
    """Equal as JSON: true is not 1, "0" is not 0, but 1.0 is 1."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same(value, other[name]) for name, value in one.items())
    return _type(one) == _type(other) and bool(one == other)


def _type(value: Any) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return "number" if number else type(value).__name__


def _kind(found: Any, required: Any) -> str:
    """What was found, without its content."""
    if found is _MISSING:
        return _("nothing")
    if found is None or isinstance(found, bool):
        return orjson.dumps(found).decode()
    if _type(found) == _type(required):
        return _("another value")
    kinds = {"number": _("a number"), "str": _("a text"), "list": _("a list"), "dict": _("an object")}
    return kinds[_type(found)]
