"""Conformance test of a receiver: what a good one takes and what it refuses, tried out with test events.

Every event is an `order.test` without an `order`: nothing is shipped, whatever the receiver makes of it.
Nothing of the ledger is touched, and no circuit learns from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from connections.causes import explain
from connections.errors import SecretUnreadable
from connections.http.client import RECEIVER_LIMITS
from connections.models import Connection
from connections.receiver.delivery import Outcome, Receiver, Verdict, deliver, post
from connections.receiver.signing import header_value, new_secret, signature_headers
from connections.secrets.webhook_secret import LEGACY, form_problem
from sync.events import payload

OLD = timedelta(minutes=10)  # receivers allow five
SLOW_SECONDS = 5.0  # for a body to arrive; and for an answer to be called slow
ANSWER_SHOWN = 200
BEYOND_ASCII = "Ñandú, 密码, עברית, 🎁, 1.10"

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing tried: whether the receiver did right (None: neither right nor wrong), and what to change."""

    name: str
    ok: bool | None
    did: str
    change: str
    seconds: float


def check_receiver(connection: Connection, *, clock: Clock) -> Iterator[Mark]:
    """One thing after the other, each finding when it is there; only the first if that goes wrong."""
    receiver = Receiver.of(connection)
    if receiver.unreadable:
        raise SecretUnreadable()
    if problem := form_problem(receiver.secret):
        yield Mark(_("can verify our signature"), None, problem, str(explain(LEGACY).next_step), 0)
    conversation = _Conversation(connection, receiver, clock)
    first = _good(conversation)
    yield first
    if first.ok is not False:
        for check in CHECKS:
            # Where the secret is not sent in clear, trying is no reason to.
            if check is not _only_in_clear or conversation.receiver.send_secret_header:
                yield check(conversation)


@dataclass(frozen=True, slots=True)
class _Conversation:
    connection: Connection
    receiver: Receiver
    clock: Clock

    def send(
        self,
        *,
        receiver: Receiver | None = None,
        age: timedelta = timedelta(0),
        event_id: str = "",
        slow: bool = False,
        **more: Any,
    ) -> Outcome:
        event_id = event_id or payload.event_id()
        body = payload.test_body(connection_name=self.connection.name, event_id=event_id, **more)
        limits = replace(RECEIVER_LIMITS, send_seconds=SLOW_SECONDS) if slow else RECEIVER_LIMITS
        outcome = deliver(
            receiver or self.receiver, body, event_id=event_id, now=self.clock() - age, limits=limits
        )
        return self._masked(outcome)

    def forge(self) -> Outcome:
        """Somebody else's signature, with our secret in clear all the same."""
        event_id, now = payload.event_id(), self.clock()
        body = payload.test_body(connection_name=self.connection.name, event_id=event_id)
        headers = signature_headers(
            body,
            connection_id=self.receiver.connection_id,
            event_id=event_id,
            timestamp=int(now.timestamp()),
            secrets=(new_secret(),),
            send_secret_header=False,
        )
        headers["X-Webhook-Secret"] = header_value(self.receiver.secret)
        outcome = post(self.receiver.url, body, headers, now=now, required=self.receiver.required)
        return self._masked(outcome)

    def _masked(self, outcome: Outcome) -> Outcome:
        """Also what a receiver says that it would have expected."""
        return replace(outcome, answer=self.receiver.masked(outcome.answer))


def _good(conversation: _Conversation) -> Mark:
    name, outcome = _("takes a test event"), conversation.send()
    found = _taken(name, outcome, _("Answer 200 to every event whose signature is right."))
    if found.ok and found.seconds > SLOW_SECONDS:
        return replace(found, ok=None, change=_("Answer first and work later: after 30 seconds we give up."))
    return found


def _bytes(conversation: _Conversation) -> Mark:
    change = _("Verify the bytes as they came, before anything parses them; what is written anew differs.")
    return _taken(_("takes text beyond ASCII"), conversation.send(note=BEYOND_ASCII), change)


def _forgery(conversation: _Conversation) -> Mark:
    change = _("Verify webhook-signature and answer 401: anybody could send orders.")
    other_secret = replace(conversation.receiver, secret=new_secret(), retired=())
    return _refused(_("refuses a wrong signature"), conversation.send(receiver=other_secret), change)


def _only_in_clear(conversation: _Conversation) -> Mark:
    change = _(
        "It only looks at X-Webhook-Secret. Verify webhook-signature, then switch the header off here."
    )
    return _refused(
        _("refuses a wrong signature beside the right secret in clear"), conversation.forge(), change
    )


def _old(conversation: _Conversation) -> Mark:
    change = _(
        "Compare webhook-timestamp with the clock and answer 401 beyond five minutes: whoever overheard an "
        "event could send it again."
    )
    return _refused(_("refuses an event signed ten minutes ago"), conversation.send(age=OLD), change)


def _duplicate(conversation: _Conversation) -> Mark:
    event_id = payload.event_id()
    conversation.send(event_id=event_id)
    change = _(
        "Answer 200 to a webhook-id that you know, and do nothing: after a broken connection we have to send "
        "the same event again."
    )
    return _taken(_("takes the same event twice"), conversation.send(event_id=event_id), change)


def _older(conversation: _Conversation) -> Mark:
    order = f"test_{payload.event_id()}"
    conversation.send(external_id=order, version=2)
    change = _(
        "Answer 200 to a version that is not newer than what you have, and ignore it. What you refuse is "
        "tried again and then waits for a person."
    )
    return _taken(
        _("takes an older version after a newer one"), conversation.send(external_id=order, version=1), change
    )


def _slow(conversation: _Conversation) -> Mark:
    name, outcome = _("waits for a slow body"), conversation.send(slow=True, note=BEYOND_ASCII * 40)
    change = _("Allow at least 30 seconds for a request to arrive, or answer 408: then we try again.")
    found = _taken(name, outcome, change)
    return replace(found, ok=None) if outcome.status == 408 else found


CHECKS = (_bytes, _forgery, _only_in_clear, _old, _duplicate, _older, _slow)


def _taken(name: str, outcome: Outcome, change: str) -> Mark:
    if outcome.verdict is Verdict.DELIVERED:
        return _mark(name, True, outcome, "")
    return _mark(name, False, outcome, f"{explain(outcome.code).title}. {change}")


def _refused(name: str, outcome: Outcome, change: str) -> Mark:
    if outcome.verdict is Verdict.DELIVERED:
        return _mark(name, False, outcome, change)
    if outcome.verdict is Verdict.REFUSED:
        return _mark(name, True, outcome, "")
    if outcome.verdict is Verdict.GONE:
        change = _("Answer 401. 410 means that you are gone for good, and we stop sending.")
        return _mark(name, False, outcome, change)
    return _mark(name, None, outcome, _("Answer 401. What you answered means: try again later."))


def _mark(name: str, ok: bool | None, outcome: Outcome, change: str) -> Mark:
    status = f"HTTP {outcome.status}" if outcome.status else str(explain(outcome.code).title)
    words = [status] if ok else [status, outcome.detail, outcome.answer[:ANSWER_SHOWN]]
    return Mark(name, ok, " ".join(filter(None, words)), change, outcome.duration_ms / 1000)
