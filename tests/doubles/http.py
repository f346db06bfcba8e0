"""The sandbox's Odoo and receiver behind `responses`: project code talks to them without a socket."""

import re

import requests

HANGING_SECONDS = 60


def install(mock, odoo, base_url):
    """Answer every request below `base_url` by `odoo`, an `sandbox.odoo.server.Odoo`.

    `mock` is a `responses.RequestsMock` or the module `responses`. The faults "down" and "hang" become
    requests' ConnectionError and ReadTimeout; a latency longer than the caller's timeout a ReadTimeout.
    """
    _install(mock, odoo.handle, base_url)


def install_receiver(mock, receiver, base_url):
    """Answer every request below `base_url` by `receiver`, an `sandbox.receiver.receiver.Receiver`."""
    _install(mock, receiver.handle, base_url)


def _install(mock, handle, base_url):
    def answer(request):
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        return _reply(handle(request.method, request.path_url, request.headers, body), request)

    below = re.compile(re.escape(base_url.rstrip("/")) + r"(/|\?|$)")
    for method in ("GET", "POST"):
        mock.add_callback(method, below, callback=answer)


def _reply(answer, request):
    if answer.dropped:
        raise requests.exceptions.ConnectionError("the sandbox closed the connection", request=request)
    patience = _read_timeout(request.req_kwargs.get("timeout"))
    if answer.delay_seconds >= min(patience, HANGING_SECONDS):
        raise requests.exceptions.ReadTimeout("the sandbox is hanging", request=request)
    return answer.status, dict(answer.headers), answer.body


def _read_timeout(timeout):
    """Seconds until the caller gives up waiting for bytes; infinite when it never does."""
    if isinstance(timeout, tuple):
        timeout = timeout[1]
    seconds = getattr(timeout, "read_timeout", timeout)
    return float("inf") if seconds is None else float(seconds)
