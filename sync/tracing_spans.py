"""Spans of polls and deliveries for OpenTelemetry: how long each took, and how it ended.

Each is made once its poll or try is over, of numbers and codes only: no name, address, payload or secret.
Nobody imports this but `tracing`, when it is wanted.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cache

from django.conf import settings
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Tracer

from sync.ledger import Tried
from sync.models import SyncLog


def polls(logs: Iterable[SyncLog]) -> None:
    for log in logs:
        span = tracer().start_span("poll", start_time=_ns(log.started_at))
        span.set_attribute("odoopoller.connection", log.connection_id)
        span.set_attribute("odoopoller.result", log.error_code or "ok")
        for kind in ("found", "sent", "failed", "skipped"):
            span.set_attribute(f"odoopoller.orders_{kind}", getattr(log, f"orders_{kind}"))
        span.end(end_time=_ns(log.finished_at))


def deliveries(tries: Iterable[Tried]) -> None:
    for tried in tries:
        outcome, began = tried.outcome, _ns(tried.outcome.started_at)
        span = tracer().start_span("delivery", start_time=began)
        span.set_attribute("odoopoller.connection", tried.item.connection_id)
        span.set_attribute("odoopoller.result", outcome.code or outcome.verdict.value)
        if outcome.status is not None:
            span.set_attribute("http.response.status_code", outcome.status)
        span.end(end_time=began + outcome.duration_ms * 1_000_000)


@cache
def tracer() -> Tracer:
    """One for each process, made when it is first needed: its thread would not survive a fork."""
    exporter = OTLPSpanExporter(endpoint=f"{settings.OTLP_URL.rstrip('/')}/v1/traces")
    return tracer_for(BatchSpanProcessor(exporter))


def tracer_for(processor: SpanProcessor) -> Tracer:
    """What OTEL_... of the environment says about the service and about samples wins."""
    ours = Resource({"service.name": "odoopoller", "service.version": settings.VERSION})
    provider = TracerProvider(resource=ours.merge(OTELResourceDetector().detect()))
    provider.add_span_processor(processor)
    return provider.get_tracer("odoopoller")


def _ns(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1000
