"""An HTTP answer as a value: what the servers below it send and the test doubles hand over."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import orjson


@dataclass(frozen=True)
class Answer:
    """`delay_seconds` is how long the server waits first; `dropped` closes the connection unanswered."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    dropped: bool = False


class Run(Protocol):
    """The call that is left to do once it is clear which database it is for."""

    def __call__(self, pg_down: bool) -> Answer: ...


def json_answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(
        status,
        orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS),
        {"Content-Type": "application/json; charset=utf-8", **(headers or {})},
    )


def html_answer(body: str, status: int, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, body.encode(), {"Content-Type": "text/html; charset=utf-8", **(headers or {})})


DROPPED = Answer(0, dropped=True)
