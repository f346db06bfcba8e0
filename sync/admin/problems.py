"""What needs a person: each matter with its cause, whom it concerns, the next step, and where to go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from connections.causes import NEVER_SENT, explain
from connections.models import Connection
from core.admin.base import SECRETS_OF_CONNECTION, listing, page
from core.models import Finding
from sync.admin.health_labels import COLOURS, WRONG, HealthState, with_health_state
from sync.admin.recovery.links import recover_address
from sync.models import Question, RetryItem, Run, Status, Wish
from sync.models.question import CAUSES

ROWS_READ = 200  # of each kind; beyond that the number alone is told
PROBLEMS_SHOWN = 12
NAMES_SHOWN = 3
DETAIL_SHOWN = 40  # characters
# What the standing, the circuits and the backlog of a connection show already.
SHOWN_ELSEWHERE = (
    "poll_overdue",
    "delivery_overdue",
    "items_need_a_person",
    *NEVER_SENT,
    "odoo_circuit_open",
    "webhook_circuit_open",
    "polls_fail",
)

Place = tuple[str, str]  # address, text


@dataclass
class Problem:
    """`colour` is a word of the labels; `links` come as buttons, the first is the one to press."""

    what: str
    next_step: str
    colour: str
    label: str
    count: int = 1
    since: datetime | None = None
    places: list[Place] = field(default_factory=list)
    links: list[Place] = field(default_factory=list)

    @property
    def more(self) -> int:
        return max(0, self.count - NAMES_SHOWN) if self.places else 0

    @property
    def shown(self) -> Sequence[Place]:
        return self.places[:NAMES_SHOWN]


def quiet_findings() -> QuerySet[Finding]:
    """Problems that nothing else in the admin shows."""
    rows = Finding.objects.exclude(code__in=SHOWN_ELSEWHERE)
    return rows.select_related("connection").defer(*SECRETS_OF_CONNECTION)


def problems(request: HttpRequest, now: datetime) -> list[Problem]:
    """Worst first, in a constant number of queries."""
    may = request.user.has_perm
    found: list[Problem] = []
    if may("connections.view_connection"):
        found += _connections(now)
    if may("sync.view_retryitem"):
        found += _orders(may("sync.retry_item"))
    if may("connections.view_connection"):
        found += _findings()
    if may("sync.view_run"):
        found += _runs()
    return found


def _connections(now: datetime) -> Iterable[Problem]:
    rows: QuerySet[Any] = with_health_state(Connection.objects.without_secrets(), now)
    rows = rows.filter(health_state__in=WRONG).select_related("poll_state").prefetch_related("circuits")
    groups: dict[tuple[str, str], Problem] = {}
    for row in rows.order_by("name")[:ROWS_READ]:
        code = _why(row)
        health_state = HealthState(row.health_state)
        if (health_state, code) not in groups:
            groups[health_state, code] = _group(health_state, code)
        problem = groups[health_state, code]
        problem.count += 1
        problem.places.append((page(row), row.name))
    order = {health_state: n for n, health_state in enumerate(WRONG)}
    return [
        problem for __, problem in sorted(groups.items(), key=lambda each: order[HealthState(each[0][0])])
    ]


def _why(row: Any) -> str:
    codes = [circuit.error_code for circuit in row.circuits.all()]
    codes.insert(
        len(codes) if row.health_state == HealthState.OPEN else 0, getattr(_state(row), "error_code", "")
    )
    return next(
        (code for code in codes if code), "" if row.health_state != HealthState.LATE else "poll_overdue"
    )


def _state(row: Any) -> Any:
    return getattr(row, "poll_state", None)


def _group(health_state: HealthState, code: str) -> Problem:
    words = explain(code)
    links = [(listing(Connection, health_state=health_state.value), _("Show connections"))]
    return Problem(
        str(words.title),
        str(words.next_step),
        COLOURS[health_state],
        str(health_state.label),
        count=0,
        links=links,
    )


def _orders(may_act: bool) -> Iterable[Problem]:
    failed = RetryItem.objects.filter(status=Status.FAILED).order_by()
    groups = failed.values("error_code").annotate(
        n=Count("pk"),
        shops=Count("connection", distinct=True),
        first=Min("created_at"),
        shop=Min("connection"),
    )
    for group in groups.order_by("-n")[:PROBLEMS_SHOWN]:
        words = explain(group["error_code"] or "unknown")
        label = ngettext("%s order", "%s orders", group["n"]) % group["n"]
        only = {"connection__id__exact": group["shop"]} if group["shops"] == 1 else {}
        links = [
            (listing(RetryItem, status=Status.FAILED.value, cause=group["error_code"], **only), _("Show"))
        ]
        if may_act:
            links.insert(0, (recover_address(what="failed", cause=group["error_code"]), _("Recover")))
        yield Problem(
            str(words.title), str(words.next_step), "danger", label, since=group["first"], links=links
        )


def _findings() -> Iterable[Problem]:
    groups: dict[str, Problem] = {}
    for finding in quiet_findings()[:ROWS_READ]:
        words = explain(finding.code)
        if finding.code not in groups:
            links = [(listing(Question), _("Questions"))] if finding.code in CAUSES.values() else []
            groups[finding.code] = Problem(
                str(words.title), str(words.next_step), "warning", _("Finding"), 0, finding.since, links=links
            )
        problem = groups[finding.code]
        problem.count += 1
        if finding.connection:
            problem.places.append((page(finding.connection), _with(finding.connection.name, finding.detail)))
        else:
            problem.places.append(("", _with(_("The poller itself"), finding.detail)))
    return groups.values()


def _with(name: str, detail: str) -> str:
    """A short detail, such as the day on which a key ends, is worth its room."""
    return f"{name} ({detail})" if detail and len(detail) <= DETAIL_SHOWN else name


def _runs() -> Iterable[Problem]:
    for run in Run.objects.unfinished().filter(wish=Wish.PAUSE)[:PROBLEMS_SHOWN]:
        yield Problem(
            _("A recovery of %s orders is paused") % run.total,
            _("Resume it when the receiver can take orders again, or stop it for good."),
            "info",
            str(run.get_kind_display()),
            since=run.wished_at,
            links=[(page(run), _("Open"))],
        )
