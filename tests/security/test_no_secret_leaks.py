"""Marked secrets and marked customers are put into everything; then everything is searched for them."""

import base64
import functools
import io
import json
import logging
import pickle
import traceback
from datetime import timedelta
from urllib.parse import quote

import pytest
import responses
import sentry_sdk
from django.conf import settings as django_settings
from django.contrib.auth.models import Group, User
from django.core import mail, serializers
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ, Schedule, Task
from django_q.signing import SignedPackage

from connections import webhook_rotation
from core.background.safe_errors import TaskFailed
from core.monitoring import sentry
from core.monitoring.log_format import JSONFormatter, TextFormatter
from sandbox.http.answer import Answer
from sandbox.odoo.access import ApiKey
from sandbox.odoo.sales import Line
from sync import due, tasks
from sync.erasure import erase
from sync.models import DeliveryAttempt, RetryItem, SyncLog
from sync.repair import deep_check, reconcile
from tests.conftest import Clock
from tests.core.admin.test_every_page import MODELS, pages_of
from tests.core.monitoring.test_sentry import Kept
from tests.world import World

API_KEY = "canaryapikey0123456789abcdef0123456789ab"
INNER = b"canary-webhook-secret-now-0123456789"
INNER_OLD = b"canary-webhook-secret-old-0123456789"
INNER_NEW = b"canary-webhook-secret-new-0123456789"
NOW_SECRET, OLD_SECRET, NEW_SECRET = (
    "whsec_" + base64.b64encode(inner).decode() for inner in (INNER, INNER_OLD, INNER_NEW)
)
TYPED = "canarytypedkey-in-a-form-that-is-refused"
SECRETS = [
    API_KEY,
    NOW_SECRET,
    OLD_SECRET,
    NEW_SECRET,
    TYPED,
    INNER.decode(),
    INNER_OLD.decode(),
    INNER_NEW.decode(),
    django_settings.SECRET_KEY,
    *django_settings.ENCRYPTION_KEYS,
]
NAME, EMAIL, PHONE = "Canaria Pérez", "canaria.perez@customer.example", "+34 600 111 999"
PERSON = [NAME, EMAIL, PHONE, "Canaria", "canaria.perez"]


def spellings(mark):
    """A mark as JSON, an address, HTML or base64 would write it."""
    text = {mark, json.dumps(mark)[1:-1], quote(mark), quote(mark, safe=""), mark.encode().hex()}
    text |= {
        base64.b64encode(mark.encode()).decode().rstrip("="),
        base64.b64encode(mark.encode()[1:]).decode()[4:],
    }
    return text | {mark.replace("+", "&#43;"), mark.replace("é", "&eacute;"), repr(mark)[1:-1]}


@functools.cache
def spelled(marks):
    return sorted({spelling for mark in marks for spelling in spellings(mark)})


def found(marks, text):
    """One search for each spelling: on a page, ten times as fast as one expression of them all."""
    return [spelling for spelling in spelled(tuple(marks)) if spelling in text]


class Everything(logging.Handler):
    """Every record of every logger, in both forms."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.lines = []

    def emit(self, record):
        self.lines += [JSONFormatter().format(record), TextFormatter().format(record)]

    @property
    def text(self):
        return "\n".join(self.lines)


@pytest.fixture
def logs(monkeypatch):
    """Also of those that keep their lines to themselves, down to DEBUG."""
    handler, loggers = Everything(), [logging.getLogger()]
    named = [
        logger for logger in logging.Logger.manager.loggerDict.values() if isinstance(logger, logging.Logger)
    ]
    loggers += [logger for logger in named if not logger.propagate]
    for logger in [*loggers, *named]:
        monkeypatch.setattr(logger, "level", logging.DEBUG)
        logger.manager._clear_cache()
    for logger in loggers:
        logger.addHandler(handler)
    yield handler
    for logger in loggers:
        logger.removeHandler(handler)
        logger.manager._clear_cache()


@pytest.fixture
def world(db, settings, logs):
    """A shop whose customer and keys are marked; the receiver quotes what it got."""
    settings.ALLOWED_NETWORKS = ["127.0.0.0/8"]
    # The commands go by the real clock.
    now = timezone.now().replace(microsecond=0)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        world = World(Clock(now - timedelta(minutes=10)), mock, 17)
        shop, connection = world.shop, world.connection
        shop.poller.keys.append(ApiKey(API_KEY))
        connection.api_key, connection.webhook_secret = API_KEY, OLD_SECRET
        connection.save()
        webhook_rotation.rotate(connection, NOW_SECRET, overlap=timedelta(days=2), by="ana", now=now)
        connection.refresh_from_db()
        world.receiver.set_secrets("main")
        world.customer = shop.add_partner(NAME, email=EMAIL, phone=PHONE, street=f"Calle de {NAME} 1")
        world.poll()
        world.clock.advance(60)
        yield world


def order(world):
    order_id = world.shop.quotation(
        world.customer, [Line(world.shop.product_id, quantity=1)], note=f"<p>For {NAME}</p>"
    )
    world.shop.confirm(order_id)
    return order_id


def quoting(status):
    """A receiver that answers with all it was sent, headers and body."""

    def receive(method, path, headers, body):
        told = json.dumps(dict(headers)) + body.decode()
        return Answer(status, told.encode(), {"Content-Type": "text/plain", "X-Echo": "yes"})

    return receive


def live_through(world):
    """Orders that arrive, that are refused, that cannot be read; an Odoo that quotes our key; an outage."""
    order(world)
    world.wait(seconds=60)
    world.receive = quoting(422)
    order(world)
    world.wait(minutes=3)
    world.receive = quoting(500)
    order(world)
    world.wait(minutes=2)
    for kind in ("error_500", "html", "garbage", "pg_down", "down", "rate_limit"):
        world.shop.faults.fail_next(1, kind)
        world.poll()
    handle, said = world.odoo._jsonrpc.prepare, f"Access denied for {API_KEY}\n{NAME}"
    quoted = {"error": {"data": {"name": "odoo.exceptions.AccessDenied", "message": said, "debug": said}}}
    world.odoo._jsonrpc.prepare = lambda *r: ("", lambda pg_down: Answer(200, json.dumps(quoted).encode()))
    world.poll()
    world.odoo._jsonrpc.prepare = handle
    world.poll()
    deep_check.deep_check(world.connection, clock=world.clock)
    reconcile.reconcile_due(world.connection, clock=world.clock)
    assert RetryItem.objects.filter(status="pending").exists()
    assert DeliveryAttempt.objects.filter(answer__contains="Canaria").exists()
    assert SyncLog.objects.exclude(error_code="").exists()


COMMANDS = [
    ["status"],
    ["status", "--json"],
    ["connections"],
    ["connections", "--json"],
    ["synclogs", "-n", "50"],
    ["synclogs", "-n", "50", "--json"],
    ["retries"],
    ["retries", "--json"],
    ["testconnection", "1"],
    ["checkreceiver", "1"],
    ["checkledger"],
    ["checkpoller"],
    ["resend", "--connection", "1", "--last", "1"],
    ["reconcile", "-c", "1"],
    ["rotatekeys", "--check"],
    ["exportconnections"],
    ["nudgeaddress", "1"],
    ["check"],
    ["check", "--deploy"],
    ["editconnection", "1", "--name", "Renamed"],
]


def printed(line, connection):
    out = io.StringIO()
    line = [
        str(connection.pk) if part == "1" and before != "--last" else part
        for before, part in zip(["", *line], line, strict=False)
    ]
    try:
        call_command(*line, stdout=out, stderr=out)
    except (CommandError, SystemExit) as error:
        out.write(str(error))
    return out.getvalue()


def test_no_log_knows_a_secret_or_a_customer(world, logs):
    live_through(world)
    assert len(logs.lines) > 10
    assert not found(SECRETS + PERSON, logs.text)


def test_no_command_prints_a_secret_or_a_customer(world, logs):
    live_through(world)
    for line in COMMANDS:
        text = printed(line, world.connection)
        assert not found(SECRETS + PERSON, text), line
    assert not found(SECRETS + PERSON, logs.text)


@pytest.mark.parametrize("group", ["Viewer", "superuser"])
def test_no_page_shows_a_secret_and_payloads_only_who_may_see_them(world, logs, monkeypatch, group):
    live_through(world)
    # A record with a whole context for each variable that a page does not have: the form below has them too.
    monkeypatch.setattr(logging.getLogger("django.template"), "level", logging.INFO)
    logging.Logger.manager._clear_cache()
    client, user = Client(), User.objects.create_user("ana", is_staff=True, is_superuser=group == "superuser")
    if group != "superuser":
        user.groups.add(Group.objects.get(name=group))
    client.force_login(user)
    item = RetryItem.objects.exclude(body=None).first()
    names = [f"{model._meta.app_label}_{model._meta.model_name}_change" for model in MODELS]
    keys = [model.objects.values_list("pk", flat=True)[:3] for model in MODELS]
    more = [
        reverse(f"admin:{name}", args=[pk]) for name, some in zip(names, keys, strict=True) for pk in some
    ]
    home = reverse("admin:index")
    more += [home, f"{home}?q={item.order_name}", f"{home}?q=nobody"]
    told = []
    for page in [*more, *(page for model in MODELS for page in pages_of(model))]:
        response = client.get(page, follow=True)
        html = response.content.decode()
        assert not found(SECRETS, html), page
        told += [page] if found(PERSON, html) else []
    if group == "Viewer":
        assert told == []
    else:
        assert told
        assert all(
            "/retryitem/" in page or "/deliveryattempt/" in page or "/seenorder/" in page for page in told
        )
    assert not [page for page in told if page.endswith(("retryitem/", "deliveryattempt/", "seenorder/"))]
    assert not found(SECRETS + PERSON, logs.text)


def test_a_form_that_is_refused_does_not_show_what_was_typed_into_secrets(world, admin_client, logs):
    data = {"name": "", "api_key": TYPED, "webhook_secret": TYPED, "odoo_url": "nonsense"}
    for page in (
        reverse("admin:connections_connection_add"),
        reverse("admin:connections_connection_change", args=[world.connection.pk]),
    ):
        response = admin_client.post(page, data)
        assert response.status_code == 200
        assert not found(SECRETS, response.content.decode())
    assert not found(SECRETS, logs.text)


# --- What breaks in our own code


def breaks(*args, **kwargs):
    """As PostgreSQL speaks of a row that it refuses, with everything in the frames."""
    key, body, person = API_KEY, NOW_SECRET.encode(), NAME
    try:
        raise ValueError(f"Failing row contains ({person}, {EMAIL})")
    except ValueError as error:
        raise IntegrityError(f"null value\nDETAIL: Failing row ({person}, {key}, {body})") from error


@pytest.mark.parametrize("html", [False, True])
def test_a_mail_about_an_error_has_no_values(world, logs, settings, monkeypatch, html):
    settings.ADMINS = [("Ops", "ops@example.com")]
    settings.DATABASE_URL = f"postgres://poller:{TYPED}@db/poller"
    handler = next(h for h in logging.getLogger("django").handlers if hasattr(h, "include_html"))
    monkeypatch.setattr(handler, "include_html", html)
    monkeypatch.setattr("connections.models.Connection.full_clean", breaks)
    monkeypatch.setattr("connections.forms.ConnectionForm.is_valid", breaks)
    User.objects.create_superuser("ana", password="a long password")
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.get(username="ana"))
    page = reverse("admin:connections_connection_change", args=[world.connection.pk])
    response = client.post(f"{page}?q={NAME}", {"name": NAME, "api_key": TYPED, "webhook_secret": NEW_SECRET})
    assert response.status_code == 500
    assert not found(SECRETS + PERSON, response.content.decode())
    [sent] = mail.outbox
    whole = sent.message().as_string() + sent.body + "".join(str(part) for part, _ in sent.alternatives)
    assert "IntegrityError" in whole and "breaks" in whole
    assert not found(SECRETS + PERSON, whole)
    assert not found(SECRETS + PERSON, logs.text)
    assert "IntegrityError" in logs.text


def test_what_the_queue_keeps_has_no_values(world, logs, monkeypatch):
    live_through(world)
    tasks.hand_out(tasks.POLL, due.claim_polls(world.clock.advance(600), 10))
    tasks.hand_out(tasks.DELIVER, due.claim_deliveries(world.clock.advance(600), 10))
    tasks.check()
    kept = [SignedPackage.loads(row.payload) for row in OrmQ.objects.all()]
    assert {task["func"] for task in kept} >= {tasks.POLL, tasks.DELIVER}
    assert not found(SECRETS + PERSON, repr(kept) + str(pickle.dumps(kept)))
    monkeypatch.setattr("sync.polling.poll.poll", breaks)
    monkeypatch.setattr("sync.deliveries.dispatcher.deliver_due", breaks)
    monkeypatch.setattr("sync.findings.watch", breaks)
    for work, *args in [(tasks.poll, "token", [1]), (tasks.deliver, "token", [1]), (tasks.watch,)]:
        with pytest.raises(TaskFailed) as raised:
            work(*args)
        kept_of_it = (
            f"{raised.value} : {''.join(traceback.format_exception(raised.value))}"  # as django-q2 does
        )
        assert "IntegrityError" in kept_of_it
        assert not found(SECRETS + PERSON, kept_of_it)
    rows = [str(row) for model in (Task, Schedule) for row in model.objects.values()]
    assert not found(SECRETS + PERSON, "\n".join(rows))
    assert not found(SECRETS + PERSON, logs.text)


def test_a_fault_of_ours_while_delivering_or_reading_is_told_without_values(world, logs, monkeypatch):
    order(world)
    reported = []
    sentry_sdk.init("https://key@sentry.example.com/1", transport=Kept(reported), before_send=sentry.scrubbed)
    monkeypatch.setattr("connections.receiver.delivery.request", breaks)
    world.wait(minutes=1)
    monkeypatch.setattr("sync.polling.poll.read_whole", breaks)
    order(world)
    world.wait(minutes=1)
    sentry_sdk.init(dsn="")
    assert "failed in our own code" in logs.text
    assert not found(SECRETS + PERSON, logs.text)
    assert len(reported) >= 2
    assert not found(SECRETS + PERSON, json.dumps(reported, default=str))


def test_a_dump_of_the_database_has_no_secret(world):
    live_through(world)
    rows = [row for model in erase.tables() for row in model._default_manager.order_by("pk")]
    text = serializers.serialize("json", rows)  # what `dumpdata` writes
    assert world.connection.name in text and len(rows) > 10
    assert not found(SECRETS, text)


def test_new_secrets_are_shown_by_the_session_and_not_by_a_cookie(world, admin_client):
    page = reverse("admin:connections_connection_changelist")
    response = admin_client.get(page)
    assert "messages" not in response.cookies
    assert django_settings.MESSAGE_STORAGE.endswith("SealedStorage")
