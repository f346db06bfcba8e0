"""The one door out, against servers that behave badly on purpose."""

import errno
import gzip
import os
import socket
import struct
import threading
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import requests
import responses

from connections import http
from connections.errors import Permanent, Temporary
from tests.connections.loopback import OK, Authority, Loopback, answering, breaking_off, drip, flood

QUICK = http.Limits(connect_seconds=2, read_seconds=0.3, whole_seconds=0.5, answer_bytes=200_000)
RECEIVER = replace(QUICK, answer_bytes=1000, truncate=True)
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def serve():
    """Start a `Loopback` with this handler; all end with the test."""
    servers = []

    def start(handler, context=None):
        servers.append(Loopback(handler, context))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture(autouse=True)
def fresh_connections():
    http._adapter.cache_clear()
    yield
    http._adapter(os.getpid(), "").close()
    http._adapter.cache_clear()


@pytest.fixture
def resolver(monkeypatch):
    """Let names resolve as a test says: name -> list of (address, port). Counts the questions."""
    known, asked = {}, []

    def getaddrinfo(host, port, *args, **kwargs):
        asked.append(host)
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (address, port),
            )
            for address, port in known[host]
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    known["asked"] = asked
    return known


def call(url, limits=QUICK, method="POST", body=b"{}", **headers):
    return http.request(method, url, headers=headers, body=body, limits=limits)


def failure(url, limits=QUICK, **more):
    with pytest.raises((Temporary, Permanent)) as caught:
        call(url, limits, **more)
    return type(caught.value), caught.value.code


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
    monkeypatch.setattr(http, "IDLE_SECONDS", 0)

    call(server.url)
    call(server.url)

    assert server.accepted == 2


def test_another_process_never_uses_our_connections(serve, monkeypatch):
    server = serve(answering(OK))
    call(server.url)
    monkeypatch.setattr(os, "getpid", lambda: -1)

    call(server.url)

    assert server.accepted == 2
    http._adapter(-1, "").close()


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
    pytest.param(drip(ENDLESS, b"x"), None, id="dripping"),
    pytest.param(breaking_off(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf"), None, id="broken off"),
    pytest.param(breaking_off(CHUNKED + b"zz\r\n"), None, id="no chunk"),
    pytest.param(answering(OK), b"ok", id="short"),
]


@pytest.mark.parametrize(("handler", "body"), RECEIVED)
def test_of_a_receivers_answer_the_status_counts_and_the_beginning_is_kept(serve, handler, body):
    answer = call(serve(handler).url, RECEIVER)

    assert answer.status == 200
    assert body is None or answer.body == body


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
    [(b"gzip", gzip.compress(b"[1]")), (b"deflate", zlib.compress(b"[1]")), (b"identity", b"[1]")],
)
def test_a_compressed_answer_is_understood_all_the_same(serve, encoding, body):
    assert call(serve(compressed(encoding, body)).url).body == b"[1]"


@pytest.mark.parametrize(
    ("encoding", "body", "expected"),
    [
        (b"gzip", gzip.compress(b"0" * 50_000_000), (Permanent, "too_large")),
        (b"gzip", b"no gzip", (Temporary, "broken_answer")),
        (b"br", b"x", (Temporary, "broken_answer")),
    ],
)
def test_a_bomb_or_a_strange_compression_is_not_unpacked(serve, encoding, body, expected):
    assert failure(serve(compressed(encoding, body)).url, replace(QUICK, whole_seconds=10)) == expected


# --- Where we may go ------------------------------------------------------------------------------------


def test_a_blocked_address_is_not_even_connected_to(serve, settings):
    settings.ALLOWED_NETWORKS = []
    server = serve(answering(OK))

    assert failure(server.url) == (Permanent, "blocked_address")
    assert server.accepted == 0


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.1", "localhost", "[::1]", "0"])
def test_every_way_to_write_loopback_is_seen_through(serve, settings, host):
    settings.ALLOWED_NETWORKS = []
    server = serve(answering(OK))

    assert failure(f"http://{host}:{server.port}/") == (Permanent, "blocked_address")
    assert server.accepted == 0


def test_one_refused_address_among_many_refuses_the_name(resolver):
    resolver["mixed.example"] = [("8.8.8.8", 443), ("10.0.0.1", 443)]

    assert failure("https://mixed.example/") == (Permanent, "blocked_address")


def test_a_name_is_asked_for_once_and_that_answer_is_connected_to(serve, resolver):
    server = serve(answering(OK))
    resolver["rebinding.example"] = [("127.0.0.1", server.port)]

    assert call(f"http://rebinding.example:{server.port}/").status == 200
    assert resolver["asked"] == ["rebinding.example"]
    assert b"Host: rebinding.example" in server.requests[0]


def test_plain_http_stays_inside_the_allowed_networks(resolver):
    resolver["public.example"] = [("8.8.8.8", 80)]

    assert failure("http://public.example/") == (Permanent, "plain_http")


def test_the_next_address_is_tried_when_one_does_not_answer(serve, resolver):
    server = serve(answering(OK))
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = closed.getsockname()[1]
    resolver["two.example"] = [("127.0.0.1", nobody), ("127.0.0.1", server.port)]

    assert call("http://two.example/").status == 200


@pytest.mark.parametrize("host", ["nosuch.example", "a" * 70 + ".example"])
def test_a_name_nobody_knows(host):
    assert failure(f"https://{host}/") == (Temporary, "dns")


def test_a_resolver_that_never_answers_does_not_hold_us(monkeypatch):
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: answered.wait(10) and [])

    assert failure("https://slow.example/", replace(QUICK, connect_seconds=0.1)) == (Temporary, "dns")
    answered.set()


def test_nothing_listens():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    assert failure(f"http://127.0.0.1:{port}/") == (Temporary, "not_listening")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "unreachable"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "unreachable"),
        (TimeoutError("timed out"), "timeout"),
    ],
)
def test_no_way_to_the_address(monkeypatch, error, code):
    def connect(sock, address):
        raise error

    monkeypatch.setattr(socket.socket, "connect", connect)

    assert failure("http://127.0.0.1:9/") == (Temporary, code)


# --- TLS ------------------------------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


def test_the_certificate_is_checked_against_the_name_whatever_the_address(
    serve, settings, authority, resolver
):
    settings.CA_BUNDLE = str(authority.path)
    server = serve(answering(OK), authority.server_context("shop.example"))
    for name in ("shop.example", "other.example"):
        resolver[name] = [("127.0.0.1", server.port)]

    assert call(f"https://shop.example:{server.port}/").status == 200
    assert failure(f"https://other.example:{server.port}/") == (Temporary, "tls")
    assert len(server.requests) == 1
    http._adapter(os.getpid(), settings.CA_BUNDLE).close()


def test_an_unknown_authority_and_an_expired_certificate_are_refused(serve, settings, authority, resolver):
    unknown = serve(answering(OK), authority.server_context("shop.example"))
    expired = serve(answering(OK), authority.server_context("shop.example", days=-1))
    resolver["shop.example"] = [("127.0.0.1", unknown.port)]
    assert failure(f"https://shop.example:{unknown.port}/") == (Temporary, "tls")

    settings.CA_BUNDLE = str(authority.path)
    resolver["shop.example"] = [("127.0.0.1", expired.port)]
    with pytest.raises(Temporary) as caught:
        call(f"https://shop.example:{expired.port}/")

    assert (caught.value.code, caught.value.detail) == ("tls", "certificate has expired")


def test_a_server_that_speaks_no_tls_has_the_same_word(serve):
    server = serve(lambda server, sock: sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"))

    assert failure(f"https://127.0.0.1:{server.port}/") == (Temporary, "tls")


def test_a_handshake_that_never_comes_ends_in_time(serve):
    server = serve(lambda server, sock: server.stopping.wait(10))

    assert failure(f"https://127.0.0.1:{server.port}/") == (Temporary, "timeout")


# --- Through a proxy ------------------------------------------------------------------------------------


def test_public_names_go_through_the_proxy_and_allowed_networks_do_not(serve, settings, resolver):
    proxy = serve(breaking_off(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"))
    inside = serve(answering(OK))
    settings.PROXY_URL = f"http://user:password@127.0.0.1:{proxy.port}"
    resolver["127.0.0.1"] = [("127.0.0.1", proxy.port)]
    resolver["public.example"] = [("8.8.8.8", 443)]
    resolver["inside.example"] = [("127.0.0.1", inside.port)]

    assert failure("https://public.example/") == (Temporary, "proxy")
    assert failure("https://known-to-the-proxy.example/") == (Temporary, "proxy")
    assert call("http://inside.example/").status == 200
    assert [request.split()[:2] for request in proxy.requests] == [
        [b"CONNECT", b"public.example:443"],
        [b"CONNECT", b"known-to-the-proxy.example:443"],
    ]


def test_what_may_not_be_reached_is_refused_before_the_proxy_is_asked(serve, settings, resolver):
    proxy = serve(answering(OK))
    settings.PROXY_URL = f"http://127.0.0.1:{proxy.port}"
    resolver["private.example"] = [("10.0.0.1", 443)]
    resolver["public.example"] = [("8.8.8.8", 80)]

    assert failure("https://private.example/") == (Permanent, "blocked_address")
    assert failure("http://public.example/") == (Permanent, "plain_http")
    assert proxy.accepted == 0


def test_a_proxy_that_is_not_there(settings, resolver):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    settings.PROXY_URL = f"http://127.0.0.1:{port}"
    resolver["127.0.0.1"] = [("127.0.0.1", port)]
    resolver["public.example"] = [("8.8.8.8", 443)]

    assert failure("https://public.example/") == (Temporary, "proxy")


# --- What an answer tells -------------------------------------------------------------------------------


def answer(**headers):
    return http.Answer(200, requests.structures.CaseInsensitiveDict(headers), b"", 0.1)


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
