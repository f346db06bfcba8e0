"""A text as somebody may read it: unescaped, without tags, accents and case, and where each letter stands."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase
from urllib.parse import unquote_to_bytes

TAG = "\ue000"  # in place of a tag: nothing within a word, a blank between two
ROUNDS = 4  # a text may be escaped by several that hand it on

_PERCENT = (
    "%[0-7][0-9a-f]|%c[2-9a-f]%[89ab][0-9a-f]|%d[0-9a-f]%[89ab][0-9a-f]|%e[0-9a-f](?:%[89ab][0-9a-f]){2}"
    "|%f[0-4](?:%[89ab][0-9a-f]){3}|%[89a-f][0-9a-f]"
)
_JSON = r"\\u(?:d[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|[0-9a-f]{4})|\\x[0-9a-f]{2}|\\[bfnrt\"'/\\]"
_ENTITY = "&(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});?"
_ESCAPE = re.compile(f"{_PERCENT}|{_JSON}|{_ENTITY}", re.IGNORECASE)
_MARKUP = re.compile("<[^<>]*>")
# A letter with the marks that follow it, or one beyond ASCII.
_FOREIGN = re.compile(".[\u0300-\u036f]+|[^\x00-\x7f]", re.DOTALL)
# What a text begins with that is not what it stands for.
MARKS = re.compile(r"[&%\\<]")

_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
# Letters that no standard takes apart.
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe"})
_UNSEEN = {"Mn", "Cf"}  # accents; soft hyphens, joiners and the like


@dataclass(frozen=True, slots=True)
class View:
    """`spans`: from where to where each character of `text` stands in the text that was given; or unknown."""

    text: str
    spans: list[tuple[int, int]] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where the characters from `start` to before `end` stand."""
        spans = self.spans or []
        return spans[start][0], spans[end - 1][1]


def views(text: str, *, located: bool) -> Iterator[View]:
    """As it stands, then decoded once, twice, ...; each also without its tags. All are folded.

    `located`: with its spans, which takes several times as long.
    """
    view = View(text, [(at, at + 1) for at in range(len(text))] if located else None)
    for _ in range(ROUNDS):
        yield _folded(view)
        if "<" in view.text:
            yield _folded(_replaced(view, _MARKUP, lambda tag: TAG))
        decoded = _replaced(view, _ESCAPE, _decoded)
        if decoded.text == view.text:
            return
        view = decoded


def fold(text: str) -> str:
    """Without case and accents: as it is compared."""
    return _folded(View(text, None)).text


def _folded(view: View) -> View:
    plain = _replaced(view, _FOREIGN, _plain)
    return View(plain.text.translate(_LOWER), plain.spans)


@lru_cache(maxsize=4096)
def _plain(letter: str) -> str:
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", letter).casefold())
    return "".join(part for part in parts if unicodedata.category(part) not in _UNSEEN).translate(_PLAIN)


def _decoded(escape: str) -> str:
    """The character that an escape stands for; what is none stays as it is."""
    if escape.startswith("&"):
        return html.unescape(escape)
    if escape.startswith("%"):
        raw = unquote_to_bytes(escape)
        return raw.decode("latin-1" if len(raw) == 1 else "utf-8", "replace")
    if escape[1].lower() in "ux":
        return _of_units(re.findall("[0-9a-fA-F]{2,4}", escape))
    return " " if escape[1] in "bfnrt" else escape[1]


def _of_units(digits: list[str]) -> str:
    """Of one or two UTF-16 units in hexadecimal."""
    raw = b"".join(int(unit, 16).to_bytes(2, "big") for unit in digits)
    return raw.decode("utf-16-be", "replace")


def _replaced(view: View, pattern: re.Pattern[str], meaning: Callable[[str], str]) -> View:
    """Every match becomes its meaning, each character of which stands where the match stood."""
    if view.spans is None:
        return View(pattern.sub(lambda found: meaning(found[0]), view.text), None)
    texts: list[str] = []
    spans: list[tuple[int, int]] = []
    end = 0
    for found in pattern.finditer(view.text):
        meant = meaning(found[0])
        if meant == found[0]:
            continue  # each of its characters stands where it stood
        texts += [view.text[end : found.start()], meant]
        spans += view.spans[end : found.start()]
        spans += [view.span(*found.span())] * len(meant)
        end = found.end()
    return View("".join([*texts, view.text[end:]]), spans + view.spans[end:])
