"""Interim answers (1xx), which a server may send unasked: the final answer is read, on both sides."""

from dataclasses import replace

import pytest

from connections.errors import Temporary
from connections.http.client import ODOO_LIMITS, RECEIVER_LIMITS
from connections.odoo import jsonrpc
from connections.receiver.delivery import Receiver, Verdict, deliver
from tests.conftest import NOON
from tests.connections.http.calling import QUICK, call, failure
from tests.connections.http.loopback_server import OK, answering, breaking_off, drip, flood
from tests.connections.odoo.sessions import line_to

HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\nContent-Length: 5\r\n\r\n"
PROCESSING = b"HTTP/1.1 102 Processing\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
UNKNOWN = b"HTTP/1.1 199 Whatever\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
VERSION = b'HTTP/1.1 200 OK\r\nContent-Length: 38\r\n\r\n{"result": {"server_version": "17.0"}}'
REFUSED = b"HTTP/1.1 422 Unprocessable\r\nContent-Length: 7\r\n\r\nno code"

BEFORE = {
    "hints": HINTS,
    "processing": PROCESSING,
    "one that nobody knows": UNKNOWN,
    "several of each": CONTINUE + PROCESSING + HINTS + PROCESSING + CONTINUE + HINTS,
    "as many as a minute of processing gives": PROCESSING * 60,
}


@pytest.mark.parametrize("before", [pytest.param(b, id=name) for name, b in BEFORE.items()])
@pytest.mark.parametrize("limits", [ODOO_LIMITS, RECEIVER_LIMITS], ids=["odoo", "receiver"])
def test_the_final_answer_counts(serve, before, limits):
    server = serve(answering(before + OK))

    for _ in range(3):
        answer = call(server.url, limits)
        assert (answer.status, answer.body) == (200, b"ok")
    assert server.accepted == 1, "the connection is as good as before"


def test_a_receiver_that_gives_hints_has_the_order_once(serve):
    server = serve(answering(HINTS + OK))

    outcome = deliver(Receiver(server.url, "1", "secret", True), b"{}", event_id="evt_1", now=NOON)

    assert (outcome.verdict, outcome.status, outcome.answer) == (Verdict.DELIVERED, 200, "ok")
    assert len(server.requests) == 1


def test_a_refusal_after_hints_is_a_refusal(serve):
    server = serve(answering(PROCESSING + REFUSED))

    outcome = deliver(Receiver(server.url, "1", "secret", True), b"{}", event_id="evt_1", now=NOON)

    assert (outcome.verdict, outcome.answer) == (Verdict.REFUSED, "no code")


def test_odoo_behind_a_proxy_that_gives_hints_is_read(serve):
    line = line_to(serve(answering(HINTS + PROCESSING + VERSION)).url)

    assert jsonrpc.call(line, "common", "version", []) == {"server_version": "17.0"}


ENDLESS = [
    pytest.param(flood(b"", HINTS), (Temporary, "broken_answer"), id="a flood"),
    pytest.param(flood(b"", CONTINUE), (Temporary, "broken_answer"), id="a flood of 100"),
    pytest.param(drip(b"", HINTS), (Temporary, "timeout"), id="a drip"),
    pytest.param(drip(HINTS + b"HTTP/1.1 103 x\r\n", b"X: x\r\n"), (Temporary, "timeout"), id="an open head"),
    pytest.param(
        flood(b"", b"HTTP/1.1 103 x\r\nX: " + b"x" * 30_000 + b"\r\n\r\n"), (Temporary, "broken_answer")
    ),
    pytest.param(breaking_off(HINTS), (Temporary, "disconnected"), id="nothing more"),
    pytest.param(
        breaking_off(HINTS + b"SSH-2.0\r\n\r\n"), (Temporary, "broken_answer"), id="no HTTP after it"
    ),
]


@pytest.mark.parametrize(("handler", "expected"), ENDLESS)
def test_interim_answers_without_a_final_one_end_within_the_limits(serve, handler, expected):
    quick = replace(QUICK, read_seconds=5, whole_seconds=5) if expected[1] == "broken_answer" else QUICK

    assert failure(serve(handler).url, quick) == expected


def test_a_switch_of_protocols_nobody_asked_for_is_an_answer_and_ends_the_connection(serve):
    server = serve(answering(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"))

    for _ in range(2):
        outcome = deliver(Receiver(server.url, "1", "secret", True), b"{}", event_id="evt_1", now=NOON)
        assert (outcome.verdict, outcome.status, outcome.code) == (Verdict.AGAIN, 101, "receiver_error")
    assert server.accepted == 2


def test_our_own_proxy_may_send_them_too(serve, settings, resolver):
    proxy = serve(breaking_off(PROCESSING + HINTS + b"HTTP/1.1 200 Connected\r\n\r\n"))
    settings.PROXY_URL = f"http://127.0.0.1:{proxy.port}"
    resolver["127.0.0.1"] = [("127.0.0.1", proxy.port)]
    resolver["public.example"] = [("8.8.8.8", 443)]

    # The tunnel stands: what fails is the handshake behind it, which this proxy does not make.
    assert failure("https://public.example/")[1] != "proxy"
