"""Bars of deliveries per hour, drawn by the server, with the same numbers as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format, localize, number_format
from django.utils.translation import gettext as _

TALLEST = 100.0
LEAST = 1.5  # so that one order in a busy week can be seen

Hours = Sequence[tuple[datetime, int]]


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    height: float
    title: str


def chart(name: str, title: Any, hours: Hours, *, marks: int) -> dict[str, Any]:
    """What `admin/home/chart.html` draws; one mark below every so many bars."""
    most = max((count for __, count in hours), default=0)
    total = sum(count for __, count in hours)
    words = {"total": number_format(total, force_grouping=True), "most": number_format(most)}
    return {
        "name": name,
        "title": title,
        "summary": _("%(total)s delivered, at most %(most)s in one hour") % words,
        "width": len(hours),
        "bars": [_bar(n, at, count, most) for n, (at, count) in enumerate(hours) if count],
        "marks": _marks(hours, marks),
        "rows": _rows(hours) if len(hours) <= 24 else _days(hours),
        "first": _("Hour") if len(hours) <= 24 else _("Day"),
        "most": most,
    }


def _bar(n: int, at: datetime, count: int, most: int) -> Bar:
    height = max(LEAST, TALLEST * count / most)
    return Bar(n, round(TALLEST - height, 2), round(height, 2), f"{_hour(at)}: {number_format(count)}")


def _marks(hours: Hours, every: int) -> list[str]:
    if len(hours) <= 24:
        return [f"{timezone.localtime(at):%H:%M}" for at, __ in hours[::every]]
    return [date_format(timezone.localtime(at), "D j") for at, __ in hours[::every]]


def _rows(hours: Hours) -> list[tuple[str, str]]:
    return [(_hour(at), number_format(count, force_grouping=True)) for at, count in reversed(hours)]


def _days(hours: Hours) -> list[tuple[str, str]]:
    days: dict[Any, int] = {}
    for at, count in hours:
        day = timezone.localtime(at).date()
        days[day] = days.get(day, 0) + count
    return [(str(localize(day)), number_format(n, force_grouping=True)) for day, n in reversed(days.items())]


def _hour(at: datetime) -> str:
    return date_format(timezone.localtime(at), "D j, H:00")
