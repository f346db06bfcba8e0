"""Kept-alive connections that keep the limits: what lies between `connections/http/client.py` and a socket.

urllib3 keeps the pools, connects, verifies TLS and talks to proxies. A request that passes no proxy is
written and read here in one go: urllib3's general way takes twice the CPU, and requests are most of our work.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import re
import ssl
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection, HTTPSConnection

from connections import faultpoints
from connections.http import guard

POOLS = 500  # hosts with kept-alive connections, per process
CONNECTIONS_PER_HOST = 64
IDLE_SECONDS = 180  # firewalls forget silent connections after a few minutes, without a word to us
CHUNK_BYTES = 64 * 1024
SLOW_PIECES = 10
MOST_INTERIM = 100  # answers before the final one; time and size of the header bound them as well
SWITCHING_PROTOCOLS = 101

_ILLEGAL = re.compile(r"^\s|[\r\n\0]")  # what would end a header, and so begin another one


class _Reply(http.client.HTTPResponse):
    """An answer read through a `Wire`."""

    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        self._wire = guard.Wire(sock)
        super().__init__(self._wire, *args, **kwargs)  # type: ignore[arg-type]

    def begin(self) -> None:
        faultpoints.at("posted")
        super().begin()
        if len(set(self.headers.get_all("Content-Length", ()))) > 1:
            raise http.client.HTTPException("two lengths")
        # We never ask for another protocol: what comes next on this connection is no HTTP.
        self.will_close = self.will_close or self.status == SWITCHING_PROTOCOLS
        self._wire.header_is_over()

    def _read_status(self) -> tuple[str, int, str]:
        """The status of the final answer; hints and signs of life before it are read and left behind.

        Python skips 100 only. A server may send any 1xx unasked:
        https://www.rfc-editor.org/rfc/rfc9110#section-15.2
        """
        for _ in range(MOST_INTERIM):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if status >= 200 or status == SWITCHING_PROTOCOLS:
                return version, status, reason
            http.client.parse_headers(self.fp)
        raise http.client.HTTPException("interim answers without a final one")


class Raw:
    """The body of an answer; closed after its last byte it leaves its connection to the next request."""

    def __init__(self, reply: http.client.HTTPResponse, connection: _Connection, pool: _Pool) -> None:
        self.reply, self._connection, self._pool = reply, connection, pool
        self.status, self.headers, self.reason = reply.status, reply.headers, reply.reason

    def read(self, amount: int, *, decode_content: bool = False) -> bytes:
        """At most so many bytes, as they came. Raises IncompleteRead when the body ends too early."""
        piece = self.reply.read(amount)
        if not piece and self.reply.length:
            raise http.client.IncompleteRead(b"", self.reply.length)
        return piece

    def close(self) -> None:
        is_whole = self.reply.isclosed() and not self.reply.will_close
        self.reply.close()
        if not is_whole:
            self._connection.close()
        self._pool.take_back(self._connection)


class _Connection(HTTPConnection):
    """Plain HTTP, for the allowed networks only."""

    response_class = _Reply
    plain = True
    used_at = 0.0

    def _new_conn(self) -> Any:
        guard.call.fresh = True
        if self.proxy is not None:  # the operator's own choice, and the target was checked before
            return super()._new_conn()
        return guard.open_socket(self._dns_host, self.port, plain=self.plain)

    @property
    def is_connected(self) -> bool:
        return time.monotonic() - self.used_at < IDLE_SECONDS and super().is_connected

    def exchange(self, method: str, message: bytes) -> _Reply:
        """Send a whole request, wait for the head of its answer. Raises OSError or HTTPException."""
        if self.sock is None:
            self.connect()
        with contextlib.suppress(BrokenPipeError):  # it may have answered before it closed
            self.send(message)
        self.used_at = time.monotonic()
        reply = _Reply(self.sock, method=method)
        try:
            reply.begin()
        except BaseException:
            reply.close()
            raise
        return reply

    def send(self, data: Any) -> None:
        if guard.call.send_seconds:
            self._send_slowly(data)
            return
        for start in range(0, len(data), CHUNK_BYTES):
            if self.sock is not None:
                self.sock.settimeout(guard.call.seconds_left())
            super().send(data[start : start + CHUNK_BYTES])

    def _send_slowly(self, data: bytes) -> None:
        """The head at once, then the body piece by piece."""
        head, gap, body = data.partition(b"\r\n\r\n")
        size = max(1, -(-len(body) // SLOW_PIECES))
        super().send(head + gap)
        for start in range(0, len(body), size):
            time.sleep(guard.call.send_seconds / SLOW_PIECES)
            if self.sock is not None:
                self.sock.settimeout(guard.call.seconds_left())
            super().send(body[start : start + size])

    def getresponse(self) -> Any:
        self.used_at = time.monotonic()
        return super().getresponse()


class _TLSConnection(_Connection, HTTPSConnection):
    """The name in the certificate is checked against the host's name, whatever address was connected to."""

    plain = False


class _Pool(urllib3.HTTPConnectionPool):
    """The connections to one host."""

    ConnectionCls = _Connection

    def urlopen(self, method: str, url: str, *args: Any, **options: Any) -> Any:
        if self.proxy is not None:
            return super().urlopen(method, url, *args, **options)
        message = self._head(method, url, options["headers"]) + (options["body"] or b"")
        connection: Any = self._get_conn()
        try:
            return Raw(connection.exchange(method, message), connection, self)
        except BaseException:
            connection.close()
            self._put_conn(connection)
            raise

    def _head(self, method: str, target: str, headers: Mapping[str, str]) -> bytes:
        """Raises ValueError for what cannot be sent."""
        if any(map(_ILLEGAL.search, headers.values())):
            raise ValueError("a header that cannot be sent")
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self._authority}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "\r\n"]).encode("latin-1")

    @functools.cached_property
    def _authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = {"http": 80, "https": 443}[self.scheme or "http"]
        return host if self.port in (None, default) else f"{host}:{self.port}"

    def take_back(self, connection: _Connection) -> None:
        self._put_conn(connection)


class _TLSPool(_Pool, urllib3.HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class _Adapter(HTTPAdapter):
    """Connections of our own classes, and one TLS context for all of them: loading it is what costs."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(pool_connections=POOLS, pool_maxsize=CONNECTIONS_PER_HOST)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, ssl_context=self._context, **kwargs)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}
        return manager

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        return _pool_and_path(request.url)[0], {}

    def request_url(self, request: Any, proxies: Any) -> str:
        return super().request_url(request, proxies) if proxies else _pool_and_path(request.url)[1]

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Nothing to set: the context verifies."""

    def build_response(self, req: Any, resp: Any) -> requests.Response:
        """Without cookies, which we never keep, and without a guess at the encoding."""
        response = requests.Response()
        response.request, response.url, response.raw = req, req.url, resp
        response.status_code, response.reason = resp.status, resp.reason
        response.headers = CaseInsensitiveDict(resp.headers)
        return response


@functools.lru_cache(maxsize=4096)
def _pool_and_path(url: str) -> tuple[dict[str, Any], str]:
    """Which pool an address belongs to, and what is asked for there."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return {"scheme": parts.scheme, "host": parts.hostname, "port": parts.port}, target


@functools.lru_cache(maxsize=2)
def adapter(process_id: int, ca_bundle: str) -> HTTPAdapter:
    """One per process: sockets and locks must not be shared across a fork."""
    return _Adapter(trusted_authorities(ca_bundle))


@functools.lru_cache(maxsize=2)
def trusted_authorities(ca_bundle: str) -> ssl.SSLContext:
    """TLS as we speak it, with the well-known authorities and those of the file. Raises `OSError`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(requests.utils.DEFAULT_CA_BUNDLE_PATH)
    if ca_bundle:
        context.load_verify_locations(ca_bundle)
    return context
