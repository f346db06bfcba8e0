"""One delivery: sign the stored bytes, post them, judge the answer. Touches no table."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from html import escape
from time import perf_counter
from urllib.parse import quote

from connections.errors import RemoteError, SecretUnreadable, on_side, receiver_code
from connections.http.client import RECEIVER_LIMITS, Answer, Limits, request
from connections.models import Connection
from connections.receiver.required_answer import RequiredAnswer
from connections.receiver.signing import signature_headers
from connections.secrets.fields import MASK, reveal

logger = logging.getLogger("poller.delivery")

ANSWER_CHARACTERS = 4000

# The receiver is there but not for us or not at this address: every order would fare the same.
SIDE_REFUSALS = frozenset({401, 403, 404, 405, 407, 410, 501})
NOT_NOW = frozenset({408, 425, 429})


class Verdict(Enum):
    """What an answer means for the version that was sent."""

    DELIVERED = "delivered"
    AGAIN = "again"  # not now: try again later
    WAIT = "wait"  # the receiver asks for a pause
    REFUSED = "refused"  # this payload or this credential: five tries, then a person
    GONE = "gone"  # there is no receiver any more


@dataclass(frozen=True, slots=True)
class Outcome:
    """One try: what came back and what it means. `alive` is what the circuit learns; None is nothing."""

    verdict: Verdict
    alive: bool | None
    started_at: datetime
    duration_ms: int
    status: int | None = None
    code: str = ""
    detail: str = ""
    answer: str = ""
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where a connection's orders go; made once per use, so that its secrets are decrypted once.

    `retired`: secrets that were replaced, newest first, each with the moment until which it still signs.
    `required`: what a 2xx has to say to count as received.
    `unreadable`: a stored secret has no key, so nothing can be signed.
    """

    url: str
    connection_id: str
    secret: str
    send_secret_header: bool
    retired: tuple[tuple[str, datetime], ...] = ()
    required: RequiredAnswer | None = None
    unreadable: bool = False
    _spellings: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """How an answer may quote our secrets: found once, looked for in every answer."""
        secrets = (self.secret, *(secret for secret, _ in self.retired))
        spellings = tuple(form for secret in secrets for form in _spellings(secret))
        object.__setattr__(self, "_spellings", spellings)

    @classmethod
    def of(cls, connection: Connection) -> Receiver:
        """For many at once prefetch `retired_secrets`."""
        place = (connection.webhook_url, connection.external_id)
        required = RequiredAnswer.of(connection.answer_pointer, connection.answer_value)
        try:
            secret = reveal(connection.webhook_secret)
            retired = tuple((reveal(old.secret), old.valid_until) for old in connection.retired_secrets.all())
        except SecretUnreadable:  # the others of a batch go on
            return cls(*place, "", connection.send_secret_header, unreadable=True)
        return cls(*place, secret, connection.send_secret_header, retired, required)

    def signing(self, now: datetime) -> tuple[str, ...]:
        """The secrets that sign at this moment, the one in force first."""
        return (self.secret, *(secret for secret, until in self.retired if until > now))

    def masked(self, text: str) -> str:
        """An answer that echoes our headers must not put a secret on a page, however it is escaped."""
        for spelling in self._spellings:
            text = text.replace(spelling, MASK)
        return text

    def __repr__(self) -> str:
        return f"Receiver({self.url!r})"


def _spellings(secret: str) -> list[str]:
    """A secret as JSON, HTML or an address would write it, longest first."""
    spellings = {secret, secret.replace("/", "\\/"), json.dumps(secret)[1:-1], escape(secret)}
    spellings |= {quote(secret, safe=""), quote(secret)}
    return sorted(filter(None, spellings), key=len, reverse=True)


def deliver(
    receiver: Receiver, body: bytes, *, event_id: str, now: datetime, limits: Limits = RECEIVER_LIMITS
) -> Outcome:
    """Send one event. Never raises: whatever happens is an `Outcome`."""
    if receiver.unreadable:
        return Outcome(Verdict.AGAIN, False, now, 0, code="receiver_secret_unreadable")
    try:
        headers = signature_headers(
            body,
            event_id=event_id,
            timestamp=int(now.timestamp()),
            secrets=receiver.signing(now),
            connection_id=receiver.connection_id,
            send_secret_header=receiver.send_secret_header,
        )
    except ValueError as error:
        return Outcome(Verdict.REFUSED, None, now, 0, code="receiver_bad_secret", detail=str(error))
    outcome = post(receiver.url, body, headers, now=now, limits=limits, required=receiver.required)
    if not outcome.answer:
        return outcome
    # Cut only what is masked: half a secret at the end would not be found.
    return replace(outcome, answer=receiver.masked(outcome.answer)[:ANSWER_CHARACTERS])


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    now: datetime,
    limits: Limits = RECEIVER_LIMITS,
    required: RequiredAnswer | None = None,
) -> Outcome:
    """Post exactly these bytes and judge the answer; what breaks on the way is a verdict too."""
    began = perf_counter()
    try:
        answer = request("POST", url, headers=headers, body=body, limits=limits)
        return judge(answer, now=now, required=required)
    except RemoteError as error:
        error = on_side("receiver", error)
        code, detail, alive = error.code, error.detail, False
    except Exception as error:  # a fault of ours must not lose the version: it stays owed
        logger.exception("A delivery failed in our own code", extra={"event_id": headers.get("webhook-id")})
        code, detail, alive = "unknown", type(error).__name__, None
    spent = round((perf_counter() - began) * 1000)
    return Outcome(Verdict.AGAIN, alive, now, spent, code=code, detail=detail)


def judge(answer: Answer, *, now: datetime, required: RequiredAnswer | None = None) -> Outcome:
    verdict, alive = _meaning(answer.status)
    delivered = verdict is Verdict.DELIVERED
    outcome = Outcome(
        verdict,
        alive,
        now,
        round(answer.seconds * 1000),
        status=answer.status,
        code="" if delivered else receiver_code(answer.status),
        answer=answer.text,  # whole: a secret is found, and a value read, only before anything is cut
        retry_at=None if delivered else answer.retry_at(now),
    )
    return _held_to(required, outcome, answer) if delivered and required else outcome


def _held_to(required: RequiredAnswer, outcome: Outcome, answer: Answer) -> Outcome:
    """A receiver that is alive and does not say what the connection requires refuses this payload."""
    cut = len(answer.body) >= RECEIVER_LIMITS.answer_bytes
    fault = required.fault(answer.text, cut=cut)
    if fault is None:
        return outcome
    return replace(outcome, verdict=Verdict.REFUSED, code=fault.code, detail=fault.detail)


def _meaning(status: int) -> tuple[Verdict, bool | None]:
    if 200 <= status < 300:
        return Verdict.DELIVERED, True
    if status == 429:
        return Verdict.WAIT, None
    if status == 410:
        return Verdict.GONE, False
    if 400 <= status < 500 and status not in NOT_NOW:
        return Verdict.REFUSED, status not in SIDE_REFUSALS
    return Verdict.AGAIN, False
