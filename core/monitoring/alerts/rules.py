"""What one channel is to be told now: each cause once per window, reminders, and ends. No storm."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from connections.forms import SECRETS
from core.models import Alert, AlertChannel, AlertNotice, NoticeKind

# What comes and goes is not told to be over before it stayed away for so long.
SETTLED = timedelta(minutes=5)
FORGOTTEN = timedelta(days=7)

Cause = tuple[int | None, str]  # connection, code


@dataclass(slots=True)
class Choice:
    """Alerts to tell; `covered` ended as well, and are the same matter as one of `recovered`."""

    problems: list[Alert] = field(default_factory=list)
    reminders: list[Alert] = field(default_factory=list)
    recovered: list[Alert] = field(default_factory=list)
    covered: list[Alert] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.problems or self.reminders or self.recovered)


def choose(channel: AlertChannel, now: datetime) -> Choice:
    """What is due for this channel, leaving quiet hours and digests aside."""
    told = _last_notices(channel)
    lately = _told_lately(channel, now)
    choice = Choice()
    for alert in _wanted(channel, Alert.objects.filter(ended_at__isnull=True)):
        if alert.pk in told:
            remind = timedelta(hours=channel.remind_hours)
            if remind and told[alert.pk] <= now - remind:
                choice.reminders.append(alert)
        elif (alert.connection_id, alert.code) not in lately:
            choice.problems.append(alert)
    _choose_recovered(choice, channel, now)
    return choice


def may_tell(channel: AlertChannel, told_at: datetime | None, now: datetime) -> bool:
    """Outside of the channel's quiet hours, and when its next digest is due."""
    if is_quiet(channel, now):
        return False
    pause = timedelta(minutes=channel.digest_minutes)
    return told_at is None or not pause or told_at <= now - pause


def is_quiet(channel: AlertChannel, now: datetime) -> bool:
    start, end = channel.quiet_from, channel.quiet_to
    if start is None or end is None or start == end:
        return False
    local = timezone.localtime(now).time()
    return start <= local < end if start < end else local >= start or local < end


def _wanted(channel: AlertChannel, alerts: QuerySet[Alert]) -> QuerySet[Alert]:
    chosen = alerts.filter(code__in=channel.causes) if channel.causes else alerts
    secrets = [f"connection__{name}" for name in SECRETS]
    return chosen.select_related("connection").defer(*secrets).order_by("since", "pk")


def _last_notices(channel: AlertChannel) -> dict[int, datetime]:
    """When each alert that lasts was told last."""
    rows = AlertNotice.objects.filter(channel=channel, kind=NoticeKind.PROBLEM, alert__ended_at__isnull=True)
    return dict(rows.values_list("alert").annotate(at=Max("told_at")).order_by())


def _told_lately(channel: AlertChannel, now: datetime) -> set[Cause]:
    since = now - timedelta(minutes=channel.window_minutes)
    rows = AlertNotice.objects.filter(channel=channel, kind=NoticeKind.PROBLEM, told_at__gt=since)
    return set(rows.values_list("alert__connection", "alert__code"))


def _choose_recovered(choice: Choice, channel: AlertChannel, now: datetime) -> None:
    """One for each cause, from its first beginning; none while it is back, or was until a moment ago."""
    mine = AlertNotice.objects.filter(channel=channel, alert=OuterRef("pk"))
    over = Alert.objects.filter(ended_at__lte=now - SETTLED, ended_at__gt=now - FORGOTTEN).filter(
        Exists(mine.filter(kind=NoticeKind.PROBLEM))
    )
    over = over.exclude(Exists(mine.filter(kind=NoticeKind.RECOVERED)))
    lately = Alert.objects.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=now - SETTLED))
    back = set(lately.values_list("connection", "code"))
    seen: set[Cause] = set()
    for alert in _wanted(channel, over):
        cause = (alert.connection_id, alert.code)
        if cause not in back:
            (choice.covered if cause in seen else choice.recovered).append(alert)
            seen.add(cause)
