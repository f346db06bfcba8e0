"""How a socket is opened and read: only to addresses that were checked, never past the limits of the call."""

import functools
import io
import queue
import socket
import threading
import time
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any

from django.conf import settings

from connections.errors import Permanent, RemoteError, Temporary
from connections.http.networks import Network, inside, parse_networks, refusal

HEADER_BYTES = 64 * 1024
SOCKET_ADDRESSES = 6  # a name with more addresses than this is tried no further
Found = tuple[int, int, int, str, tuple[Any, ...]]  # what getaddrinfo gives


class Call(threading.local):
    """The limits of the call this thread is making; `fresh` says that it opened a new connection."""

    deadline: float = 0.0
    connect_seconds: float = 5.0
    read_seconds: float = 30.0
    answer_bytes: int = 0
    fresh: bool = False
    send_seconds: float = 0.0

    def begin(
        self,
        *,
        connect_seconds: float,
        read_seconds: float,
        whole_seconds: float,
        answer_bytes: int,
        send_seconds: float = 0.0,
    ) -> None:
        self.deadline = time.monotonic() + whole_seconds
        # Twice, since a body in chunks is longer on its way; what is kept of it is counted elsewhere.
        self.answer_bytes = 2 * answer_bytes + HEADER_BYTES
        self.connect_seconds = connect_seconds
        self.read_seconds = read_seconds
        self.send_seconds = send_seconds
        self.fresh = False

    def seconds_left(self) -> float:
        """How long the next wait may last. Raises `TimeoutError` when the whole call has had its time."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the whole call took too long")
        return min(left, self.read_seconds)

    def end_within(self, seconds: float) -> None:
        self.deadline = min(self.deadline, time.monotonic() + seconds)


call = Call()


@functools.lru_cache(maxsize=8)
def _networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    return parse_networks(texts)


def allowed_networks() -> tuple[Network, ...]:
    return _networks(tuple(settings.ALLOWED_NETWORKS))


def open_socket(host: str, port: int, *, plain: bool) -> socket.socket:
    """A connected socket to one of the addresses of `host`, all of which were checked before.

    Raises Temporary (dns, timeout, not_listening, unreachable) or Permanent (blocked_address, plain_http).
    """
    found = resolve(host, port)
    check_addresses(host, found, plain=plain)
    sock = _connect(found[:SOCKET_ADDRESSES])
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def resolve(host: str, port: int) -> Sequence[Found]:
    """The addresses of a name, asked for once. Raises Temporary `dns`."""
    host = host.strip("[]")
    try:
        ip_address(host)
    except ValueError:
        return _resolve_in_time(host, port)
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def _resolve_in_time(host: str, port: int) -> Sequence[Found]:
    # The resolver has no time limit of its own that we could set, so a thread waits for it in our place.
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, name="dns", daemon=True).start()
    seconds = min(call.connect_seconds, call.seconds_left())
    try:
        found = answers.get(timeout=seconds)
    except queue.Empty:
        raise Temporary("dns", f"no answer about {host} within {seconds:.0f} s") from None
    if isinstance(found, Exception):
        reason = getattr(found, "strerror", None) or "not a valid name"
        raise Temporary("dns", f"{host}: {reason}")
    return list(found)


def check_addresses(host: str, found: Sequence[Found], *, plain: bool) -> None:
    """Raises Permanent when any address is refused, or when `plain` HTTP would leave the allowed networks."""
    allowed = allowed_networks()
    for *_, target in found:
        address = ip_address(target[0])
        reason = refusal(address, allowed)
        if reason:
            raise Permanent("blocked_address", f"{host} is {address}: {reason}")
        if plain and not inside(address, allowed):
            raise Permanent("plain_http", f"{host} is {address}: outside the allowed networks")


def _connect(found: Sequence[Found]) -> socket.socket:
    until = time.monotonic() + min(call.connect_seconds, call.seconds_left())
    error: OSError = OSError("no address")
    for number, (family, kind, protocol, _, target) in enumerate(found):
        # Each address gets its share, so that one that never answers leaves time for the next.
        seconds = max((until - time.monotonic()) / (len(found) - number), 0.05)
        try:
            return _connect_one(socket.socket(family, kind, protocol), target, seconds)
        except OSError as failure:
            error = failure
    raise _connect_error(error)


def _connect_one(sock: socket.socket, target: tuple[Any, ...], seconds: float) -> socket.socket:
    try:
        sock.settimeout(seconds)
        sock.connect(target)
        # TLS shakes hands next, still within the time for connecting.
        sock.settimeout(min(call.connect_seconds, call.seconds_left()))
    except BaseException:
        sock.close()
        raise
    return sock


def _connect_error(error: OSError) -> Temporary:
    if isinstance(error, TimeoutError):
        return Temporary("timeout", f"no connection within {call.connect_seconds:.0f} s")
    if isinstance(error, ConnectionRefusedError):
        return Temporary("not_listening", "nothing listens at this address and port")
    return Temporary("unreachable", error.strerror or "no way to this address")


class Wire(io.RawIOBase):
    """What a socket receives: each wait is bounded by the call, and so is what comes, header and body."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._left = HEADER_BYTES
        self._too_much: RemoteError = Temporary("broken_answer", "a header without an end")

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def header_is_over(self) -> None:
        self._left = call.answer_bytes
        self._too_much = Permanent("too_large", "more than we are willing to read")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(call.seconds_left())
        count = self._raw.readinto(buffer)
        self._left -= count or 0
        if self._left < 0:
            raise self._too_much
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()
