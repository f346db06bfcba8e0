"""The one door out: every call of this system to another machine passes here, under the same limits."""

import functools
import http.client
import os
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

import requests
import urllib3
from django.conf import settings
from requests.exceptions import InvalidProxyURL, ProxyError
from requests.structures import CaseInsensitiveDict

from connections.errors import Permanent, RemoteError, Temporary
from connections.http import compression, guard, transport
from connections.http.charset import text_of
from connections.http.networks import inside

BODY_SECONDS = 5  # for the body of an answer of which only the beginning is kept
CHUNK_BYTES = 64 * 1024
LONGEST_WAIT = timedelta(hours=24)
CENTURY = (2000, 2100)


@dataclass(frozen=True, slots=True)
class Limits:
    """With `truncate` only the first `answer_bytes` of a body are read; without it more is an error.

    `send_seconds` is how long to take over sending a body: to try a receiver's patience.
    """

    connect_seconds: float = 5
    read_seconds: float = 30
    whole_seconds: float = 60
    answer_bytes: int = 50 * 1024 * 1024
    truncate: bool = False
    send_seconds: float = 0

    def begin_call(self) -> None:
        """Hold what this thread does next to these limits."""
        guard.call.begin(
            connect_seconds=self.connect_seconds,
            read_seconds=self.read_seconds,
            whole_seconds=self.whole_seconds,
            answer_bytes=self.answer_bytes,
            send_seconds=self.send_seconds,
        )


ODOO_LIMITS = Limits()
RECEIVER_LIMITS = Limits(whole_seconds=30, answer_bytes=64 * 1024, truncate=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, no longer compressed. `headers` ignores case; `seconds` is the whole call."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    @property
    def text(self) -> str:
        """The body for people to read, whatever bytes it is made of."""
        return text_of(self.body, self.headers.get("Content-Type", ""))

    @property
    def server_time(self) -> datetime | None:
        """The server's own clock, UTC, whole seconds."""
        return _http_date(self.headers.get("Date", ""))

    def retry_at(self, now: datetime) -> datetime | None:
        """When the server wants to be asked again, at most 24 hours from now; None when it does not say.

        It may be now: a wait of no time, or a date that is over by our clock. It only ever lengthens a pause
        of our own.
        """
        text = self.headers.get("Retry-After", "").strip()
        if text.isascii() and text.isdigit():
            return now + min(timedelta(seconds=int(text[:9])), LONGEST_WAIT)
        moment = _http_date(text)
        return moment and min(max(moment, now), now + LONGEST_WAIT)


def request(
    method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None, limits: Limits
) -> Answer:
    """One call, no redirects, no cookies; any HTTP status is an answer.

    Raises Temporary (dns, not_listening, unreachable, timeout, tls, disconnected, proxy, broken_answer) or
    Permanent (blocked_address, plain_http, unsendable, too_large); no other exception.
    """
    started = time.monotonic()
    limits.begin_call()
    try:
        return _attempt(method, url, headers, body, limits, started)
    except Temporary as error:
        # The other side may close a kept-alive connection at the very moment we use it.
        if error.code != "disconnected" or guard.call.fresh:
            raise
    return _attempt(method, url, headers, body, limits, started)


def _attempt(
    method: str, url: str, headers: Mapping[str, str], body: bytes | None, limits: Limits, started: float
) -> Answer:
    try:
        response = _send(method, url, headers, body, limits)
        with response:
            content = _content(response, limits)
    except RemoteError:
        raise
    except (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException) as error:
        raise _translated(error) from None
    except (OSError, ValueError) as error:
        raise _translated(error) from None
    return Answer(response.status_code, response.headers, content, time.monotonic() - started)


def _send(
    method: str, url: str, headers: Mapping[str, str], body: bytes | None, limits: Limits
) -> requests.Response:
    # The adapter, not a Session: a Session reads the whole body of a redirect, however long it is.
    return transport.adapter(os.getpid(), settings.CA_BUNDLE).send(
        _prepared(method, url, {**_own_headers(), **headers}, body),
        stream=True,
        timeout=(limits.connect_seconds, limits.read_seconds),
        verify=True,
        proxies=_proxies(url) if settings.PROXY_URL else None,
    )


def _prepared(
    method: str, url: str, headers: Mapping[str, str], body: bytes | None
) -> requests.PreparedRequest:
    """A request without what `prepare` does anew each time: taking the address apart is what costs."""
    prepared = requests.PreparedRequest()
    prepared.method, prepared.url, prepared.body = method, _prepared_url(url), body
    prepared.headers = CaseInsensitiveDict(headers)
    if body is not None:
        prepared.headers["Content-Length"] = str(len(body))
    return prepared


@functools.lru_cache(maxsize=4096)
def _prepared_url(url: str) -> str:
    """Raises ValueError (requests' `InvalidURL` and its like)."""
    prepared = requests.PreparedRequest()
    prepared.prepare_url(url, None)
    return str(prepared.url)


def _own_headers() -> dict[str, str]:
    return {"User-Agent": f"odoopoller/{settings.VERSION}", "Accept-Encoding": "identity"}


def _proxies(url: str) -> dict[str, str]:
    """The proxy, unless the host is inside the allowed networks. Raises Permanent as for a direct call."""
    parts = urlsplit(url)
    host, plain = parts.hostname or "", parts.scheme == "http"
    try:
        found = guard.resolve(host, parts.port or 443)
    except Temporary:
        return {"https": settings.PROXY_URL}  # a name that only the proxy may know
    guard.check_addresses(host, found, plain=plain)
    allowed = guard.allowed_networks()
    direct = all(inside(ip_address(target[0]), allowed) for *_, target in found)
    return {} if direct else {"https": settings.PROXY_URL}


def _content(response: requests.Response, limits: Limits) -> bytes:
    applied = compression.codings(response.headers.get("Content-Encoding", ""))
    size = limits.answer_bytes
    if limits.truncate:
        return compression.unpack_beginning(_beginning(response, size), applied, size)
    body = b"".join(_pieces(response, size))
    if applied and len(body) <= size:
        body = _unpacked(body, applied, size + 1)
    if len(body) > size:
        raise Permanent("too_large", f"more than {size // 1024} KB")
    return body


def _beginning(response: requests.Response, size: int) -> bytes:
    """The first bytes of the body; with the status in hand, a body that breaks off is no failure."""
    guard.call.end_within(BODY_SECONDS)
    pieces = []
    try:
        for piece in _pieces(response, size):
            pieces.append(piece)
    except (RemoteError, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError):
        pass
    return b"".join(pieces)[:size]


def _pieces(response: requests.Response, size: int) -> Iterator[bytes]:
    """The body until its end, or until it is longer than `size`."""
    got = 0
    while got <= size:
        piece = response.raw.read(min(CHUNK_BYTES, size + 1 - got), decode_content=False)
        if not piece:
            return
        got += len(piece)
        yield piece


def _unpacked(body: bytes, applied: Sequence[str], size: int) -> bytes:
    """For servers, or proxies before them, that compress without being asked."""
    try:
        return compression.unpack(body, applied, size)
    except ValueError as error:
        raise Temporary("broken_answer", str(error)) from None


def _http_date(text: str) -> datetime | None:
    """None for what is no moment of this century: with others the arithmetic of windows would break."""
    try:
        moment = parsedate_to_datetime(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if CENTURY[0] <= moment.year < CENTURY[1] else None


# --- What went wrong on the way -------------------------------------------------------------------------

_KINDS: tuple[tuple[tuple[type[BaseException], ...], RemoteError], ...] = (
    ((InvalidProxyURL, ProxyError, urllib3.exceptions.ProxyError), Temporary("proxy")),
    ((urllib3.exceptions.InvalidHeader,), Temporary("broken_answer")),
    # Addresses and headers that nothing can be made of; `InvalidURL` and its like are such.
    ((ValueError,), Permanent("unsendable", "the address or a header has a form that cannot be sent")),
    ((requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError), Temporary("timeout")),
    ((http.client.IncompleteRead, urllib3.exceptions.IncompleteRead), Temporary("disconnected")),
    ((http.client.RemoteDisconnected, ConnectionError), Temporary("disconnected")),
    ((http.client.HTTPException, urllib3.exceptions.ProtocolError), Temporary("broken_answer")),
    ((OSError,), Temporary("unreachable")),
    ((Exception,), Temporary("broken_answer")),
)


def _translated(error: Exception) -> RemoteError:
    """Our word for an error of the libraries below. Their texts may hold addresses with secrets: left out."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            reason = getattr(cause, "verify_message", "") or cause.reason or "no secure connection"
            return Temporary("tls", str(reason).replace("_", " ").lower())
    known = next(known for kinds, known in _KINDS if any(isinstance(cause, kinds) for cause in causes))
    return type(known)(known.code, known.detail)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        inner = (getattr(error, "reason", None), *error.args)
        error = next((item for item in inner if isinstance(item, BaseException)), error.__cause__)
