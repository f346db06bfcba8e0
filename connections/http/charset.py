"""Text out of bytes, as their sender meant them: for people to read, so it never fails."""

import codecs
import re
from collections.abc import Iterator
from encodings import normalize_encoding
from encodings.aliases import aliases

UNREADABLE = "\ufffd"
LOOKED_AT = 1024  # bytes in which a page names its own charset
_MARKS = (  # the longer first: UTF-32's begins like UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Python remembers every name that it was ever asked for, known or not, so that strangers must not choose it.
_KNOWN = frozenset({*aliases, *aliases.values(), "cp720", "cp737", "cp874", "koi8_u"})
_IN_HEADER = re.compile(r"charset\s*=\s*[\"']?([\w.:+-]{1,40})", re.IGNORECASE | re.ASCII)
_IN_PAGE = re.compile(rb"(?:charset|encoding)\s*=\s*[\"']?([\w.:+-]{1,40})", re.IGNORECASE)
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # PostgreSQL takes no NUL, UTF-8 no half of a character


def text_of(body: bytes, content_type: str) -> str:
    """By its byte order mark, else by the charset that is named and known, else as UTF-8.

    What cannot be decoded is replaced by U+FFFD.
    """
    decoded = (_decoded(body, name) for name in _names(body, content_type))
    text = next((text for text in decoded if text is not None), "")
    return _UNSTORABLE.sub(UNREADABLE, text.removeprefix("\ufeff"))


def _names(body: bytes, content_type: str) -> Iterator[str]:
    yield from (name for mark, name in _MARKS if body.startswith(mark))
    if found := _IN_HEADER.search(content_type):
        yield found[1]
    if body.lstrip()[:1] == b"<" and (inside := _IN_PAGE.search(body[:LOOKED_AT])):
        name = inside[1].decode("ascii")
        # Readable as it is, so it is not what it says: https://encoding.spec.whatwg.org
        yield "utf-8" if name.lower().startswith(("utf-16", "utf-32")) else name
    yield "utf-8"


def _decoded(body: bytes, name: str) -> str | None:
    """None where there is no such charset."""
    codec = normalize_encoding(name).lower()
    try:
        return body.decode(codec, "replace") if codec in _KNOWN else None
    except (LookupError, ValueError):  # zlib and its like decode to no text
        return None
