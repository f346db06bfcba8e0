"""The one door out, against servers that behave badly on purpose."""

import gzip
import os
import socket
import struct
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import requests
import responses

from connections.errors import Permanent, Temporary
from connections.http import client as http_client
from connections.http import guard, transport
from tests.connections.http.calling import QUICK, call, failure
from tests.connections.http.loopback_server import OK, answering, breaking_off, drip, flood

RECEIVER = replace(QUICK, answer_bytes=1000, truncate=True)
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


# --- What is sent ---------------------------------------------------------------------------------------


def test_one_call_sends_what_it_was_given_and_who_we_are(serve, settings):
    server = serve(answering(OK))

    answer = call(server.url + "x?y=1", body=b'{"a": 1}', **{"Content-Type": "application/json"})

    assert (answer.status, answer.body) == (200, b"ok")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert lines[0] == "post /x?y=1 http/1.1"
    assert body == b'{"a": 1}'
    assert f"user-agent: odoopoller/{settings.VERSION}" in lines
    assert "accept-encoding: identity" in lines
    assert "content-type: application/json" in lines


def test_connections_are_kept_for_the_next_call(serve):
    server = serve(answering(OK))

    for _ in range(3):
        call(server.url)

    assert (len(server.requests), server.accepted) == (3, 1)


def test_a_connection_that_was_idle_for_long_is_not_used_again(serve, monkeypatch):
    server = serve(answering(OK))
    monkeypatch.setattr(transport, "IDLE_SECONDS", 0)

    call(server.url)
    call(server.url)

    assert server.accepted == 2


def test_another_process_never_uses_our_connections(serve, monkeypatch):
    server = serve(answering(OK))
    call(server.url)
    monkeypatch.setattr(os, "getpid", lambda: -1)

    call(server.url)

    assert server.accepted == 2


def test_cookies_are_never_sent_back(serve):
    server = serve(
        answering(b"HTTP/1.1 200 OK\r\nSet-Cookie: session_id=x; Path=/\r\nContent-Length: 0\r\n\r\n")
    )

    call(server.url)
    call(server.url)

    assert b"cookie" not in server.requests[1].lower()


def test_proxies_and_logins_of_the_environment_are_not_for_us(serve, monkeypatch, tmp_path):
    server = serve(answering(OK))
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password secret")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))

    assert call(server.url).status == 200
    assert b"authorization" not in server.requests[0].lower()


def test_redirects_are_answers_and_their_endless_body_is_not_read(serve):
    elsewhere = serve(answering(OK))
    head = f"HTTP/1.1 302 Found\r\nLocation: {elsewhere.url}\r\n\r\n".encode()
    server = serve(flood(head, b"x" * 1000))

    answer = call(server.url, RECEIVER)

    assert (answer.status, len(answer.body)) == (302, 1000)
    assert elsewhere.accepted == 0


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/",
        "127.0.0.1/x",
        "https://",
        "https://[::1",
        "https://exa mple.com/",
        "https://127.0.0.1:99999/",
    ],
)
def test_an_address_that_cannot_be_sent_to(url):
    assert failure(url) == (Permanent, "unsendable")


@pytest.mark.parametrize("value", ["two\r\nlines", "€", " leading"])
def test_a_header_that_cannot_be_sent_is_not_shown(serve, value):
    server = serve(answering(OK))

    with pytest.raises(Permanent) as caught:
        call(server.url, **{"X-Webhook-Secret": value})

    assert caught.value.code == "unsendable"
    assert value not in str(caught.value)


# --- Slow, endless, broken ------------------------------------------------------------------------------

ENDLESS = b"HTTP/1.1 200 OK\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
SLOW = [
    pytest.param(drip(b"", b""), id="silence"),
    pytest.param(drip(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"), id="header drips"),
    pytest.param(drip(b"HTTP/1.1 200 OK\r\n", b"X-More: x\r\n"), id="header lines drip"),
    pytest.param(drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), id="continue for ever"),
    pytest.param(drip(ENDLESS, b"x"), id="body drips"),
    pytest.param(drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"x"), id="body of a length drips"),
    pytest.param(drip(CHUNKED, b"1\r\nx\r\n"), id="chunks drip"),
]


@pytest.mark.parametrize("handler", SLOW)
def test_the_whole_call_ends_in_time_however_slowly_something_comes(serve, handler):
    assert failure(serve(handler).url) == (Temporary, "timeout")


def test_when_the_time_is_up_nothing_is_waited_for():
    replace(QUICK, whole_seconds=0).begin_call()

    with pytest.raises(TimeoutError):
        guard.call.seconds_left()


def test_a_receiver_that_never_reads_does_not_hold_us(serve):
    server = serve(lambda server, sock: server.stopping.wait(10))

    assert failure(server.url, body=b"x" * 20_000_000) == (Temporary, "timeout")


def reset(server, sock):
    server.receive(sock)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


BROKEN = [
    ("no answer at all", lambda server, sock: server.receive(sock), (Temporary, "disconnected")),
    ("a reset", reset, (Temporary, "disconnected")),
    (
        "less than was promised",
        breaking_off(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf"),
        (Temporary, "disconnected"),
    ),
    ("another protocol", breaking_off(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"), (Temporary, "broken_answer")),
    ("a status that is none", breaking_off(b"HTTP/1.1 abc OK\r\n\r\n"), (Temporary, "broken_answer")),
    ("a huge header", flood(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 5000), (Temporary, "broken_answer")),
    (
        "endless headers",
        flood(b"HTTP/1.1 200 OK\r\n", b"X: " + b"x" * 5000 + b"\r\n"),
        (Temporary, "broken_answer"),
    ),
    (
        "many headers",
        answering(b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 150 + b"\r\n"),
        (Temporary, "broken_answer"),
    ),
    (
        "chunks without a size",
        breaking_off(CHUNKED + b"zz\r\n"),
        (Temporary, "disconnected"),
    ),
    (
        "two lengths",
        breaking_off(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nxx"),
        (Temporary, "broken_answer"),
    ),
    ("an endless body", flood(ENDLESS, b"x" * 10_000), (Permanent, "too_large")),
    ("endless trailers", flood(CHUNKED + b"0\r\n", b"X: " + b"x" * 5000 + b"\r\n"), (Permanent, "too_large")),
    (
        "endless chunks",
        flood(CHUNKED, b"400\r\n" + b"x" * 1024 + b"\r\n"),
        (Permanent, "too_large"),
    ),
]


@pytest.mark.parametrize(("handler", "expected"), [pytest.param(*c[1:], id=c[0]) for c in BROKEN])
def test_a_broken_answer_has_its_word(serve, handler, expected):
    generous = replace(QUICK, read_seconds=5, whole_seconds=5)

    assert failure(serve(handler).url, generous) == expected


def test_a_body_just_below_the_limit_is_read(serve):
    body = b"x" * QUICK.answer_bytes
    server = serve(answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body))

    assert call(server.url).body == body


RECEIVED = [
    pytest.param(flood(ENDLESS, b"x" * 1000), b"x" * 1000, id="endless"),
    pytest.param(drip(ENDLESS, b"x"), b"", id="dripping"),
    pytest.param(
        breaking_off(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf"), b"half", id="broken off"
    ),
    pytest.param(breaking_off(CHUNKED + b"zz\r\n"), b"", id="no chunk"),
    pytest.param(answering(OK), b"ok", id="short"),
]


@pytest.mark.parametrize(("handler", "body"), RECEIVED)
def test_of_a_receivers_answer_the_status_counts_and_the_beginning_is_kept(serve, handler, body):
    answer = call(serve(handler).url, RECEIVER)

    assert answer.status == 200
    assert answer.body == body


def test_a_kept_connection_that_the_server_drops_is_replaced_at_once(serve):
    server = serve(answering(OK, times=1))  # the second request of a connection gets no answer

    assert call(server.url).status == 200
    assert call(server.url).status == 200
    assert (server.accepted, len(server.requests)) == (2, 3)


def test_a_new_connection_that_is_dropped_is_not_tried_again(serve):
    server = serve(lambda server, sock: server.receive(sock))

    assert failure(server.url) == (Temporary, "disconnected")
    assert server.accepted == 1


# --- Compression that nobody asked for ------------------------------------------------------------------


def compressed(encoding, body):
    return answering(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n" % (encoding, len(body))
        + body
    )


@pytest.mark.parametrize(
    ("encoding", "body"),
    [(b"gzip", gzip.compress(b"[1]", mtime=0)), (b"deflate", zlib.compress(b"[1]")), (b"identity", b"[1]")],
)
def test_a_compressed_answer_is_understood_all_the_same(serve, encoding, body):
    assert call(serve(compressed(encoding, body)).url).body == b"[1]"


@pytest.mark.parametrize(
    ("encoding", "body", "expected"),
    [
        (b"gzip", gzip.compress(b"0" * 50_000_000, mtime=0), (Permanent, "too_large")),
        (b"gzip", b"no gzip", (Temporary, "broken_answer")),
        (b"br", b"x", (Temporary, "broken_answer")),
    ],
)
def test_an_oversized_or_unknown_compression_is_not_unpacked(serve, encoding, body, expected):
    assert failure(serve(compressed(encoding, body)).url, replace(QUICK, whole_seconds=10)) == expected


# --- What an answer tells -------------------------------------------------------------------------------


def answer(**headers):
    return http_client.Answer(200, requests.structures.CaseInsensitiveDict(headers), b"", 0.1)


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("Fri, 20 Nov 2026 11:59:58 GMT", NOW - timedelta(seconds=2)),
        ("Fri, 20 Nov 2026 12:59:58 +0100", NOW - timedelta(seconds=2)),
        ("Fri, 20 Nov 2026 11:59:58", NOW - timedelta(seconds=2)),
        ("", None),
        ("yesterday", None),
        ("Fri, 99 Nov 2026 11:59:58 GMT", None),
        ("Fri, 20 Nov 99999 11:59:58 GMT", None),
    ],
)
def test_the_servers_clock(date, expected):
    assert answer(date=date).server_time == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("120", timedelta(seconds=120)),
        (" 0 ", timedelta()),
        ("86401", timedelta(hours=24)),
        ("9" * 5000, timedelta(hours=24)),
        ("Fri, 20 Nov 2026 12:05:00 GMT", timedelta(minutes=5)),
        ("Fri, 20 Nov 2026 11:00:00 GMT", timedelta()),
        ("Sun, 20 Dec 2026 12:00:00 GMT", timedelta(hours=24)),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("soon", None),
        ("", None),
    ],
)
def test_when_to_come_back(text, expected):
    assert answer(**{"retry-after": text}).retry_at(NOW) == (expected if expected is None else NOW + expected)


@responses.activate
def test_tests_may_fake_the_other_side_with_responses():
    responses.post("https://odoo.example.com/jsonrpc", json={"result": 1}, headers={"Date": "x"})
    responses.get("https://odoo.example.com/", body=requests.exceptions.ReadTimeout("slow"))

    assert call("https://odoo.example.com/jsonrpc").body == b'{"result": 1}'
    assert failure("https://odoo.example.com/", method="GET", body=None) == (Temporary, "timeout")
    assert failure("https://odoo.example.com/unknown") == (Temporary, "unreachable")
