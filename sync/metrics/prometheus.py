"""The numbers for Prometheus, read from the tables: right whichever process answers, on whichever host."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Min
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)

from connections.models import Circuit, CircuitState, Connection
from core.background import queue
from core.background.heartbeat import SILENT
from core.models import Finding, PollerHeartbeat, ScheduleStatus
from sync.health import HealthState, counts
from sync.metrics import counters
from sync.metrics.counters import BUCKETS, LATER
from sync.models import PollState, RetryItem

CONTENT_TYPE = CONTENT_TYPE_LATEST
P = "odoopoller_"


def scrape(now: datetime) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(now))
    return generate_latest(registry)


class _Collector:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        names = _connection_names()
        yield from _process(self.now)
        yield from _health_states(self.now)
        yield from _backlog(names, self.now)
        yield from _windows(names, self.now)
        yield from _circuits(names)
        yield from _counters(names, self.now)


class _Names:
    """Connections by their external id. Where there are too many for a monitor, all of them are one."""

    def __init__(self, rows: dict[int, str]) -> None:
        self.rows = rows
        self.bounded = len(rows) <= settings.METRICS_CONNECTIONS

    def of(self, connection: int) -> str:
        return self.rows.get(connection, "") if self.bounded else "all"


def _connection_names() -> _Names:
    return _Names(dict(Connection.objects.order_by("pk").values_list("pk", "external_id")))


def _gauge(name: str, what: str, labels: list[str], rows: Iterable[tuple[list[str], float]]) -> Metric:
    metric = GaugeMetricFamily(P + name, what, labels=labels)
    for values, number in rows:
        metric.add_metric(values, number)
    return metric


def _process(now: datetime) -> Iterator[Metric]:
    yield InfoMetricFamily(P + "build", "Version", value={"version": settings.VERSION})
    alive = PollerHeartbeat.objects.filter(seen_at__gte=now - SILENT)
    versions = alive.values_list("version").annotate(n=Count("pk")).order_by()
    yield _gauge("pollers", "Pollers that live", ["version"], [([v], n) for v, n in versions])
    yield _gauge("queue_depth", "Tasks that wait in the queue", [], [([], _queue_depth())])
    jobs = ScheduleStatus.objects.filter(good_at__isnull=False).values_list("name", "good_at")
    rows = [([name], at.timestamp()) for name, at in jobs if at]
    yield _gauge("job_last_success_timestamp_seconds", "Last good run of scheduled work", ["job"], rows)


def _queue_depth() -> float:
    try:
        return float(queue.depth())
    except Exception:  # whatever its client raises; /readyz tells
        return float("nan")


def _health_states(now: datetime) -> Iterator[Metric]:
    number = counts(Connection.objects.all(), now)
    rows = [([word], float(number.get(word, 0))) for word in HealthState.values]
    yield _gauge("connections", "Connections by how they stand", ["standing"], rows)
    found = Finding.objects.values_list("code").annotate(n=Count("pk")).order_by()
    yield _gauge("findings", "What the watch found", ["code"], [([code], n) for code, n in found])
    due = PollState.objects.poll_due(now).count()
    late = PollState.objects.poll_due(now - timedelta(minutes=2)).count()
    rows = [(["due"], float(due)), (["overdue"], float(late))]
    yield _gauge("polls_waiting", "Connections to be polled; overdue: for two minutes", ["state"], rows)


def _backlog(names: _Names, now: datetime) -> Iterator[Metric]:
    items = RetryItem.objects.open().values("connection", "status").order_by()
    found = list(items.annotate(n=Count("pk"), first=Min("created_at")))
    numbers = _summed((names.of(row["connection"]), row["status"], row["n"]) for row in found)
    rows = [([name, status], n) for (name, status), n in numbers.items()]
    yield _gauge("orders_owed", "Orders owed to receivers", ["connection", "status"], rows)
    ages: dict[str, float] = {}
    for row in found:
        name = names.of(row["connection"])
        ages[name] = max(ages.get(name, 0.0), (now - row["first"]).total_seconds())
    oldest = [([name], age) for name, age in ages.items()]
    yield _gauge("oldest_owed_seconds", "Age of the oldest order owed", ["connection"], oldest)


def _summed(rows: Iterable[tuple[str, str, float]]) -> dict[tuple[str, str], float]:
    sums: dict[tuple[str, str], float] = {}
    for name, label, number in rows:
        sums[name, label] = sums.get((name, label), 0) + number
    return sums


def _windows(names: _Names, now: datetime) -> Iterator[Metric]:
    states = PollState.objects.filter(connection__enabled=True)
    lags: dict[str, float] = {}
    for pk, at in states.filter(window_at__isnull=False).values_list("connection", "window_at"):
        name, at = names.of(pk), at or now
        lags[name] = max(lags.get(name, 0.0), (now - at).total_seconds())
    rows = [([name], lag) for name, lag in lags.items()]
    yield _gauge("window_lag_seconds", "How far reading is behind, at most", ["connection"], rows)


def _circuits(names: _Names) -> Iterator[Metric]:
    open_now = set(Circuit.objects.exclude(state=CircuitState.CLOSED).values_list("connection", "side"))
    sides = ("odoo", "webhook")
    numbers = _summed(
        (names.of(pk), side, float((pk, side) in open_now)) for pk in names.rows for side in sides
    )
    rows = [([name, side], n) for (name, side), n in numbers.items()]
    yield _gauge("circuit_open", "Circuits that are open", ["connection", "side"], rows)


COUNTERS = {
    "polls": ("polls", "Polls by how they ended", "result"),
    "orders": ("poll_orders", "Orders in polls", "kind"),
    "attempts": ("delivery_attempts", "Tries of deliveries by how they ended", "result"),
}
SECONDS = {"polls": "poll_seconds", "attempts": "delivery_seconds"}


def _counters(names: _Names, now: datetime) -> Iterator[Metric]:
    sums = counters.sums(now)
    for name, (called, what, label) in COUNTERS.items():
        numbers = _summed((names.of(c), text, n) for (kind, c, text), (n, _) in sums.items() if kind == name)
        metric = CounterMetricFamily(P + called, what, labels=["connection", label])
        for values, number in numbers.items():
            metric.add_metric(list(values), number)
        yield metric
    for name, called in SECONDS.items():
        times = _summed((names.of(c), "", t) for (kind, c, _), (_, t) in sums.items() if kind == name)
        metric = CounterMetricFamily(P + called, "Time spent on it", labels=["connection"])
        for (connection, _), seconds in times.items():
            metric.add_metric([connection], seconds)
        yield metric
    yield _lags(sums)


def _lags(sums: counters.Sums) -> Metric:
    numbers: dict[str, int] = {}
    seconds = 0.0
    for (kind, _, bucket), (number, total) in sums.items():
        if kind == "lag":
            numbers[bucket] = numbers.get(bucket, 0) + number
            seconds += total
    buckets: list[Any] = []
    cumulated = 0
    for bucket in [*map(str, BUCKETS), LATER]:
        cumulated += numbers.get(bucket, 0)
        buckets.append((bucket, cumulated))
    metric = HistogramMetricFamily(P + "delivery_lag_seconds", "From written in Odoo to delivered")
    metric.add_metric([], buckets, sum_value=seconds)
    return metric
