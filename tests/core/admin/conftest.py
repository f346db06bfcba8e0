"""Users of the admin, and rows of every table for its pages."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.db import connection as database
from django.test import Client
from django.utils import timezone

from connections.models import Connection
from core.models import Alert, AlertNotice, PollerHeartbeat
from sync.models import Question, Reconciliation, Run, RunRow, Status
from tests import factories

API_KEY = "canary-api-key-3141"
WEBHOOK_SECRET = "whsec_Y2FuYXJ5LXdlYmhvb2stc2VjcmV0LTI3MTgyODE4Mjg="
HOSTILE = "<script>alert('x')</script>\"'&"


@pytest.fixture
def staff(db):
    """Signs in a member of staff with these permissions: staff("sync.retry_item") -> client."""

    def sign_in(*permissions):
        user = User.objects.create_user(f"staff-{User.objects.count()}", is_staff=True)
        for name in permissions:
            app, codename = name.split(".")
            user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def shop(make_connection):
    """A connection whose secrets are canaries, polled and well."""

    def make(**values):
        connection = make_connection(api_key=API_KEY, webhook_secret=WEBHOOK_SECRET, **values)
        now = timezone.now()
        next_at = now + timedelta(minutes=1)
        factories.polled(connection, next_poll_at=next_at, last_polled_at=now, last_success_at=now)
        return connection

    return make


@pytest.fixture
def owe(db):
    """One version owed by a connection, newest of its order; every keyword replaces a value."""

    def make(connection, order_id=1, **values):
        now = timezone.now()
        sane = {"order_id": order_id, "order_name": f"S{order_id:05d}", "write_date": now, "created_at": now}
        sane |= {"event_id": f"evt_{connection.pk}_{order_id}", "body": b'{"order": {"name": "S1"}}'}
        sane |= {"status": Status.FAILED, "error_code": "receiver_refused", "next_retry_at": None}
        item = factories.owed(connection, **sane | values)
        factories.seen_as(item, order_name=sane["order_name"], version=1, write_date=now, seen_at=now)
        return item

    return make


@pytest.fixture
def fill(shop, owe):
    """Rows of every page: `n` connections, each with one row of everything."""

    def make(n, text=""):
        now = timezone.now()
        for number in range(Connection.objects.count(), Connection.objects.count() + n):
            connection = shop(name=f"{text} Filled {number}")
            factories.circuit(connection, state="open", error_code="x")
            item = owe(connection, order_name=text or "S1", error_detail=text, body=text.encode() or b"{}")
            factories.sent_as(item, version=2, event_id="evt_sent", sent_at=now)
            for attempt in range(3):
                result = {
                    "status": 422,
                    "error_code": "receiver_refused",
                    "error_detail": text,
                    "answer": text,
                }
                factories.tried(item, number=attempt + 1, started_at=now, **result)
            fault = {"error_code": "odoo_timeout", "error_detail": text}
            factories.logged(connection, started_at=now, finished_at=now, **fault)
            fill_checks(connection, text, now)
            fill_runs(connection, item, text, now)
            fill_theirs(number, text, now)

    return make


def fill_checks(connection, text, now):
    factories.found(connection, "odoo_clock_skew", detail=text, since=now, seen_at=now)
    PollerHeartbeat.objects.create(
        key=f"h:{connection.pk}", host=text[:90], process=1, workers=4, started_at=now, seen_at=now
    )
    channel = factories.channel(f"{text}{connection.pk}", target=API_KEY)
    alert = Alert.objects.create(
        connection=connection, code="polls_fail", detail=text, since=now, seen_at=now
    )
    AlertNotice.objects.create(channel=channel, alert=alert, kind="problem", told_at=now)
    Question.objects.create(
        connection=connection,
        kind="old_orders",
        detail={"orders": 60, "open": 3, "note": text},
        asked_at=now,
        answered_by=text[:90],
    )
    Reconciliation.objects.create(
        connection=connection,
        since=now,
        requested_at=now,
        requested_by=text,
        progress="done",
        counts={"missing": 1},
        differences=[{"order_id": 1, "order": text, "verdict": "missing"}],
        error_detail=text,
    )


def fill_runs(connection, item, text, now):
    run = Run.objects.create(
        kind="discard",
        token=f"token-{connection.pk}",
        asked_by="ana",
        asked_at=now,
        next_at=now,
        reason=text,
        total=1,
        wish="pause",
    )
    row = {"connection": connection, "order_id": 1, "order_name": text or "S1", "version": 1}
    RunRow.objects.create(run=run, item_id=item.pk, state="left", why="gone", done_at=now, **row)


def fill_theirs(number, text, now):
    """Rows of the pages of other apps."""
    task = {"name": f"{text}{number}", "func": "sync.tasks.tick", "started": now, "stopped": now}
    for model, ok in (("Success", True), ("Failure", False)):
        apps.get_model("django_q", model).objects.create(
            id=f"{model}{number}", success=ok, result=text, **task
        )
    apps.get_model("django_q", "Schedule").objects.create(name=f"{text}{number}", func="sync.tasks.tick")
    apps.get_model("django_q", "OrmQ").objects.create(key="odoopoller", payload=text, lock=now)
    User.objects.create(username=f"{text}{number}")
    Group.objects.create(name=f"{text}{number}")
    login = {"username": f"{text}{number}", "ip_address": "10.0.0.1", "user_agent": text, "path_info": text}
    for model in (AccessAttempt, AccessLog, AccessFailureLog):
        model.objects.create(**login, **({"failures_since_start": 1} if model is AccessAttempt else {}))


def said(response):
    """The messages a person reads after an act."""
    return " ".join(str(message) for message in response.context["messages"])


def spoil_secrets():
    """No key can read what is stored, as after the key was lost."""
    with database.cursor() as cursor:
        cursor.execute("UPDATE connections_connection SET api_key = %s, webhook_secret = %s", [b"x", b"x"])
