"""Text files as people save them: UTF-8 with or without its mark, UTF-16, UTF-32. Needs no package."""

from __future__ import annotations

import codecs
from pathlib import Path

MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark is the beginning of this one
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class Unreadable(Exception):
    """A file cannot be understood; the words say why to a person, and hold nothing of its content."""


class TooLong(Unreadable):
    """It is longer than anybody meant it to be."""


def text_of(path: Path, *, most_bytes: int, errors: str = "strict") -> str:
    """The text of a file, without its mark. Raises Unreadable and OSError.

    `errors` is for the bytes of a file in UTF-8 that are none, as in `bytes.decode`.
    """
    with path.open("rb") as file:
        raw = file.read(most_bytes + 1)
    if len(raw) > most_bytes:
        raise TooLong(f"it is longer than {most_bytes // 1_000_000} MB")
    encoding, mark = _encoding(raw)
    try:
        return raw[len(mark) :].decode(encoding, errors if encoding == "utf-8" else "strict")
    except UnicodeDecodeError:
        name = encoding.upper().removesuffix("-LE").removesuffix("-BE")
        raise Unreadable(f"it is not {name}: save it as UTF-8") from None


def _encoding(raw: bytes) -> tuple[str, bytes]:
    for mark, encoding in MARKS:
        if raw.startswith(mark):
            return encoding, mark
    if b"\0" in raw[:2]:  # UTF-16 without its mark
        return ("utf-16-be" if raw.startswith(b"\0") else "utf-16-le"), b""
    return "utf-8", b""
