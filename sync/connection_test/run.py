"""The test of a connection: every stage on the way from Odoo to the receiver, one after the other.

Nothing of the ledger is touched: the receiver gets a test event, which holds no order.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from connections import same_source
from connections.models import Connection
from connections.odoo.connection_test import Step, odoo_stages
from connections.receiver.delivery import Outcome, Receiver, Verdict, deliver
from connections.receiver.signing import new_secret
from connections.secrets.webhook_secret import LEGACY, form_problem
from sync.events import payload
from sync.sources.odoo.fields import REQUIRED

ANSWER_SHOWN = 200
TWICE = "same_source_twice"
ODOO_SECONDS = 90.0  # for all calls to Odoo; with the preview and the receiver's two it stays below 240 s
ACCEPTS_ANYTHING = "receiver_accepts_wrong_signature"

# One step: name, ok (None is a warning), code (a word of `connections/causes`), detail, seconds.
Stage = Step


def run_test(connection: Connection, *, now: datetime) -> Iterator[Stage]:
    """Odoo first, then the receiver, whatever Odoo said. Each stage comes when it is done; none raises."""
    began = time.monotonic()
    yield from odoo_stages(connection, now=now, needed=REQUIRED, seconds=ODOO_SECONDS)
    yield _alone(connection)
    # A slow Odoo must not make the timestamp of the test event look like a replay.
    yield from receiver_stages(connection, now=now + timedelta(seconds=time.monotonic() - began))


def _alone(connection: Connection) -> Stage:
    others = same_source.doubles_of(connection)
    name = _("No other connection sends the same orders")
    return Stage(name, None if others else True, TWICE if others else "", same_source.named(others))


def receiver_stages(connection: Connection, *, now: datetime) -> Iterator[Stage]:
    receiver = Receiver.of(connection)
    if not receiver.unreadable and (problem := form_problem(receiver.secret)):
        yield Stage(_("The receiver can verify our signature"), None, LEGACY, problem)
    outcome = _post(receiver, connection, now)
    delivered = outcome.verdict is Verdict.DELIVERED
    yield _stage(_("The receiver takes a test event"), delivered, outcome, receiver)
    if delivered:
        yield _forgery(receiver, connection, now)


def _forgery(receiver: Receiver, connection: Connection, now: datetime) -> Stage:
    """A good receiver refuses what somebody else signed; one that does not is worth a warning."""
    other_secret = replace(receiver, secret=new_secret(), retired=())
    outcome = _post(other_secret, connection, now)
    name = _("The receiver refuses a wrong signature")
    if outcome.verdict is Verdict.DELIVERED:
        return Stage(name, None, ACCEPTS_ANYTHING, _status(outcome), _seconds(outcome))
    refused = outcome.verdict is Verdict.REFUSED  # also by what a 2xx says, where the connection asks for it
    if refused or (outcome.status is not None and 400 <= outcome.status < 500):
        return Stage(name, True, "", _status(outcome), _seconds(outcome))
    # It neither took nor refused it, as when it breaks on it: said, but orders are not in danger.
    return _stage(name, None, outcome, receiver)


def _post(receiver: Receiver, connection: Connection, now: datetime) -> Outcome:
    event_id = payload.event_id()
    body = payload.test_body(connection_name=connection.name, event_id=event_id)
    return deliver(receiver, body, event_id=event_id, now=now)


def _stage(name: Any, ok: bool | None, outcome: Outcome, receiver: Receiver) -> Stage:
    words = [outcome.detail, _status(outcome)]
    if not ok:
        words.append(receiver.masked(outcome.answer)[:ANSWER_SHOWN])
    return Stage(name, ok, outcome.code, " ".join(filter(None, words)), _seconds(outcome))


def _status(outcome: Outcome) -> str:
    return f"HTTP {outcome.status}" if outcome.status else ""


def _seconds(outcome: Outcome) -> float:
    return outcome.duration_ms / 1000
