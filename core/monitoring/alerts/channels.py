"""One message to one channel: Slack, e-mail, or a webhook. Never raises: what went wrong is the answer."""

from __future__ import annotations

import logging
import secrets
import smtplib
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import orjson
from django.conf import settings
from django.core.mail import EmailMessage

from connections.http.client import Limits
from connections.plain_text import one_line
from connections.receiver.delivery import Verdict, post
from connections.receiver.signing import signatures
from connections.secrets.fields import reveal
from core.models import AlertChannel, AlertKind
from core.monitoring.alerts.messages import Message

LIMITS = Limits(whole_seconds=15, read_seconds=10, answer_bytes=4096, truncate=True)
JSON = {"Content-Type": "application/json"}

logger = logging.getLogger("poller.alerts")


class Failure(NamedTuple):
    """Why a message was not told; `retry_at` is when the other side wants to be asked again."""

    code: str
    detail: str = ""
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A channel with its secrets in hand, so that it can be told without a database."""

    name: str
    kind: str
    target: str
    secret: str
    language: str

    @classmethod
    def of(cls, channel: AlertChannel) -> Place:
        target, secret = str(reveal(channel.target)), str(reveal(channel.secret) or "")
        return cls(channel.name, channel.kind, target, secret, channel.language)

    def __repr__(self) -> str:
        return f"Place({self.name!r})"


def send(place: Place, message: Message, *, now: datetime) -> tuple[str, str]:
    """The error's code and detail; two empty texts when it was told."""
    failure = attempt(place, message, now=now)
    return (failure.code, failure.detail) if failure else ("", "")


def attempt(place: Place, message: Message, *, now: datetime) -> Failure | None:
    """None when it was told."""
    try:
        if place.kind == AlertKind.EMAIL:
            return _mail(place, message)
        body, headers = _slack(message) if place.kind == AlertKind.SLACK else _webhook(place, message, now)
    except Exception as error:  # an alert must not stop the watch
        logger.exception("An alert failed in our own code")
        return Failure("unknown", type(error).__name__)
    outcome = post(place.target, body, headers, now=now, limits=LIMITS)
    if outcome.verdict is Verdict.DELIVERED:
        return None
    detail = outcome.detail or f"HTTP {outcome.status}"
    return Failure(outcome.code or "receiver_refused", detail, outcome.retry_at)


def _slack(message: Message) -> tuple[bytes, dict[str, str]]:
    text = message.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return orjson.dumps({"text": text}), JSON


def _webhook(place: Place, message: Message, now: datetime) -> tuple[bytes, dict[str, str]]:
    body = orjson.dumps(message.data | {"text": message.text})
    if not place.secret:
        return body, JSON
    event_id, stamp = f"alert_{secrets.token_hex(12)}", int(now.timestamp())
    signed = signatures(body, event_id=event_id, timestamp=stamp, secrets=[place.secret])
    more = {"webhook-id": event_id, "webhook-timestamp": str(stamp), "webhook-signature": signed}
    return body, JSON | more


def _mail(place: Place, message: Message) -> Failure | None:
    if not settings.EMAIL_URL:
        return Failure("email_not_set_up")
    to = [address.strip() for address in place.target.split(",")]
    try:
        EmailMessage(one_line(message.subject), "\n\n".join(message.lines), to=to).send()
    except (smtplib.SMTPException, OSError) as error:
        return Failure("email_refused", type(error).__name__)
    return None
