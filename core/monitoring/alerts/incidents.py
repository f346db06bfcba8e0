"""From findings to alerts: a finding that appears opens one, and its end closes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.db import transaction

from core.models import Alert, Finding

STAGES = (1, 7)  # days before a key ends, after the first word of it
KEY_ENDS = "odoo_key_expires_soon"

Key = tuple[int | None, str, str]  # connection, cause, stage
CaughtUp = Callable[[int, datetime], int]  # what went out of a connection since then

_counters: list[CaughtUp] = []


def count_caught_up(counter: CaughtUp) -> None:
    """Have this counted when an alert of a connection ends; each app does so as it is loaded."""
    _counters.append(counter)


@transaction.atomic
def keep_up(findings: Iterable[Finding], now: datetime) -> None:
    """Open, refresh and close alerts, so that they say what the findings say."""
    found = {key_of(finding, now): finding for finding in findings}
    rows = Alert.objects.select_for_update().filter(ended_at__isnull=True)
    there: dict[Key, Alert] = {(row.connection_id, row.code, row.stage): row for row in rows}
    Alert.objects.bulk_create(_opened(key, found[key], now) for key in found if key not in there)
    changed = [row for key, row in there.items() if key in found and _differs(row, found[key])]
    Alert.objects.bulk_update(changed, ["detail", "number"], batch_size=500)
    for key, row in there.items():
        if key not in found:
            _close(row, now)


def _opened(key: Key, finding: Finding, now: datetime) -> Alert:
    connection, code, stage = key
    # A later stage begins now; the cause itself has been there for long.
    return Alert(
        connection_id=connection,
        code=code,
        stage=stage,
        detail=finding.detail,
        number=number_in(finding.detail),
        since=now if stage else finding.since,
        seen_at=now,
    )


def _differs(row: Alert, finding: Finding) -> bool:
    """Takes over what is new; `number` keeps its highest."""
    before = (row.detail, row.number)
    row.detail, row.number = finding.detail, max(row.number, number_in(finding.detail))
    return before != (row.detail, row.number)


def key_of(finding: Finding, now: datetime) -> Key:
    return (finding.connection_id, finding.code, _stage(finding, now))


def number_in(detail: str) -> int:
    return int(detail) if detail.isdecimal() and len(detail) < 9 else 0


def _stage(finding: Finding, now: datetime) -> str:
    if finding.code != KEY_ENDS:
        return ""
    try:
        ends_at = datetime.fromisoformat(finding.detail[:10]).replace(tzinfo=now.tzinfo)
    except ValueError:
        return ""
    return next((str(days) for days in STAGES if ends_at - now <= timedelta(days=days)), "")


def _close(row: Alert, now: datetime) -> None:
    """What went out meanwhile is what was caught up."""
    row.ended_at = row.seen_at = now
    if row.connection_id is not None:
        row.caught_up = sum(count(row.connection_id, row.since) for count in _counters)
    row.save()
