"""What the fuzzer feeds: each takes bytes a server may have sent, and may raise nothing."""

from __future__ import annotations

import contextlib
import gzip
import json
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from unicodedata import category
from zoneinfo import ZoneInfo

import orjson
from requests.structures import CaseInsensitiveDict

from connections.errors import RemoteError
from connections.http import compression
from connections.http.charset import text_of
from connections.http.client import Answer
from connections.odoo import responses
from connections.odoo.probe import _version
from sync.events import payload
from sync.polling import window
from sync.sources.odoo import mapping
from sync.sources.odoo.fields import specification
from sync.sources.odoo.values import Misfit
from tests.doubles.recorded_odoo import VERSIONS, RecordedOdoo

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MOST_BYTES = 100_000
STATUSES = (200, 200, 200, 302, 400, 401, 404, 410, 429, 500, 503)


def whole_answer(data: bytes) -> None:
    """An answer of either protocol; its first byte chooses the status."""
    answer = Answer(STATUSES[data[0] % len(STATUSES)] if data else 200, CaseInsensitiveDict(), data[1:], 0.1)
    for judge in (responses.rpc_result, responses.json2_result, responses.page_result):
        try:
            result = judge(answer, NOW)
        except RemoteError as error:
            _check(error)
            continue
        for shape in (responses.records, responses.mapping, responses.whole_number, _version):
            with contextlib.suppress(RemoteError):
                shape(result)


def whole_order(data: bytes) -> None:
    """A record as an order: what becomes one makes a body that others can read, and the same hash twice."""
    try:
        order = mapping.order(_record(data))
    except Misfit:
        return
    content = payload.content(order, database="shop")
    again = json.loads(orjson.dumps(content), parse_constant=_no_number)
    if payload.content_hash(again) != payload.content_hash(content):
        raise AssertionError("the content changes on its way through JSON")
    order.write_date.astimezone(ZoneInfo("Pacific/Kiritimati"))


def headers(data: bytes) -> None:
    """What we read in headers: the server's clock, when to come back, where a redirect leads."""
    text = data.decode("latin-1")
    told = CaseInsensitiveDict({"Date": text, "Retry-After": text, "Location": text, "Content-Type": text})
    answer = Answer(200, told, b"", 0.1)
    server_time = answer.server_time
    if server_time is not None:
        end = window.read_at(server_time, 60)
        window.since(end, 86_400)
        window.clock_ran_back(end, NOW, server_now=server_time, now=NOW)
    wait = answer.retry_at(NOW)
    if wait is not None and not NOW <= wait <= NOW.replace(day=22):
        raise AssertionError("a wait without an end")
    for status in (302, 429, 503):
        _check(responses.status_error(Answer(status, told, b"", 0.1), NOW))


def bodies(data: bytes) -> None:
    """A body as it came, behind what its headers say of it: unpacked within a size, and text to be stored."""
    named, _, body = data.partition(b"\n")
    coding, _, kind = named.decode("latin-1").partition("|")
    applied = compression.codings(coding)
    beginning = compression.unpack_beginning(body, applied, MOST_BYTES)
    if len(beginning) > max(MOST_BYTES, len(body)):
        raise AssertionError("more than was allowed")
    with contextlib.suppress(ValueError):
        if len(compression.unpack(body, applied, MOST_BYTES)) > max(MOST_BYTES, len(body)):
            raise AssertionError("more than was allowed")
    text = text_of(beginning, kind)
    text.encode()
    if "\0" in text:
        raise AssertionError("a text that cannot be stored")


def _check(error: RemoteError) -> None:
    harmful = {"Cc", "Cs"} & set(map(category, error.detail))
    if harmful or len(error.detail) > 500:
        raise AssertionError("a detail that cannot be shown")


def _record(data: bytes) -> dict[str, Any]:
    try:
        record = orjson.loads(data)
    except orjson.JSONDecodeError:
        return {}
    return record if isinstance(record, dict) else {}


def _no_number(text: str) -> float:
    raise AssertionError(f"{text} is no JSON")


def seeds(target: str) -> Iterator[bytes]:
    """Real answers to begin with."""
    if target == "headers":
        yield from (b"Fri, 20 Nov 2026 12:00:00 GMT", b"120", b"https://shop.example.com/web/login")
        return
    if target == "bodies":
        said = "Código «ñandú»".encode("utf-16")
        yield b"gzip|text/plain; charset=utf-16\n" + gzip.compress(said[:9]) + gzip.compress(said[9:])
        yield b"deflate, gzip|text/html\n" + gzip.compress(zlib.compress(b"<meta charset=latin1>\xf1")[2:-4])
        return
    for version in VERSIONS:
        odoo = RecordedOdoo(version)
        wanted = specification(odoo.server.fields)
        found = odoo.web_search_read("sale.order", domain=[], specification=wanted, order="id")
        for record in found[:10]:
            body = orjson.dumps(record)
            yield body if target == "orders" else b'\0{"result": {"records": [' + body + b"]}}"
    if target == "answers":
        yield b'\0{"error": {"data": {"name": "builtins.ValueError", "message": "no", "debug": ""}}}'
        yield b'\0{"result": {"server_version": "17.0", "server_serie": "saas~18.2"}}'


TARGETS = {"answers": whole_answer, "orders": whole_order, "headers": headers, "bodies": bodies}
