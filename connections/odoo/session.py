"""One paced line to one Odoo server: every request goes through it and is counted."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from connections.errors import Access, RemoteError, Temporary, on_side
from connections.http import client as http_client
from connections.models import SHARED_HOSTS_SUFFIX
from connections.odoo.responses import WEB_PAGE
from connections.odoo.server_info import Target
from connections.secrets.fields import MASK

DETAIL_LENGTH = 200
NOTHING: Mapping[str, str] = MappingProxyType({})
# With every call of a method of Odoo's: nothing may depend on the time zone of the user.
UTC_CONTEXT: Mapping[str, str] = MappingProxyType({"tz": "UTC"})
Judge = Callable[[http_client.Answer, datetime], Any]


class Line:
    """`calls` so far; of the last answer `server_time` (its Date header, UTC) and `call_seconds`.

    `seconds` is how long all calls together may take: each for itself may be in time, and slow all the same.
    """

    def __init__(
        self,
        target: Target,
        *,
        now: datetime,
        seconds: float = float("inf"),
        sleep: Callable[[float], object] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.target = target
        self.seconds = seconds
        self.calls = 0
        self.server_time: datetime | None = None
        self.call_seconds = 0.0
        self._now = now
        self._started = monotonic()
        self._next_call = self._started
        self._sleep = sleep
        self._monotonic = monotonic

    def now(self) -> datetime:
        """The time our caller gave us, and what has passed since."""
        return self._now + timedelta(seconds=self._monotonic() - self._started)

    def ask(
        self, path: str, judge: Judge, *, body: bytes | None = None, headers: Mapping[str, str] = NOTHING
    ) -> Any:
        """What `judge` makes of the answer; a POST when there is a body. Raises RemoteError."""
        self.target.key.reveal()  # before anything is asked in vain
        self._wait_for_our_turn()
        self.calls += 1
        try:
            return judge(self._request(path, body, headers), self.now())
        except RemoteError as error:
            raise self._presentable(error) from None

    def _request(self, path: str, body: bytes | None, headers: Mapping[str, str]) -> http_client.Answer:
        method, kind = ("GET", {}) if body is None else ("POST", {"Content-Type": "application/json"})
        url = self.target.url + path
        headers = {**kind, **headers}
        answer = http_client.request(method, url, headers=headers, body=body, limits=self._limits())
        self.server_time = answer.server_time or self.server_time
        self.call_seconds = answer.seconds
        return answer

    def _limits(self) -> http_client.Limits:
        left = self._started + self.seconds - self._monotonic()
        if left <= 0:
            raise Temporary("timeout", f"the calls together took more than {self.seconds:.0f} s")
        whole = min(http_client.ODOO_LIMITS.whole_seconds, left)
        return replace(http_client.ODOO_LIMITS, whole_seconds=whole)

    def _presentable(self, error: RemoteError) -> RemoteError:
        """With our side in its code; a server may quote what it was sent, and our key was in that."""
        key = self.target.key.reveal()
        detail = (_masked(error.detail, key) if key else error.detail)[:DETAIL_LENGTH]
        if self._is_online and error.code in ("odoo_forbidden", WEB_PAGE):
            return Access("odoo_plan_without_api", detail, status=error.status)
        told = type(error)(error.code, detail, status=error.status, retry_at=error.retry_at)
        return on_side("odoo", told)

    @property
    def _is_online(self) -> bool:
        return (urlsplit(self.target.url).hostname or "").endswith(SHARED_HOSTS_SUFFIX)

    def _wait_for_our_turn(self) -> None:
        if not self.target.calls_per_second:
            return
        wait = self._next_call - self._monotonic()
        if wait > 0:
            self._sleep(wait)
        self._next_call = max(self._next_call, self._monotonic()) + 1 / self.target.calls_per_second


def _masked(text: str, key: str) -> str:
    """The text was cut where it was too long: what is left of a key there is part of a secret as well."""
    text = text.replace(key, MASK)
    cut = next((size for size in range(len(key) - 1, 3, -1) if text.endswith(key[:size])), 0)
    return text[: len(text) - cut] + MASK if cut else text
