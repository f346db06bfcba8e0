"""Servers on loopback and names that resolve as a test wants."""

import socket

import pytest
import responses

from connections.http import transport
from tests.connections.http.loopback_server import Loopback
from tests.connections.odoo.shops import Place


@pytest.fixture
def fresh_connections():
    """No connection is left from another test, and none stays behind."""
    transport.adapter.cache_clear()
    yield
    transport.adapter.cache_clear()


@pytest.fixture
def serve(fresh_connections):
    """Start a `Loopback` with this handler; all end with the test."""
    servers = []

    def start(handler, context=None):
        servers.append(Loopback(handler, context))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


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


@pytest.fixture
def mock():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def make_place(mock, clock):
    return lambda version=17, **server: Place(mock, clock, version, **server)
