"""Tests that pages ask for: written down at once, done in the background, kept stage by stage.

No page waits for a remote system. Who asks for a test while one is under way gets that one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import orjson
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Case, QuerySet, Value, When
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connections import leases
from connections.forms import SECRETS
from connections.http.client import BODY_SECONDS, RECEIVER_LIMITS
from connections.models import Connection
from connections.secrets.fields import Secret, reveal
from core.background import slots
from core.models import AlertChannel, ChannelTest, StagedTest
from core.models.staged_test import test_lease_key
from core.monitoring.alerts.notify import send_test
from sync.connection_test.preview import SECONDS as PREVIEW_SECONDS
from sync.connection_test.preview import preview
from sync.connection_test.run import ODOO_SECONDS, Stage, run_test
from sync.models import ConnectionTest, UnsavedTest

Clock = Callable[[], datetime]
Row = dict[str, Any]
Rows = Iterable[tuple[Row, bytes | None]]

ODOO_STAGES_END = "The receiver"
# Odoo, the preview, two posts to the receiver with the beginning of their answers.
LONGEST_SECONDS = ODOO_SECONDS + PREVIEW_SECONDS + 2 * (RECEIVER_LIMITS.whole_seconds + BODY_SECONDS)
UNREADABLE: Any = gettext_lazy("The secrets can be read")
CHANNEL_STAGE: Any = gettext_lazy("The channel takes a test")
# What a test needs of a connection; the rest may be what a new one has.
TYPED = (
    "id",
    "name",
    "external_id",
    "odoo_url",
    "database",
    "username",
    "api_key",
    "company_id",
    "protocol",
    "webhook_url",
    "webhook_secret",
    "send_secret_header",
    "odoo_calls_per_second",
)


# --- Asking: no remote system is called -----------------------------------------------------------------


def ask_saved(connection_id: int, *, by: str, now: datetime) -> bool:
    """Have a connection tested as it is stored. Returns False where a test under way is joined."""
    return ConnectionTest.objects.ask({"connection_id": connection_id}, by=by, now=now, preview=None)


def ask_unsaved(key: str, connection: Connection, *, by: str, now: datetime) -> bool:
    """Have what is typed tested. Returns False where what was typed before is still being tested.

    Raises SecretUnreadable where a stored secret is needed that no key can read.
    """
    typed = {"typed": Secret(_packed(connection)), "connection_id": connection.pk or None}
    if UnsavedTest.objects.waiting(now).filter(pk=key).update(**typed):
        return True  # nobody has begun it: what was typed last counts
    return UnsavedTest.objects.ask({"key": key}, by=by, now=now, **typed)


def _packed(connection: Connection) -> str:
    return orjson.dumps({name: reveal(getattr(connection, name)) for name in TYPED}).decode()


@contextmanager
def only_test(connection_id: int) -> Iterator[None]:
    """For who tests a connection here and now. Raises UnderWay where somebody does already."""
    key, token = test_lease_key(connection_id), leases.new_token()
    if not leases.claim([key], token, now=timezone.now(), seconds=slots.HOLD_SECONDS):
        raise UnderWay
    try:
        yield
    finally:
        leases.release([key], token)


class UnderWay(Exception):
    """This connection is being tested."""


# --- Doing ----------------------------------------------------------------------------------------------


def claim(model: type[StagedTest], now: datetime) -> tuple[StagedTest, str] | None:
    """Begin the test that waits longest and whose connection nobody else tests; with its lease's token."""
    for test in _in_order(model.objects.waiting(now))[:50]:
        token = leases.new_token()
        if not leases.claim([test.lease_key], token, now=now, seconds=slots.HOLD_SECONDS):
            continue
        mine = model.objects.filter(pk=test.pk, waits=True, started_at=test.started_at)
        if mine.update(waits=False, started_at=now):
            test.waits, test.started_at = False, now
            return test, token
        leases.release([test.lease_key], token)
    return None


def _in_order(waiting: QuerySet[Any]) -> QuerySet[Any]:
    """Connections whose polls fail come last: where a hundred are tested they may hang longest."""
    if waiting.model is not ConnectionTest:
        return waiting
    failing = When(connection__poll_state__failures__gt=0, then=Value(1))
    return waiting.order_by(Case(failing, default=Value(0)), "-started_at", "pk")


def run_asked_test(test: StagedTest, token: str, *, clock: Clock = timezone.now) -> None:
    """All stages of a test that was claimed; each is kept as soon as it is there."""
    try:
        with translation.override(test.language or settings.LANGUAGE_CODE):
            for stage, body in _stages_of(test, clock):
                test.stages.append(stage)
                shown = {"preview": body} if body and isinstance(test, ConnectionTest) else {}
                _keep(test, {"stages": test.stages} | shown)
            if isinstance(test, ConnectionTest):
                _log(test)
    finally:  # one that fails in our own code ends as well, and it is asked for again
        _keep(test, {"finished_at": clock()})
        leases.release([test.lease_key], token)


def _keep(test: StagedTest, values: dict[str, Any]) -> bool:
    """False where it was asked for anew meanwhile: somebody else does it."""
    return bool(type(test).objects.filter(pk=test.pk, started_at=test.started_at).update(**values))


def _stages_of(test: StagedTest, clock: Clock) -> Rows:
    if isinstance(test, ConnectionTest):
        return _readable(lambda: Connection.objects.get(pk=test.connection_id), clock)
    if isinstance(test, ChannelTest):
        return _channel_stages(test.channel_id, clock)
    typed = reveal(test.typed) if isinstance(test, UnsavedTest) else ""
    _keep(test, {"typed": None})
    return _readable(lambda: _unpacked(typed), clock)


def _unpacked(typed: str) -> Connection:
    values = orjson.loads(typed)
    connection = Connection(**{name: Secret(v) if name in SECRETS else v for name, v in values.items()})
    connection.pk = connection.pk or 0  # no row yet: it has no old secrets
    return connection


def _readable(load: Callable[[], Connection], clock: Clock) -> Rows:
    try:
        yield from _connection_stages(load(), clock)
    except ImproperlyConfigured as error:
        yield kept(Stage(UNREADABLE, False, "unknown", str(error))), None


def _connection_stages(connection: Connection, clock: Clock) -> Iterator[tuple[Row, bytes | None]]:
    """Odoo, the preview where Odoo works, the receiver."""
    odoo_works = True
    for stage in run_test(connection, now=clock()):
        row = kept(stage)
        if odoo_works and row["name"].startswith(ODOO_STAGES_END):
            step, body = preview(connection, now=clock())
            yield kept(step), body
            odoo_works = False  # asked once
        odoo_works = odoo_works and stage.ok is not False
        yield row, None


def _channel_stages(channel_id: int, clock: Clock) -> Rows:
    began = clock()
    code, detail = send_test(AlertChannel.objects.get(pk=channel_id))
    seconds = (clock() - began).total_seconds()
    yield kept(Stage(CHANNEL_STAGE, not code, code, detail, seconds)), None


def kept(stage: Stage) -> Row:
    """A stage as it is stored, and shown again in the language of its reader."""
    with translation.override("en"):
        name = str(stage.name)
    return {
        "name": name,
        "ok": stage.ok,
        "code": stage.code,
        "detail": stage.detail[:500],
        "seconds": stage.seconds,
    }


def _log(test: ConnectionTest) -> None:
    """Into the connection's history, with what came of it."""
    person = get_user_model().objects.filter(username=test.asked_by).first()
    if person is None:
        return
    LogEntry.objects.log_actions(
        user_id=person.pk,
        queryset=[test.connection],
        action_flag=CHANGE,
        change_message=_("Test connection") + f": {test.verdict['title']}",
    )
