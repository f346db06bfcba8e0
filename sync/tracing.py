"""Whether polls and deliveries are traced. When not, nothing of OpenTelemetry is loaded."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register

from sync.ledger import Tried
from sync.models import SyncLog

PACKAGES = "opentelemetry-sdk opentelemetry-exporter-otlp-proto-http"


def polls(logs: Iterable[SyncLog]) -> None:
    """Polls that have ended, as spans."""
    spans = _spans()
    if spans is not None:
        spans.polls(logs)


def deliveries(tries: Iterable[Tried]) -> None:
    """Tries whose outcome is recorded, as spans."""
    spans = _spans()
    if spans is not None:
        spans.deliveries(tries)


@cache
def _spans() -> Any:
    """The module that makes spans; None when they are not wanted or its packages are not there."""
    try:
        return import_module("sync.tracing_spans") if settings.OTLP_URL else None
    except ImportError:
        return None


@register()
def check_packages(**_: Any) -> list[CheckMessage]:
    """They are in no requirements: those who want traces install them."""
    if not settings.OTLP_URL or _spans() is not None:
        return []
    text = "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed: nothing is traced."
    return [Warning(text, hint=f"pip install {PACKAGES}", id="sync.W016")]
