"""The first page: is everything all right, and if not, what to do. Its cost does not grow with the rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connections.models import Circuit, Connection
from core.admin.base import SECRETS_OF_CONNECTION, listing, many, moment, order_page, page, span
from core.admin.chart import chart
from sync.admin.health_labels import COLOURS, HealthState, counts
from sync.admin.problems import PROBLEMS_SHOWN, problems
from sync.metrics import hourly
from sync.models import RetryItem, SentOrder, Status

PAUSES_SHOWN = 8
WORST_FIRST = (
    HealthState.FAILING,
    HealthState.OPEN,
    HealthState.LATE,
    HealthState.NEEDS_PERSON,
    HealthState.PAUSED,
    HealthState.NEW,
    HealthState.DISABLED,
    HealthState.OK,
)

admin.site.index_title = gettext_lazy("Overview")


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The theme calls it for the index page."""
    may, now = request.user.has_perm, timezone.now()
    cards: list[dict[str, Any]] = []
    shown: dict[str, Any] = {"now": now, "zone": timezone.get_current_timezone_name()}
    if may("sync.view_retryitem"):
        cards += _owed_cards()
    if may("sync.view_sentorder"):
        hours = hourly.per_hour(now)
        cards += _sent_cards(hours, now)
        shown["charts"] = _charts(hours)
    if may("connections.view_connection"):
        numbers = counts(Connection.objects.all(), now)
        shown |= {"health": _health(numbers), "is_new": not numbers, "pauses": _pauses(now)}
    found = problems(request, now)
    shown |= {
        "cards": cards,
        "problems": found[:PROBLEMS_SHOWN],
        "more_problems": len(found) - PROBLEMS_SHOWN,
    }
    shown |= {"anything": bool(cards or "health" in shown), "is_well": not found}
    can = {"can_search": may_search(request), "can_add": may("connections.add_connection")}
    return context | shown | can


def may_search(request: HttpRequest) -> bool:
    may = request.user.has_perm
    return bool(may("sync.view_seenorder") or may("connections.view_connection"))


def _owed_cards() -> list[dict[str, Any]]:
    failed, waiting = (RetryItem.objects.filter(status=status) for status in (Status.FAILED, Status.PENDING))
    number, oldest = many(failed), hourly.oldest_undelivered()
    cards: list[dict[str, Any]] = [
        {
            "title": _("Need a person"),
            "number": number or 0,
            "note": _("refused too often, or unreadable"),
            "address": listing(RetryItem, status=Status.FAILED.value),
            "colour": "danger" if number else "",
        },
        {
            "title": _("Waiting"),
            "number": many(waiting) or 0,
            "note": _("sent by themselves when their time comes"),
            "address": listing(RetryItem, status=Status.PENDING.value),
        },
        {"title": _("Oldest undelivered"), "number": "–", "note": _("nothing waits")},
    ]
    if oldest is not None:
        words = {"order": oldest.order_name, "connection": oldest.connection.name}
        cards[-1] |= {
            "number": span(timezone.now() - oldest.created_at),
            "note": _("%(order)s of %(connection)s") % words,
            "address": order_page(oldest),
        }
    return cards


def _sent_cards(hours: list[tuple[datetime, int]], now: datetime) -> list[dict[str, Any]]:
    lag = hourly.lag(now)
    today = sum(count for __, count in hours[-24:])
    timely = {"title": _("From Odoo to the receiver"), "number": "–", "note": _("nothing sent in 24 hours")}
    if lag is not None:
        timely["number"] = span(lag.median)
        timely["note"] = _("half are faster; 95 of 100 within %s") % span(lag.p95)
    sent = {
        "title": _("Delivered"),
        "number": number_format(today, force_grouping=True),
        "note": _("in the last 24 hours"),
        "address": listing(SentOrder),
    }
    return [timely, sent]


def _charts(hours: list[tuple[datetime, int]]) -> list[dict[str, Any]]:
    return [
        chart("day", _("Last 24 hours"), hours[-24:], marks=4),
        chart("week", _("Last 7 days"), hours, marks=24),
    ]


def _health(numbers: dict[str, int]) -> dict[str, Any]:
    total = sum(numbers.values())
    rows = [
        {
            "label": health_state.label,
            "colour": COLOURS[health_state] or "muted",
            "count": numbers[health_state],
            "share": round(100 * numbers[health_state] / total, 2),
            "address": listing(Connection, health_state=health_state.value),
        }
        for health_state in WORST_FIRST
        if numbers.get(health_state)
    ]
    return {"rows": rows, "total": total}


def _pauses(now: datetime) -> dict[str, Any]:
    """Who paused what and why; both sides for the same reason are one line."""
    rows = Circuit.objects.paused(now).select_related("connection").defer(*SECRETS_OF_CONNECTION)
    lines: dict[tuple[int, str, str], dict[str, Any]] = {}
    for circuit in rows.order_by("-paused_at")[: 2 * PAUSES_SHOWN + 1]:
        key = (circuit.connection_id, circuit.paused_by, circuit.paused_reason)
        line = lines.setdefault(key, {"sides": [], "circuit": circuit})
        line["sides"].append(circuit.get_side_display())
    shown = [_pause(line["circuit"], line["sides"]) for line in list(lines.values())[:PAUSES_SHOWN]]
    return {
        "rows": shown,
        "more": len(lines) > PAUSES_SHOWN,
        "address": listing(Connection, health_state="paused"),
    }


def _pause(circuit: Circuit, sides: list[str]) -> dict[str, Any]:
    return {
        "address": page(circuit.connection),
        "name": circuit.connection.name,
        "sides": " + ".join(sorted(sides)),
        "by": circuit.paused_by or _("the poller"),
        "since": moment(circuit.paused_at),
        "until": moment(circuit.paused_until) if circuit.paused_until else "",
        "reason": circuit.paused_reason,
    }
