"""A webhook receiver that remembers what it got and misbehaves when told to."""

from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from sandbox.http.answer import DROPPED, Answer, json_answer
from sandbox.receiver import signatures

REMEMBERED = 500
MODES = ("ok", "status", "hang", "redirect", "drop")


@dataclass
class Mode:
    """How a hook answers. `remaining` None means until told otherwise.

    status: that HTTP status, with `retry_after` as header when given; hang: takes the delivery and
    answers after `seconds`, which to the sender is a time-out; redirect: 302; drop: closes unanswered.
    """

    kind: str = "ok"
    status: int = 200
    seconds: float = 3600.0
    retry_after: str = ""
    remaining: int | None = None


@dataclass(frozen=True)
class Delivery:
    """One request to a hook. `signature` is "ok", "not checked" or what is wrong; `body` is the JSON."""

    at: datetime
    status: int
    signature: str
    event_id: str
    event: str
    order: str
    version: int
    duplicate: bool
    stale: bool
    headers: Mapping[str, str]
    body: Any
    raw: bytes


@dataclass
class Hook:
    """One address, `/hook/<name>`. Counts are since the last reset; `seen` are events that were accepted."""

    name: str
    secrets: tuple[str, ...] = ()
    mode: Mode = field(default_factory=Mode)
    latency_seconds: float = 0.0
    deliveries: deque[Delivery] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    seen: set[str] = field(default_factory=set)
    versions: dict[str, int] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def reset(self) -> None:
        """Forget what came; secrets stay, the mode is ok again."""
        self.mode = Mode()
        self.latency_seconds = 0.0
        for memory in (self.deliveries, self.seen, self.versions, self.counts):
            memory.clear()

    def stats(self) -> dict[str, int]:
        names = ("requests", "deliveries", "duplicates", "stale", "signature_ok", "signature_bad")
        return {name: self.counts[name] for name in names} | {
            "events": len(self.seen),
            "orders": len(self.versions),
        }


class Receiver:
    """Hooks by name; one comes into being when it is first spoken to. `handle()` never sleeps."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.hooks: dict[str, Hook] = {}

    def hook(self, name: str) -> Hook:
        return self.hooks.setdefault(name, Hook(name))

    def set_secrets(self, name: str, *secrets: str) -> None:
        """The secrets whose signatures count; without any a signature is not checked."""
        self.hook(name).secrets = secrets

    def set_mode(
        self,
        name: str,
        kind: str,
        *,
        status: int = 500,
        seconds: float = 3600.0,
        retry_after: str = "",
        count: int | None = None,
    ) -> None:
        """From now on, or for the next `count` requests. A number as `kind` is that status.

        Raises ValueError for an unknown mode.
        """
        if kind.isdigit():
            kind, status = "status", int(kind)
        if kind not in MODES:
            raise ValueError(f"unknown mode {kind!r}; there are: {', '.join(MODES)}, or a status")
        self.hook(name).mode = Mode(kind, status, seconds, retry_after, count)

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer one HTTP request. Header names may come in any case."""
        route, _, name = path.partition("?")[0].lstrip("/").partition("/")
        if route != "hook" or not name:
            return json_answer({"error": "hooks live at /hook/<name>"}, 404)
        if method != "POST":
            return json_answer({"error": "POST only"}, 405, {"Allow": "POST"})
        hook = self.hook(name)
        mode = _take(hook)
        lowered = {key.lower(): value for key, value in headers.items()}
        signature = signatures.check(hook.secrets, lowered, body, self.clock())
        if mode.kind == "ok" and signature not in ("ok", "not checked"):
            answer = json_answer({"error": f"signature: {signature}"}, 401)
        else:
            answer = _answer(mode, hook.latency_seconds)
        self._remember(hook, answer, signature, lowered, body)
        return answer

    def _remember(
        self, hook: Hook, answer: Answer, signature: str, headers: Mapping[str, str], body: bytes
    ) -> None:
        now = self.clock()
        event = _parse(body)
        event_id = headers.get("webhook-id", "")
        order, version = str(event.get("external_id") or ""), event.get("version")
        version = version if isinstance(version, int) else 0
        accepted = 200 <= answer.status < 300
        duplicate = accepted and event_id in hook.seen
        stale = accepted and not duplicate and version < hook.versions.get(order, 0)
        hook.counts["requests"] += 1
        if signature != "not checked":
            hook.counts["signature_ok" if signature == "ok" else "signature_bad"] += 1
        if accepted:
            hook.counts.update({"deliveries": 1, "duplicates": int(duplicate), "stale": int(stale)})
            hook.seen.add(event_id)
            if order:
                hook.versions[order] = max(version, hook.versions.get(order, 0))
        name = str(event.get("event") or "")
        hook.deliveries.append(
            Delivery(
                now, answer.status, signature, event_id, name, order, version, duplicate, stale,
                headers, event, body,
            )
        )  # fmt: skip


def _take(hook: Hook) -> Mode:
    """The mode of this request, counted down."""
    mode = hook.mode
    if mode.remaining is not None:
        mode.remaining -= 1
        if mode.remaining <= 0:
            hook.mode = Mode()
    return mode


def _answer(mode: Mode, latency_seconds: float) -> Answer:
    if mode.kind == "drop":
        return DROPPED
    if mode.kind == "redirect":
        return Answer(302, b"", {"Location": "http://127.0.0.1:9/elsewhere"}, latency_seconds)
    if mode.kind == "status":
        headers = {"Retry-After": mode.retry_after} if mode.retry_after else {}
        plain = json_answer({"error": f"the sandbox was told to answer {mode.status}"}, mode.status, headers)
        return Answer(mode.status, plain.body, plain.headers, latency_seconds)
    plain = json_answer({"ok": True})
    return Answer(200, plain.body, plain.headers, mode.seconds if mode.kind == "hang" else latency_seconds)


def _parse(body: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
