"""A person who is looked for in what is stored: by a whole name, an e-mail address, or both."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_
from typing import Any

import orjson
from django.db.models import F, Func, IntegerField, Q, QuerySet
from django.db.models.functions import Length

from sync.erasure.text_views import MARKS, TAG, View, fold, views

ERASED = "[erased]"
SHORTEST = 3  # characters of a name; what is shorter stands in too many texts
BLOCKS = ("customer", "shipping_address")

_GAP = rf"[\s+{TAG}]+"  # a form writes a blank as +
_COMMA = rf"[\s{TAG}]*,[\s+{TAG}]*"

Contact = tuple[str, str]  # name and e-mail address


@dataclass(frozen=True)
class Person:
    """Somebody by a whole name or an e-mail address, however written; a part of a word is somebody else.

    `also`: the other of the two. `others`: names of other people in which this one stands. `contacts`: as
    whom (`compared`) an order may name them to be theirs, whatever else is in it.
    """

    text: str
    also: str = ""
    others: tuple[str, ...] = ()
    contacts: frozenset[Contact] = frozenset()

    @cached_property
    def texts(self) -> list[str]:
        return [text for text in (self.text, self.also) if _words(text)]

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """On folded text. The group `who` is this person; a match without it is one of the others."""
        longest_first = sorted(self.others, key=len, reverse=True)
        somebody_else = "".join(f"{_written(text)}|" for text in longest_first)
        return re.compile(f"{somebody_else}(?P<who>{'|'.join(map(_written, self.texts)) or '(?!)'})")

    @cached_property
    def longest_words(self) -> list[str]:
        """Folded. A text in which none of them stands, nor a mark, does not hold the person."""
        return [max(_words(text), key=len) for text in self.texts]

    def is_in(self, value: Any) -> bool:
        """In a text, or in any text of what JSON holds."""
        texts = list(_texts(value))
        # All of them at once first: that is quick, and most hold nobody.
        return self.may_be_in("\n".join(texts)) and any(map(self._is_in_text, texts))

    def is_of(self, body: bytes) -> bool:
        """Whether the order of this payload is theirs, or speaks of them."""
        payload = parsed(body)
        return any(compared(each) in self.contacts for each in contacts(payload)) or self.is_in(payload)

    def may_be_in(self, text: str) -> bool:
        """Whether it needs a closer look: most texts can be passed over at once."""
        if MARKS.search(text):
            return True
        plain = text.lower() if text.isascii() else fold(text)
        return any(word in plain for word in self.longest_words)

    def without(self, value: Any) -> Any:
        """The same with the person replaced in every text."""
        if isinstance(value, str):
            return _without(value, self._spans(value)) if self.is_in(value) else value
        if isinstance(value, dict):
            return {key: self.without(part) for key, part in value.items()}
        return [self.without(part) for part in value] if isinstance(value, list) else value

    def perhaps_in(self, rows: QuerySet[Any], column: str) -> QuerySet[Any]:
        """`may_be_in`, asked of the database."""
        parts = (*filter(str.isascii, self.longest_words), "&", "%", "\\", "<")
        holds_one = (Q(**{f"{column}__icontains": part}) for part in parts)
        measured: QuerySet[Any] = rows.alias(octets=_Octets(column), characters=Length(column))
        return measured.filter(reduce(or_, holds_one, Q(octets__gt=F("characters"))))

    def _is_in_text(self, text: str) -> bool:
        return any(True for _ in self._matches(text, located=False))

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where they stand in it, each time once for every way of reading it that shows them."""
        return (view.span(*found.span()) for view, found in self._matches(text, located=True))

    def _matches(self, text: str, *, located: bool) -> Iterator[tuple[View, re.Match[str]]]:
        for view in views(text, located=located) if self.may_be_in(text) else ():
            yield from ((view, found) for found in self.pattern.finditer(view.text) if found["who"])


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def parsed(body: bytes) -> Any:
    """What a payload holds; one that is no JSON as its text."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode("utf-8", "replace")


def contacts(payload: Any) -> Iterator[Contact]:
    """The people whom an order is for, as they stand in it."""
    for block in BLOCKS if isinstance(payload, dict) else ():
        contact = payload.get(block)
        if isinstance(contact, dict):
            yield str(contact.get("name") or ""), str(contact.get("email") or "")


def compared(contact: Contact) -> Contact:
    """Equal for everybody who is the same, however they are written."""
    name, email = contact
    return " ".join(_words(name)), fold(email).strip()


def _written(text: str) -> str:
    """A pattern on folded text: the words one after the other; of a name also "last, first"."""
    words = [rf"{TAG}*".join(map(re.escape, word)) for word in _words(text)]
    if "@" in text:
        return rf"(?<![\w.+@-]){_GAP.join(words)}(?![\w@-]|\.\w)"
    turned = [_GAP.join(words[at:]) + _COMMA + _GAP.join(words[:at]) for at in range(1, len(words))]
    return rf"(?<![^\W_])(?:{'|'.join([_GAP.join(words), *turned])})(?![^\W_])"


def _words(text: str) -> list[str]:
    return _in_order(fold(text)).split()


def _in_order(name: str) -> str:
    """Pérez, Ana is Ana Pérez."""
    last, _, first = name.partition(",")
    return f"{first} {last}" if last.strip() and first.strip() and "," not in first else name


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text with `ERASED` in place of every span, of which some may overlap."""
    parts, end = [], 0
    for start, stop in sorted(spans):
        if start >= end:
            parts += [text[end:start], ERASED]
        end = max(end, stop)
    return "".join([*parts, text[end:]])


class _Octets(Func):
    """How long a text is in bytes: more than in characters where it is not ASCII."""

    function = "OCTET_LENGTH"
    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        # SQLite has OCTET_LENGTH since 3.43 only.
        template = "LENGTH(CAST(%(expressions)s AS BLOB))"
        return super().as_sql(compiler, connection, template=template, **context)
