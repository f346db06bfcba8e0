"""What `manage.py check` says about secrets, networks, authorities and the proxy."""

import pytest
from cryptography.fernet import Fernet
from django.core.checks import run_checks
from django.db import OperationalError
from django.db.models import QuerySet

from tests.connections.http.loopback_server import Authority


def found(**asked):
    return [message.id for message in run_checks(**asked) if message.id.startswith("connections.")]


def test_nothing_is_found_wrong_with_the_defaults(settings):
    settings.ALLOWED_NETWORKS = ["127.0.0.0/8", "10.0.0.0/8"]

    assert found() == []


@pytest.mark.parametrize(
    ("networks", "ids"),
    [
        (["10.0.0.0/33"], ["connections.E002"]),
        (["intranet"], ["connections.E002"]),
        (["10.0.0.1/8"], ["connections.E002"]),
        (["0.0.0.0/0"], ["connections.W003"]),
        (["169.254.0.0/16"], ["connections.W003"]),
        (["fd00::/8"], ["connections.W003"]),
        (["192.168.0.0/16"], []),
    ],
)
def test_networks_that_cannot_be_read_or_open_too_much(settings, networks, ids):
    settings.ALLOWED_NETWORKS = networks

    assert found() == ids


def test_a_private_authority_can_be_loaded(settings, tmp_path):
    settings.CA_BUNDLE = str(Authority(tmp_path).path)

    assert found() == []


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_private_authority_that_cannot_be_loaded(settings, tmp_path, content):
    if content:
        (tmp_path / "ca.pem").write_text(content)
    settings.CA_BUNDLE = str(tmp_path / "ca.pem")

    assert found() == ["connections.E004"]


@pytest.mark.parametrize("url", ["proxy:3128", "ftp://proxy", "http://"])
def test_a_proxy_that_is_none(settings, url):
    settings.PROXY_URL = url

    assert found() == ["connections.E005"]


def test_a_proxy_with_a_password(settings):
    settings.PROXY_URL = "http://user:secret@proxy.example:3128"

    assert found() == []


@pytest.mark.django_db
def test_secrets_that_no_key_opens(connection, settings):
    assert found(databases=["default"]) == []

    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    assert found(databases=["default"]) == ["connections.E001"]


@pytest.mark.django_db
def test_before_the_first_migrate_there_is_nothing_to_open(monkeypatch):
    def iterator(rows):
        raise OperationalError("no such table")

    monkeypatch.setattr(QuerySet, "iterator", iterator)

    assert found(databases=["default"]) == []
