"""System checks on what surrounds the poller: each unsafe setting has its own refusal."""

from datetime import timedelta

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection as database
from django.utils import timezone

from core.models import PollerHeartbeat
from sync import checks as sync_checks

GOOD = "k3q9-Zx7Lw2Vb8Nc1Md5Rt0Ys6Pa4Hj_Ge"
LOW = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

RANDOM = "pQ7Zk1x0c2VhdG9yX2tleV9mb3JfdGVzdHNfb25seTE="


def ids(messages):
    return [message.id for message in messages]


def test_the_settings_as_they_are_pass(db):
    assert ids(run_checks(databases=["default"])) == ["sync.W011"]  # the tests' cache is in memory


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"DEBUG": True}, []),
        ({"DEBUG": True, "BEHIND_HTTPS": True}, ["sync.E015"]),
        ({"DEBUG": True, "ALLOWED_HOSTS": ["poller.example.com", "localhost"]}, ["sync.E015"]),
        ({"BEHIND_HTTPS": True}, []),
        ({"SECRET_KEY": "short"}, ["sync.E016"]),
        ({"SECRET_KEY": "ab" * 40}, ["sync.E016"]),
        ({"SECRET_KEY": GOOD}, []),
        ({"ENCRYPTION_KEYS": [LOW]}, ["sync.E017"]),
        ({"SECRET_KEY": RANDOM, "ENCRYPTION_KEYS": [RANDOM]}, ["sync.E018"]),
        ({"DEFAULT_WEBHOOK_URL": "https://stockmaster.example.com/in"}, []),
        ({"DEFAULT_WEBHOOK_URL": "http://stockmaster.example.com/in"}, ["sync.E019"]),
        ({"DEFAULT_WEBHOOK_URL": "http://8.8.8.8/in"}, ["sync.E019"]),
        ({"DEFAULT_WEBHOOK_URL": "http://10.1.2.3/in"}, []),
    ],
)
def test_what_is_unsafe_is_refused(settings, values, expected):
    settings.ALLOWED_HOSTS, settings.ALLOWED_NETWORKS = ["127.0.0.1", "localhost"], ["10.0.0.0/8"]
    for name, value in values.items():
        setattr(settings, name, value)
    checks = (sync_checks.check_debug, sync_checks.check_keys, sync_checks.check_default_receiver)
    assert ids(message for check in checks for message in check()) == expected


@pytest.mark.parametrize(
    ("https", "proxies", "expected"),
    [(True, 0, ["sync.W030"]), (True, 1, []), (True, 2, []), (False, 0, []), (False, 1, [])],
)
def test_a_reverse_proxy_that_was_not_counted_is_named(settings, https, proxies, expected):
    settings.BEHIND_HTTPS, settings.PROXIES = https, proxies
    found = ids(run_checks(tags=["security"], include_deployment_checks=True))
    assert [id for id in found if id == "sync.W030"] == expected


@pytest.mark.parametrize(
    ("url", "production", "expected"),
    [
        ("http://stockmaster.example.com/in", True, ["sync.W020"]),
        ("http://stockmaster.example.com/in", False, []),
        ("http://127.0.0.1:8070/in", True, []),
        ("https://stockmaster.example.com/in", True, []),
    ],
)
def test_receivers_by_plain_http_are_named(make_connection, settings, url, production, expected):
    settings.BEHIND_HTTPS = production
    make_connection(name="Shop Lugo", webhook_url=url)
    found = sync_checks.check_receivers(databases=["default"])
    assert ids(found) == expected
    assert all("Shop Lugo" in message.msg for message in found)
    assert sync_checks.check_receivers() == []


@pytest.mark.skipif(database.vendor != "sqlite", reason="about SQLite")
@pytest.mark.parametrize(
    ("host", "seconds", "expected"), [("elsewhere", 5, ["sync.E021"]), ("elsewhere", 60, []), ("", 5, [])]
)
def test_another_host_on_the_same_sqlite_file_is_refused(db, host, seconds, expected):
    now = timezone.now()
    host = host or sync_checks.gethostname()
    PollerHeartbeat.objects.create(
        key="h:1",
        host=host,
        process=1,
        version="1",
        workers=1,
        started_at=now,
        seen_at=now - timedelta(seconds=seconds),
    )
    assert ids(sync_checks.check_hosts(databases=["default"])) == expected
    assert sync_checks.check_hosts() == []
    if expected:
        with pytest.raises(SystemCheckError, match="elsewhere"):
            call_command("runpoller", skip_checks=True)


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [
        (0.2, []),
        (-4.9, []),
        (5, ["sync.W023"]),
        (-30, ["sync.W023"]),
        (60, ["sync.E022"]),
        (-7200, ["sync.E022"]),
    ],
)
def test_a_clock_far_off_is_refused(ahead, expected):
    assert ids(sync_checks.judge_clock(ahead)) == expected


def test_the_databases_clock_can_be_asked(db):
    assert sync_checks.check_clock(databases=["default"]) == []
