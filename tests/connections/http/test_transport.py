"""Where the door lets us through: addresses, certificates, proxies."""

import errno
import socket
import threading
from dataclasses import replace

import pytest

from connections.errors import Permanent, Temporary
from tests.connections.http.calling import QUICK, call, failure
from tests.connections.http.loopback_server import OK, Authority, answering, breaking_off

# --- Where we may go ------------------------------------------------------------------------------------


def test_a_blocked_address_is_not_even_connected_to(serve, settings):
    settings.ALLOWED_NETWORKS = []
    server = serve(answering(OK))

    assert failure(server.url) == (Permanent, "blocked_address")
    assert server.accepted == 0


LOOPBACK = ["127.1", "2130706433", "0x7f.1", "localhost", "[::1]", "0", "0177.0.0.1", "017700000001"]
LOOPBACK += ["0x7f000001", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]", "8.8.8.8@127.0.0.1"]


@pytest.mark.parametrize("host", LOOPBACK)
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


def test_a_name_that_changes_its_mind_is_looked_at_again(serve, resolver, settings):
    server = serve(answering(OK, times=1))
    resolver["rebinding.example"] = [("127.0.0.1", server.port)]
    assert call(f"http://rebinding.example:{server.port}/").status == 200

    resolver["rebinding.example"] = [("169.254.169.254", server.port)]
    assert failure(f"http://rebinding.example:{server.port}/") == (Permanent, "blocked_address")


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
