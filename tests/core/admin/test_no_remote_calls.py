"""No page waits for a remote system: each is opened, each form sent, each action done, and none calls."""

import socket
import traceback

import pytest
from django.contrib import admin
from django.core.mail import EmailMessage

from connections.http import client as http_client
from connections.http import guard
from connections.models import Connection, RetiredSecret
from core.models import AlertChannel, ChannelTest
from sync.models import ConnectionTest, Reconciliation, Run, UnsavedTest
from tests import factories
from tests.core.admin.conftest import API_KEY, WEBHOOK_SECRET
from tests.core.admin.test_permissions import MODELS, address, routes, signed_in
from tests.sync.admin.test_connection_test_page import typed

LAST = ("delete/", "undo/", "logout/", "password_change/", "/password/")  # what would end the visit
SENT = {
    "_form_submitted": "True",
    "post": "yes",
    "days": "2",
    "reason": "because",
    "overlap_hours": "1",
    "wish": "go",
    "what": "sent",
    "since": "2020-01-01T00:00",
    "token": "t" * 32,
}


@pytest.fixture
def calls(monkeypatch, settings):
    """Where our code wanted to call another machine; it does not get there."""
    settings.EMAIL_URL = "smtp://mail.example.com"
    found = []

    def refuse(*args, **more):
        ours = [line for line in traceback.format_stack() if "/sync/" in line or "/connections/" in line]
        found.append(ours[-1].strip() if ours else "elsewhere")
        raise OSError("no page may call another machine")

    for owner, name in (
        (http_client, "_attempt"),
        (guard, "resolve"),
        (EmailMessage, "send"),
        (socket.socket, "connect"),
        (socket, "getaddrinfo"),
    ):
        monkeypatch.setattr(owner, name, refuse)
    return found


@pytest.fixture
def visit(fill, calls):
    """An administrator who sends everything; an answer that comes in pieces is waited for."""
    fill(2)
    for number, kind in enumerate(("slack", "email", "webhook")):
        factories.channel(f"channel {number}", kind=kind, target="https://a.example.com")
    client = signed_in("superuser")

    def send(route, **data):
        response = client.post(address(route), data) if data else client.get(address(route))
        return b"".join(response) if response.streaming else response.content

    return send


def in_order(found):
    return sorted(found, key=lambda route: route.endswith(LAST))


def test_looking_calls_nobody(visit, calls):
    for route in in_order(routes()):
        visit(route)
    assert calls == []


def test_pressing_calls_nobody(visit, calls):
    connection = Connection.objects.get(pk=Connection.objects.order_by("pk")[0].pk)
    RetiredSecret.objects.create(
        connection=connection, secret="s", valid_until=connection.created_at, retired_at=connection.created_at
    )
    form = typed(connection, api_key=API_KEY, webhook_secret=WEBHOOK_SECRET)
    fresh = form | {"name": "New", "external_id": "new"}
    for route in in_order(routes()):
        more = fresh if route.endswith(("connection/try/", "connection/add/")) else form
        visit(route, **more | SENT)
    assert calls == []
    assert (
        ConnectionTest.objects.exists() and ChannelTest.objects.exists() and Reconciliation.objects.exists()
    )
    assert {test.connection_id is None for test in UnsavedTest.objects.all()} == {True, False}
    assert Run.objects.filter(kind="resend").exists()


def test_doing_it_to_all_rows_of_every_list_calls_nobody(visit, calls, rf, admin_user):
    request = rf.get("/admin/")
    request.user = admin_user
    done = set()
    for label, model in MODELS.items():
        for action in admin.site._registry[model].get_actions(request):
            keys = list(map(str, model.objects.values_list("pk", flat=True)))
            visit(f"/admin/{label}/", action=action, index="0", _selected_action=keys, **SENT)
            done.add(action)
    assert calls == []
    assert done >= {"test", "poll", "reconcile", "resend", "test_alert", "run_now", "retry"}
    assert ConnectionTest.objects.count() == 2 and ChannelTest.objects.count() == AlertChannel.objects.count()
    assert Reconciliation.objects.filter(progress="waiting").count() == 2
    assert Run.objects.filter(kind="resend").exists()
