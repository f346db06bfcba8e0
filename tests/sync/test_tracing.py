"""Polls and deliveries as spans: numbers and codes, nothing of a shop, a customer or a secret."""

import subprocess
import sys

import pytest
from django.test import override_settings
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from sync import tracing, tracing_spans

ALLOWED = {"odoopoller.connection", "odoopoller.result", "http.response.status_code"} | {
    f"odoopoller.orders_{kind}" for kind in ("found", "sent", "failed", "skipped")
}


@pytest.fixture
def traced(monkeypatch):
    exporter = InMemorySpanExporter()
    tracer = tracing_spans.tracer_for(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing_spans, "tracer", lambda: tracer)
    tracing._spans.cache_clear()
    with override_settings(OTLP_URL="http://127.0.0.1:4318"):
        yield exporter.get_finished_spans
    tracing._spans.cache_clear()


def named(found, name):
    return [span for span in found if span.name == name]


@pytest.mark.django_db(transaction=True)
def test_a_poll_and_its_delivery_are_told_in_numbers(traced, world):
    world.confirmed()
    world.poll()
    [*_, poll], [delivery] = named(traced(), "poll"), named(traced(), "delivery")
    assert poll.attributes["odoopoller.result"] == "ok"
    assert poll.attributes["odoopoller.orders_sent"] == 1
    assert delivery.attributes["odoopoller.result"] == "delivered"
    assert delivery.attributes["http.response.status_code"] == 200
    assert delivery.end_time >= delivery.start_time
    assert {name for span in traced() for name in span.attributes} == ALLOWED
    assert {type(value) for span in traced() for value in span.attributes.values()} == {int, str}
    assert all(not span.events and not span.links for span in traced())


def test_without_an_address_nothing_of_it_is_loaded(environment):
    code = (
        "import django, sys; django.setup(); from sync import tracing;"
        "tracing.polls([]); tracing.deliveries([]);"
        "print(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert told.stdout.strip() == "False", told.stderr


def test_an_operator_hears_that_the_packages_are_missing(monkeypatch):
    assert tracing.check_packages() == []
    monkeypatch.setitem(sys.modules, "sync.tracing_spans", None)  # as if its imports failed
    tracing._spans.cache_clear()
    with override_settings(OTLP_URL="http://127.0.0.1:4318"):
        [warning] = tracing.check_packages()
        tracing.polls([object()])
    tracing._spans.cache_clear()
    assert "pip install opentelemetry-sdk" in warning.hint
