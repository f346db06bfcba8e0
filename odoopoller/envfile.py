"""Read a `.env` file: what can be understood, else its line and name, never a value. Needs no package."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from connections import encodings
from connections.encodings import Unreadable

MOST_BYTES = 1_000_000
BLANK = r"[\s\ufeff\u200b]*"
ASSIGNED = re.compile(rf"{BLANK}(?:export\s+)?([A-Za-z0-9_]+){BLANK}=(.*)", re.DOTALL)
# A name without its "=". What has neither an underline nor capitals may be a piece of a secret.
MEANT = re.compile(rf"{BLANK}(?:export\s+)?([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?=[\s:=])")
NAME = re.compile("[A-Z][A-Z0-9_]*")
COMMENT = re.compile(rf"{BLANK}(?:#.*)?", re.DOTALL)
QUOTED = (
    re.compile(r"'([^']*)'(?:\s*|\s+#.*)", re.DOTALL),
    re.compile(r'"((?:[^"\\]|\\.)*)"(?:\s*|\s+#.*)', re.DOTALL),
    re.compile(r"'(.*)'", re.DOTALL),
    re.compile(r'"(.*)"', re.DOTALL),
)
SURROGATES = re.compile("[\ud800-\udfff]")
IN_NAME_FILE = re.compile("[\x00-\x08\x0e-\x1f\ud800-\udfff]")  # what no text has


class Line(NamedTuple):
    number: int
    name: str
    value: str


def lines(path: Path) -> list[Line]:
    """The lines that give a value, in their order. Raises Unreadable, and OSError where there is no file."""
    try:
        text = text_of(path)
    except Unreadable as error:
        raise Unreadable(f"{path}: {error}.") from None
    return list(_lines(path, text))


def text_of(path: Path) -> str:
    """The text of the file; a byte that is not UTF-8 becomes half a surrogate pair, which its line tells."""
    return encodings.text_of(path, most_bytes=MOST_BYTES, errors="surrogateescape")


def value_of(path: Path) -> str:
    """The value that a file holds, without the blanks around it. Raises Unreadable and OSError."""
    value = text_of(path).strip()
    if IN_NAME_FILE.search(value):
        raise Unreadable("it is not a text in UTF-8")
    return value


def _lines(path: Path, text: str) -> Iterator[Line]:
    for number, line in enumerate(re.split("\r\n|\n|\r", text), start=1):
        if COMMENT.fullmatch(line):
            continue
        assigned = ASSIGNED.fullmatch(line)
        if assigned is None:
            meant = MEANT.match(line)
            raise _not_understood(path, number, meant[1] if meant else "", _why(line))
        name, value = assigned[1], _unquoted(assigned[2].strip())
        if value is None:
            raise _not_understood(path, number, name, "the quotes around the value do not end the line")
        if SURROGATES.search(value) or "\0" in value:
            raise _not_understood(path, number, name, "its value is not UTF-8: save the file as UTF-8")
        yield Line(number, name, value)


def _why(line: str) -> str:
    if SURROGATES.search(line):
        return "the line is not UTF-8: save the file as UTF-8"
    return "the line is not understood: write NAME=value and nothing before it"


def _unquoted(value: str) -> str | None:
    """Without its quotes, and without a comment behind them; None where they do not end."""
    if not value.startswith(("'", '"')):
        return value
    for pattern in QUOTED:
        if found := pattern.fullmatch(value):
            return found[1] if value[0] == "'" else re.sub(r"\\(.)", _unescaped, found[1])
    return None


def _unescaped(escaped: re.Match[str]) -> str:
    """The sign itself; what would stand for a line break or a tab stays as it is written."""
    return escaped[0] if escaped[1] in "rnt" else escaped[1]


def _not_understood(path: Path, number: int, name: str, why: str) -> Unreadable:
    place = f"{path}, line {number}" + (f", {name}" if NAME.fullmatch(name) else "")
    return Unreadable(f"{place}: {why}.")
