"""/healthz, /readyz and /metrics: what they tell, and to whom."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from core.background.heartbeat import Heartbeat
from core.models import PollerHeartbeat
from sync.models import PollState
from tests.factories import owed, polled

pytestmark = pytest.mark.django_db


@pytest.fixture
def read(client):
    """Every sample of /metrics: {(name, labels): value}."""

    def read(**headers):
        answer = client.get("/metrics", **headers)
        assert answer.status_code == 200
        families = text_string_to_metric_families(answer.content.decode())
        return {
            (sample.name, tuple(sorted(sample.labels.values()))): sample.value
            for family in families
            for sample in family.samples
        }

    return read


def test_healthz_needs_nothing(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/healthz").json() == {"status": "ok"}


def test_readyz_of_a_fresh_installation(client):
    assert client.get("/readyz").json() == {"status": "ok"}


def test_readyz_tells_of_overdue_connections_and_the_web_stays_ready(client, connection):
    polled(connection, next_poll_at=timezone.now() - timedelta(minutes=10))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["wrong"]) == (503, {"connections": "1 overdue"})
    assert client.get("/readyz?for=web").status_code == 200


def test_readyz_tells_of_a_poller_that_died(client, clock):
    now = timezone.now()
    Heartbeat(workers=4).record(now - timedelta(minutes=5))
    assert "no poller since" in client.get("/readyz").json()["wrong"]["ticks"]
    PollerHeartbeat.objects.update(seen_at=now)
    assert client.get("/readyz").status_code == 200


def test_readyz_without_its_queue_and_without_a_migration(client, monkeypatch):
    def away():
        raise ConnectionError

    monkeypatch.setattr("core.background.queue.depth", away)
    assert client.get("/readyz?for=web").json()["wrong"] == {"broker": "ConnectionError"}
    monkeypatch.setattr("odoopoller.health.MigrationExecutor.migration_plan", lambda *args: [1])
    assert client.get("/readyz").json()["wrong"] == {"migrations": "1 missing"}


def test_readyz_without_a_database(client, monkeypatch):
    def away(*args):
        raise OperationalError

    monkeypatch.setattr("odoopoller.health.MigrationExecutor", away)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["wrong"]) == (503, {"database": "OperationalError"})


def test_metrics_are_for_the_near_and_for_who_has_the_token(client, settings):
    settings.METRICS_TOKEN = "open sesame"
    assert client.get("/metrics").status_code == 200
    far = {"REMOTE_ADDR": "10.1.2.3"}
    assert client.get("/metrics", **far).status_code == 403
    assert client.get("/metrics", **far, HTTP_AUTHORIZATION="Bearer wrong").status_code == 403
    assert client.get("/metrics", **far, HTTP_AUTHORIZATION="Bearer open sesame").status_code == 200
    settings.METRICS_NETWORKS = ["10.1.0.0/16"]
    assert client.get("/metrics", **far).status_code == 200


def test_who_comes_through_a_proxy_is_not_near(client, settings):
    for name in ("HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_FORWARDED", "HTTP_X_FORWARDED_PROTO"):
        assert client.get("/metrics", **{name: "203.0.113.5"}).status_code == 403
    settings.METRICS_TOKEN = ""
    answer = client.get("/metrics", HTTP_X_REAL_IP="203.0.113.5", HTTP_AUTHORIZATION="Bearer ")
    assert answer.status_code == 403


def test_gauges_tell_how_connections_stand(read, connection):
    polled(connection, window_at=timezone.now() - timedelta(seconds=90))
    owed(connection, number=1, created_at=timezone.now() - timedelta(hours=1))
    owed(connection, number=2, status="failed", next_retry_at=None)
    Heartbeat(workers=4).record(timezone.now())
    samples = read()
    name = connection.external_id
    assert samples["odoopoller_orders_owed", tuple(sorted((name, "pending")))] == 1
    assert samples["odoopoller_orders_owed", tuple(sorted((name, "failed")))] == 1
    assert samples["odoopoller_oldest_owed_seconds", (name,)] > 3500
    assert samples["odoopoller_window_lag_seconds", (name,)] >= 90
    assert samples["odoopoller_connections", ("late",)] == 1
    assert samples["odoopoller_pollers", ("0.1.0",)] == 1


def test_many_connections_are_told_as_one(read, make_connection, settings):
    settings.METRICS_CONNECTIONS = 2
    for _ in range(3):
        owed(make_connection())
    samples = read()
    assert samples["odoopoller_orders_owed", ("all", "pending")] == 3
    assert not [key for key in samples if "shop-1" in key[1]]


def test_metrics_cost_the_same_for_many_connections(client, make_connection, django_assert_max_num_queries):
    for _ in range(20):
        connection = make_connection()
        polled(connection)
        owed(connection)
    with django_assert_max_num_queries(22):
        assert client.get("/metrics").status_code == 200


def test_metrics_tell_no_secret(client, connection):
    PollState.objects.create_missing(timezone.now())
    connection.refresh_from_db()
    text = client.get("/metrics").content.decode()
    assert connection.api_key.reveal() not in text and connection.webhook_secret.reveal() not in text
