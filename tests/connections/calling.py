"""One call through the door, as the tests make it."""

import pytest

from connections import http
from connections.errors import Permanent, Temporary

QUICK = http.Limits(connect_seconds=2, read_seconds=0.3, whole_seconds=0.5, answer_bytes=200_000)


def call(url, limits=QUICK, method="POST", body=b"{}", **headers):
    return http.request(method, url, headers=headers, body=body, limits=limits)


def failure(url, limits=QUICK, **more):
    with pytest.raises((Temporary, Permanent)) as caught:
        call(url, limits, **more)
    return type(caught.value), caught.value.code
