"""Bodies that came compressed although we ask for none: unpacked, never beyond a size."""

import codecs
import zlib
from collections.abc import Sequence

KNOWN = frozenset({"gzip", "x-gzip", "deflate"})
MOST_CODINGS = 3  # one over another, as when an application and its reverse proxy both compress
# RFC 1952 allows any number of members in one body; a bomb may consist of empty ones.
MOST_MEMBERS = 20_000
PIECE_BYTES = 16 * 1024  # zlib copies what follows a member, so it is given little at once
GZIP_OR_ZLIB, RAW = 47, -15  # "deflate" means zlib's form, yet some servers send it without its head
GZIP_MAGIC = b"\x1f\x8b"
LOOKED_AT = 64


def codings(header: str) -> list[str]:
    """The names in a Content-Encoding header, in the order in which they were applied."""
    names = [name.strip().lower() for name in header.split(",")]
    return [name for name in names if name not in ("", "identity")]


def unpack(body: bytes, applied: Sequence[str], size: int) -> bytes:
    """At most `size` bytes of the body as it was before these codings. Raises ValueError, which says why."""
    if not can_unpack(applied):
        raise ValueError("compressed in a way we did not ask for")
    for _ in applied:
        found, fault, ended = _inflate(body, GZIP_OR_ZLIB, size)
        if fault:
            found, fault, ended = _inflate(body, RAW, size)
            fault = fault or not (ended or len(found) == size)
        if fault:
            raise ValueError("compressed and damaged")
        body = found
    return body


def unpack_beginning(body: bytes, applied: Sequence[str], size: int) -> bytes:
    """The same of a body that may be cut off, as far as it goes; what cannot be unpacked stays as it is."""
    if not can_unpack(applied):
        return body
    for _ in applied:
        body = _inflate(body, GZIP_OR_ZLIB, size)[0] or _raw_beginning(body, size)
    return body


def can_unpack(applied: Sequence[str]) -> bool:
    return len(applied) <= MOST_CODINGS and KNOWN.issuperset(applied)


def _raw_beginning(body: bytes, size: int) -> bytes:
    """A raw stream has no mark of its own, and a text that was never compressed may pass for one."""
    if _is_text(body):
        return body
    found, fault, _ = _inflate(body, RAW, size)
    return body if fault else found


def _is_text(body: bytes) -> bool:
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(body[:LOOKED_AT])
    except UnicodeDecodeError:
        return False
    return all(letter.isprintable() or letter.isspace() for letter in text)


def _inflate(body: bytes, form: int, size: int) -> tuple[bytes, bool, bool]:
    """The unpacked beginning, at most `size` bytes; a fault of zlib or not; the last member's end or not."""
    pieces: list[bytes] = []
    at, left, members, stream = 0, size, 1, zlib.decompressobj(wbits=form)
    while at < len(body) and left > 0:
        piece = body[at : at + PIECE_BYTES]
        try:
            pieces.append(stream.decompress(piece, left))
        except zlib.error:
            return b"".join(pieces), True, False
        left -= len(pieces[-1])
        at += len(piece) - len(stream.unused_data)
        if stream.eof:
            if body[at : at + 2] != GZIP_MAGIC:  # padding, or nothing
                break
            members, stream = members + 1, zlib.decompressobj(wbits=form)
        if members > MOST_MEMBERS:
            return b"".join(pieces), True, False
    return b"".join(pieces), False, stream.eof
