"""The load as seen from the bench: shops told to confirm orders, and what they and the receivers saw."""

from __future__ import annotations

import statistics
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from bench.load.server import PATH
from tests.system.judge import Verdict, judge_deliveries
from tests.system.sandbox_process import Shops

# Calls to one shop that are nearer to each other than this belong to one poll.
POLL_SECONDS = 2.0


@dataclass(frozen=True)
class Told:
    """What `bench.load.server` kept since it was marked; moments are seconds of the epoch."""

    calls: Mapping[str, Sequence[float]]
    confirmed: Mapping[str, float]
    requests: Sequence[Mapping[str, Any]]
    waiting: int
    most_at_once: int

    @property
    def number_of_calls(self) -> int:
        return sum(map(len, self.calls.values()))

    def polls(self, within_seconds: float = POLL_SECONDS) -> dict[str, list[float]]:
        """By shop, when each poll began."""
        return {shop: begins(times, within_seconds) for shop, times in self.calls.items()}

    @property
    def arrivals(self) -> dict[str, float]:
        """By order, when it first reached a receiver that took it."""
        first: dict[str, float] = {}
        for request in self.requests:
            if request["accepted"]:
                first.setdefault(request["order"], request["at"])
        return first

    def lags(self, hooks: Iterable[str] | None = None) -> list[float]:
        """Seconds from an order's confirmation to its arrival, sorted; of these hooks, or of all."""
        arrivals, chosen = self.arrivals, None if hooks is None else set(hooks)
        return sorted(
            arrivals[order] - at
            for order, at in self.confirmed.items()
            if order in arrivals and (chosen is None or shop_of(order) in chosen)
        )

    @property
    def missing(self) -> int:
        return len(self.confirmed.keys() - self.arrivals.keys())

    @property
    def repeated_events(self) -> int:
        """Events that a receiver took more than once."""
        taken = [request["event_id"] for request in self.requests if request["accepted"]]
        return len(taken) - len(set(taken))

    def wrong_repeats(self, kills: list[Mapping[str, Any]]) -> list[str]:
        """Repeats of what was not in flight at a kill, and everything else that is wrong with deliveries."""
        verdict = Verdict()
        judge_deliveries({"requests": self.requests}, kills, verdict)
        return verdict.violations


class Load(Shops):
    module = "bench.load.server"

    def do(self, **command: Any) -> None:
        """mark=True: forget. confirm=5, shops=[...]: orders, at once unless wait=False. per_second=3.0."""
        self._ask("POST", PATH, orjson.dumps(command))

    def told(self) -> Told:
        return Told(**self._ask("GET", PATH))


def shop_of(order: str) -> str:
    """Of "odoo_shop17-3_5"."""
    return order.removeprefix("odoo_").rpartition("_")[0]


def begins(times: Sequence[float], within_seconds: float) -> list[float]:
    """The first of each group of moments that follow each other this closely."""
    found: list[float] = []
    last = float("-inf")
    for moment in times:
        if moment - last > within_seconds:
            found.append(moment)
        last = moment
    return found


def lateness(
    due: Mapping[str, Iterable[float]], calls: Mapping[str, Sequence[float]], end: float
) -> list[float]:
    """Seconds from due to polled, sorted, by shop; what was not polled by `end` is as late as that."""
    late = []
    for shop, moments in due.items():
        times = calls.get(shop, ())
        for moment in moments:
            place = bisect_left(times, moment)
            late.append((times[place] if place < len(times) else end) - moment)
    return sorted(late)


def quantile(ordered: Sequence[float], share: float) -> float:
    """Of sorted values; 0 of none."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def middle(values: Iterable[float]) -> float:
    return statistics.median(values)
