"""The alerts of one minute: findings become alerts, and each channel hears what is due. Safe to repeat."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction
from django.utils import timezone, translation

from connections import leases
from core.models import AlertChannel, AlertChannelState, AlertNotice, Finding, NoticeKind
from core.monitoring.alerts.channels import Failure, Place, attempt, send
from core.monitoring.alerts.incidents import keep_up
from core.monitoring.alerts.messages import message_of, test_message
from core.monitoring.alerts.rules import Choice, choose, may_tell

logger = logging.getLogger("poller.alerts")

LEASE_KEY = "alerts"
LONGEST_PAUSE = timedelta(hours=1)


def alert(findings: Iterable[Finding], now: datetime) -> int:
    """Returns how many messages left. One host at a time; another one's turn comes in a minute."""
    token = leases.new_token()
    if not leases.claim([LEASE_KEY], token, now=now):
        return 0
    try:
        keep_up(findings, now)
        return sum(_tell_apart(channel, now) for channel in AlertChannel.objects.filter(enabled=True))
    finally:
        leases.release([LEASE_KEY], token)


def send_test(channel: AlertChannel) -> tuple[str, str]:
    """At once, whatever the hour: the error's code and detail, two empty texts when it was told."""
    now = timezone.now()
    with translation.override(channel.language):
        return send(Place.of(channel), test_message(channel.name, now), now=now)


def _tell_apart(channel: AlertChannel, now: datetime) -> bool:
    """A fault of ours with one channel, or a secret that no key reads, leaves the others their alerts."""
    try:
        return _tell(channel, now)
    except DatabaseError:
        raise
    except Exception as error:
        logger.exception("An alert channel failed in our own code")
        state, _ = AlertChannelState.objects.get_or_create(channel=channel)
        _put_off(state, Failure("unknown", type(error).__name__), now)
        return False


def _tell(channel: AlertChannel, now: datetime) -> bool:
    state, _ = AlertChannelState.objects.get_or_create(channel=channel)
    if state.next_try_at is not None and state.next_try_at > now:
        return False
    if not may_tell(channel, state.told_at, now):
        return False
    choice = choose(channel, now)
    if not choice:
        return False
    with translation.override(channel.language):
        failure = attempt(Place.of(channel), message_of(choice, now), now=now)
    if failure:
        _put_off(state, failure, now)
        return False
    _record(channel, state, choice, now)
    return True


@transaction.atomic
def _record(channel: AlertChannel, state: AlertChannelState, choice: Choice, now: datetime) -> None:
    """After the message left: a crash before this repeats it."""
    kinds = (
        (NoticeKind.PROBLEM, [*choice.problems, *choice.reminders]),
        (NoticeKind.RECOVERED, [*choice.recovered, *choice.covered]),
    )
    AlertNotice.objects.bulk_create(
        AlertNotice(channel=channel, alert=each, kind=kind, told_at=now)
        for kind, alerts in kinds
        for each in alerts
    )
    state.told_at, state.next_try_at, state.failures = now, None, 0
    state.error_code = state.error_detail = ""
    state.save()


def _put_off(state: AlertChannelState, failure: Failure, now: datetime) -> None:
    """Longer each time, or as long as the channel asks; an hour at most, or alerts would fall silent."""
    own = now + timedelta(minutes=2 ** min(state.failures, 6))
    at = max(own, failure.retry_at or own)
    state.next_try_at, state.failures = min(at, now + LONGEST_PAUSE), state.failures + 1
    state.error_code, state.error_detail = failure.code, failure.detail[:300]
    state.save()
