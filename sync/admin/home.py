"""The first page: what is wrong, in numbers that lead to the rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connections.models import Connection
from sync.admin.checks import quiet_findings, told
from sync.admin.connection_health import backlog, last_poll, standing_badge
from sync.admin.desk import cause, link, listing, page
from sync.admin.health import WRONG, Standing, counts, with_backlog, with_standing
from sync.admin.navigation import many
from sync.models import RetryItem, SentOrder, Status

SHOWN = 15


admin.site.index_title = gettext_lazy("Overview")


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The theme calls it for the index page."""
    may = request.user.has_perm
    cards: list[dict[str, Any]] = []
    if may("connections.view_connection"):
        cards += _connection_cards()
        context["findings"] = [told(finding) for finding in quiet_findings()[:SHOWN]]
        context |= {"troubled": _troubled(), "is_new": not Connection.objects.exists()}
    if may("sync.view_retryitem"):
        cards += _owed_cards()
    if may("sync.view_sentorder"):
        cards.append(_sent_card())
    can = {"can_search": may("sync.view_seenorder"), "can_add": may("connections.add_connection")}
    return context | {"cards": cards, **can}


def _connection_cards() -> list[dict[str, Any]]:
    numbers = counts(Connection.objects.all(), timezone.now())
    wrong = sum(numbers.get(word, 0) for word in WRONG)
    return [
        {
            "title": _("Connections that work"),
            "number": numbers.get(Standing.OK, 0),
            "note": _("of %s") % sum(numbers.values()),
            "address": listing(Connection),
        },
        {
            "title": _("Connections in trouble"),
            "number": wrong,
            "note": _("failing, circuit open or late"),
            "address": listing(Connection, standing="wrong"),
            "bad": wrong,
        },
    ]


def _owed_cards() -> list[dict[str, Any]]:
    failed, waiting = (RetryItem.objects.filter(status=status) for status in (Status.FAILED, Status.PENDING))
    return [
        {
            "title": _("Orders that need a person"),
            "number": many(failed) or 0,
            "note": _("refused too often, or unreadable"),
            "address": listing(RetryItem, status=Status.FAILED.value),
            "bad": failed.exists(),
        },
        {
            "title": _("Orders waiting"),
            "number": many(waiting) or 0,
            "note": _("sent by themselves when their time comes"),
            "address": listing(RetryItem, status=Status.PENDING.value),
        },
    ]


def _sent_card() -> dict[str, Any]:
    sent = SentOrder.objects.filter(sent_at__gte=timezone.now() - timedelta(hours=24)).order_by()
    return {
        "title": _("Orders sent"),
        "number": sent.count(),
        "note": _("in the last 24 hours"),
        "address": listing(SentOrder),
    }


def _troubled() -> dict[str, Any]:
    rows = with_backlog(with_standing(Connection.objects.without_secrets(), timezone.now()))
    rows = rows.filter(standing__in=WRONG).select_related("poll_state").prefetch_related("circuits")
    return {
        "headers": [_("connection"), _("health"), _("last poll"), _("backlog"), _("why")],
        "rows": [_row(row) for row in rows[:SHOWN]],
    }


def _row(row: Any) -> list[Any]:
    codes = [getattr(getattr(row, "poll_state", None), "error_code", "")]
    codes += [circuit.error_code for circuit in row.circuits.all()]
    why = next((cause(code) for code in codes if code), "-")
    return [link(page(row), row.name), standing_badge(row), last_poll(row), backlog(row), why]
