"""Troubles that can be switched on for a shop: for ever, or for the next few calls."""

from dataclasses import dataclass

KINDS = ("down", "hang", "pg_down", "rate_limit", "error_500", "bad_gateway", "html", "garbage")


@dataclass
class Faults:
    """`kind` is one of KINDS or "" for none; `remaining` None means until `clear()`.

    down: the connection is closed without an answer; hang: no answer within `hang_seconds`; pg_down: the
    database is gone; rate_limit: 429 with `retry_after` in its header; error_500 and bad_gateway (502):
    a proxy's HTML; html: 200 with a login page; garbage: 200 with broken JSON.
    """

    kind: str = ""
    remaining: int | None = None
    retry_after: str = "2"
    hang_seconds: float = 3600.0
    latency_seconds: float = 0.0

    def set(self, kind: str, *, count: int | None = None, retry_after: str | None = None) -> None:
        """Raises ValueError for an unknown kind."""
        if kind and kind not in KINDS:
            raise ValueError(f"unknown fault {kind!r}; there are: {', '.join(KINDS)}")
        self.kind = kind
        self.remaining = count
        if retry_after is not None:
            self.retry_after = retry_after

    def fail_next(self, count: int, kind: str) -> None:
        self.set(kind, count=count)

    def clear(self) -> None:
        self.set("")

    def take(self) -> str:
        """The trouble of this call, counted down."""
        if self.remaining is None:
            return self.kind
        self.remaining -= 1
        kind = self.kind
        if self.remaining <= 0:
            self.clear()
        return kind
