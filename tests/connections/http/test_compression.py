"""Answers that come compressed unasked: Odoo's are read whole, of a receiver's the beginning."""

import gzip
import random
import zlib

import orjson
import pytest

from connections.errors import Permanent, Temporary
from connections.http import compression
from connections.http.client import ODOO_LIMITS, RECEIVER_LIMITS
from connections.odoo import jsonrpc
from connections.receiver.delivery import Receiver, deliver
from tests.conftest import NOON
from tests.connections.http.calling import QUICK, call, failure
from tests.connections.http.loopback_server import answering, breaking_off
from tests.connections.odoo.sessions import line_to

ORDERS = orjson.dumps({"result": [{"id": number, "name": f"S{number:05}"} for number in range(5000)]})
BIG = bytes(random.Random(1).randbytes(300_000))


def raw(body, level=6):
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    return packer.compress(body) + packer.flush()


def members(body, size):
    """As proxies do that compress each piece they are given."""
    return b"".join(gzip.compress(body[at : at + size], mtime=0) for at in range(0, len(body), size))


def without_end(body):
    """All of the content, and no end of the stream, as after a flush."""
    packer = zlib.compressobj(wbits=31)
    return packer.compress(body) + packer.flush(zlib.Z_SYNC_FLUSH)


def answer(encoding, body, more=b"", status=b"200 OK"):
    head = b"HTTP/1.1 %s\r\nContent-Encoding: %s\r\n%sContent-Length: %d\r\n\r\n"
    return head % (status, encoding, more, len(body)) + body


FORMS = {
    "gzip": (b"gzip", gzip.compress),
    "x-gzip": (b"X-GZip", gzip.compress),
    "gzip with a name in it": (
        b"gzip",
        lambda b: b"\x1f\x8b\x08\x08\0\0\0\0\0\xff" + b"a.json\0" + gzip.compress(b)[10:],
    ),
    "gzip in two members": (b"gzip", lambda b: members(b, len(b) // 2 + 1)),
    "gzip in hundreds of members": (b"gzip", lambda b: members(b, 300)),
    "gzip with empty members": (
        b"gzip",
        lambda b: gzip.compress(b"") * 3 + gzip.compress(b) + gzip.compress(b""),
    ),
    "gzip and padding": (b"gzip", lambda b: gzip.compress(b) + b"\0" * 512),
    "gzip without an end": (b"gzip", without_end),
    "deflate": (b"deflate", zlib.compress),
    "raw deflate": (b"deflate", raw),
    "raw deflate, not packed": (b"deflate", lambda b: raw(b, 0)),
    "deflate that is gzip": (b"deflate", gzip.compress),
    "gzip that is deflate": (b"gzip", zlib.compress),
    "twice": (b"gzip, gzip", lambda b: gzip.compress(gzip.compress(b))),
    "one over the other": (b"deflate , gzip", lambda b: gzip.compress(raw(b))),
    "with identity": (b"identity, gzip", gzip.compress),
    "not at all": (b"identity", lambda b: b),
}


@pytest.mark.parametrize(("encoding", "pack"), [pytest.param(*form, id=name) for name, form in FORMS.items()])
@pytest.mark.parametrize("body", [ORDERS, b"[]", BIG], ids=["orders", "short", "random"])
def test_odoo_behind_a_proxy_that_compresses_is_read_whole(serve, encoding, pack, body):
    server = serve(answering(answer(encoding, pack(body))))

    assert call(server.url, ODOO_LIMITS).body == body


def test_what_a_proxy_did_to_odoo_is_undone_before_it_is_understood(serve):
    marked = b"\xef\xbb\xbf" + b'{"result": {"server_version": "18.0"}}'
    line = line_to(serve(answering(answer(b"gzip", members(marked, 10)))).url)

    assert jsonrpc.call(line, "common", "version", []) == {"server_version": "18.0"}


DAMAGED = {
    "a byte turned over": (b"gzip", gzip.compress(BIG)[:150_000] + b"!" + gzip.compress(BIG)[150_001:]),
    "a wrong checksum": (b"gzip", gzip.compress(ORDERS)[:-8] + b"\0" * 8),
    "a second member that is damaged": (b"gzip", gzip.compress(ORDERS) + b"\x1f\x8b\x08 no"),
    "no gzip": (b"gzip", b"no gzip"),
    "JSON after all": (b"gzip", ORDERS),
    "raw deflate cut off": (b"deflate", raw(ORDERS)[:-100]),
    "something else": (b"br", b"x"),
    "something else over it": (b"gzip, zstd", gzip.compress(b"[]")),
    "four times": (b"gzip,gzip,gzip,gzip", gzip.compress(b"[]")),
}


@pytest.mark.parametrize(("encoding", "body"), [pytest.param(*c, id=name) for name, c in DAMAGED.items()])
def test_what_cannot_be_unpacked_is_told_and_tried_again(serve, encoding, body):
    assert failure(serve(answering(answer(encoding, body))).url, ODOO_LIMITS) == (Temporary, "broken_answer")


SIZE = QUICK.answer_bytes
OVERSIZED = {
    "one member": (b"gzip", gzip.compress(b"0" * 50_000_000)),
    "many members": (b"gzip", gzip.compress(b"0" * 10_000) * 100),
    "raw": (b"deflate", raw(b"0" * 50_000_000)),
    "a bomb in a bomb": (b"gzip, gzip", gzip.compress(gzip.compress(b"0" * 50_000_000))),
    "one byte too many": (b"gzip", gzip.compress(b"0" * (SIZE + 1))),
    "in two": (b"gzip", gzip.compress(b"0" * SIZE) + gzip.compress(b"0")),
}


@pytest.mark.parametrize(("encoding", "body"), [pytest.param(*b, id=name) for name, b in OVERSIZED.items()])
def test_the_limit_holds_for_what_comes_out(serve, encoding, body):
    assert failure(serve(answering(answer(encoding, body))).url) == (Permanent, "too_large")


@pytest.mark.parametrize("pack", [gzip.compress, raw, lambda body: members(body, 50_000)])
def test_just_below_the_limit_is_read(serve, pack):
    assert call(serve(answering(answer(b"deflate", pack(b"0" * SIZE)))).url).body == b"0" * SIZE


def test_endless_empty_members_end():
    with pytest.raises(ValueError, match="damaged"):
        compression.unpack(gzip.compress(b"") * (compression.MOST_MEMBERS + 1), ["gzip"], 1000)


# --- Of a receiver: what people read ----------------------------------------------------------------------

SORRY = ("<p>El código «ñandú» no existe.</p>\n" * 5000).encode()


def shown(serve, handler):
    server = serve(handler)
    outcome = deliver(Receiver(server.url, "1", "secret", True), b"{}", event_id="evt_1", now=NOON)
    assert outcome.status == 422
    return outcome.answer


@pytest.mark.parametrize(("encoding", "pack"), [pytest.param(*form, id=name) for name, form in FORMS.items()])
@pytest.mark.parametrize("body", [SORRY, b'{"error":"no such SKU"}'], ids=["long", "short"])
def test_people_read_what_a_receiver_meant(serve, encoding, pack, body):
    handler = answering(answer(encoding, pack(body), status=b"422 No"))

    assert shown(serve, handler) == body.decode()[:4000]


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, raw, lambda body: members(body, 700)])
def test_of_a_stream_that_breaks_off_the_beginning_is_shown(serve, pack):
    """Beyond what is read of an answer, and broken off on its way."""
    noise = random.Random(2)
    body = b"Error 7: " + b" ".join(b"%d" % noise.randrange(10**12) for _ in range(20_000))
    packed = pack(body)
    assert len(packed) > RECEIVER_LIMITS.answer_bytes
    head = b"HTTP/1.1 422 No\r\nContent-Encoding: deflate\r\nContent-Length: %d\r\n\r\n" % len(packed)

    assert shown(serve, answering(head + packed)) == body.decode()[:4000]
    assert shown(serve, breaking_off(head + packed[:4000])) == body.decode()[:4000]
    assert shown(serve, breaking_off(head + packed[:1000])).startswith("Error 7: ")


AS_IT_IS = {
    "JSON that was never compressed": (b"gzip", b'{"error":"no such SKU"}'),
    "a brace": (b"deflate", b"{}"),
    "a text": (b"gzip", b"Internal error"),
    "something else": (b"br", b"\x0b\x02\x80hi\x03"),
    "nothing": (b"gzip", b""),
}


@pytest.mark.parametrize(("encoding", "body"), [pytest.param(*c, id=name) for name, c in AS_IT_IS.items()])
def test_what_cannot_be_unpacked_is_shown_as_it_is(serve, encoding, body):
    handler = answering(answer(encoding, body, status=b"422 No"))

    assert shown(serve, handler) == body.decode("utf-8", "replace")


@pytest.mark.parametrize(("encoding", "body"), [pytest.param(*b, id=name) for name, b in OVERSIZED.items()])
def test_an_oversized_body_stays_bounded(encoding, body):
    applied = compression.codings(encoding.decode())

    assert compression.unpack_beginning(body, applied, 100_000) == b"0" * 100_000


def test_a_damaged_member_leaves_what_came_before_it():
    body = gzip.compress(b"Error 7") + b"\x1f\x8b\x08 no"

    assert compression.unpack_beginning(body, ["gzip"], 1000) == b"Error 7"


def test_a_secret_that_a_compressed_answer_quotes_is_masked(serve):
    server = serve(answering(answer(b"gzip", gzip.compress(b"got key-7 in full"), status=b"422 No")))

    outcome = deliver(Receiver(server.url, "1", "key-7", True), b"{}", event_id="evt_1", now=NOON)

    assert outcome.answer == "got ******** in full"
