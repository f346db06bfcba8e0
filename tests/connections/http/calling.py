"""One call through the door, as the tests make it."""

import pytest

from connections.errors import Permanent, Temporary
from connections.http import client as http_client

QUICK = http_client.Limits(connect_seconds=2, read_seconds=0.3, whole_seconds=0.5, answer_bytes=200_000)


def call(url, limits=QUICK, method="POST", body=b"{}", **headers):
    return http_client.request(method, url, headers=headers, body=body, limits=limits)


def failure(url, limits=QUICK, **more):
    with pytest.raises((Temporary, Permanent)) as caught:
        call(url, limits, **more)
    return type(caught.value), caught.value.code
