"""A small HTTP/1.1 server on loopback: carries bytes to a `handle` function and its answer back."""

import asyncio
import ipaddress
from collections.abc import Callable, Mapping
from http import HTTPStatus

from sandbox.http.answer import Answer

Handle = Callable[[str, str, Mapping[str, str], bytes], Answer]
MAX_HEAD_BYTES = 64 * 1024
MAX_BODY_BYTES = 64 * 1024 * 1024
_REASONS = {status.value: status.phrase for status in HTTPStatus}


class BadRequest(Exception):
    """Bytes that are no request this server takes; the text says why."""


class Connection(asyncio.Protocol):
    """One client. Requests are answered one after the other; the connection stays open between them."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._buffer = bytearray()
        self._waiting: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - tells mypy what TCP gives
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._waiting is not None:
            self._waiting.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._waiting is None:
            self._serve()

    def _serve(self) -> None:
        """Answer what is complete in the buffer, up to one whose answer has to wait."""
        while self._transport is not None and self._waiting is None:
            try:
                request = take_request(self._buffer)
            except BadRequest as error:
                self._send(Answer(400, str(error).encode()), keep=False)
                return
            if request is None:
                return
            method, path, headers, body, keep = request
            answer = self._handle(method, path, headers, body)
            if answer.delay_seconds > 0:
                loop = asyncio.get_running_loop()
                self._waiting = loop.call_later(answer.delay_seconds, self._send_late, answer, keep)
            else:
                self._send(answer, keep)

    def _send_late(self, answer: Answer, keep: bool) -> None:
        self._waiting = None
        self._send(answer, keep)
        self._serve()

    def _send(self, answer: Answer, keep: bool) -> None:
        if self._transport is None:
            return
        if answer.dropped:
            self._transport.abort()
            return
        self._transport.write(render(answer, keep))
        if not keep:
            self._transport.close()


def take_request(buffer: bytearray) -> tuple[str, str, dict[str, str], bytes, bool] | None:
    """Cut the first complete request off the buffer: method, path, headers (lower case), body, keep-alive.

    None while it is not complete. Raises BadRequest.
    """
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        if len(buffer) > MAX_HEAD_BYTES:
            raise BadRequest("the request's head is too long")
        return None
    try:
        first, *lines = buffer[:end].decode("latin-1").split("\r\n")
        method, path, protocol = first.split(" ")
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        length = int(headers.get("content-length", "0"))
    except ValueError:
        raise BadRequest("this is no HTTP/1.1 request") from None
    if "transfer-encoding" in headers or not 0 <= length <= MAX_BODY_BYTES:
        raise BadRequest("send a body with a Content-Length of reasonable size")
    start = end + 4
    if len(buffer) < start + length:
        return None
    body = bytes(buffer[start : start + length])
    del buffer[: start + length]
    keep = protocol == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
    return method, path, headers, body, keep


def render(answer: Answer, keep: bool) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} {_REASONS.get(answer.status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    lines += [f"Content-Length: {len(answer.body)}", f"Connection: {'keep-alive' if keep else 'close'}"]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + answer.body


async def listen(handle: Handle, host: str, port: int) -> asyncio.Server:
    """Serve on a loopback address; port 0 takes a free one. Raises ValueError for any other address."""
    if not is_loopback(host):
        raise ValueError(f"the sandbox listens on loopback only, not on {host}")
    return await asyncio.get_running_loop().create_server(lambda: Connection(handle), host, port)


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def port_of(server: asyncio.Server) -> int:
    port: int = server.sockets[0].getsockname()[1]
    return port
