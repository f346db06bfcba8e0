"""Filters of the lists: what is wrong, what is open, whose it is."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from connections.forms import EVENT_CHOICES
from connections.models import EVENTS
from core.admin.base import cause
from core.admin.filters import ChoiceFilter
from sync.admin.health_labels import WRONG, HealthState
from sync.models import RetryItem, Status
from sync.models.ledger import OPEN


class HealthStateFilter(ChoiceFilter):
    title = _("health")
    parameter_name = "health_state"
    choices_shown = (("wrong", _("Anything wrong")), *HealthState.choices)

    conditions = {"wrong": Q(health_state__in=WRONG)} | {
        word: Q(health_state=word) for word in HealthState.values
    }


def _owing(status: Status) -> Q:
    return Q(pk__in=RetryItem.objects.filter(status=status).order_by().values("connection"))


class BacklogFilter(ChoiceFilter):
    title = _("backlog")
    parameter_name = "owed"
    choices_shown = (("person", _("Some need a person")), ("waiting", _("Some are waiting")))

    conditions = {"person": _owing(Status.FAILED), "waiting": _owing(Status.PENDING)}


class OpenFilter(ChoiceFilter):
    """Of what is owed, people want to see what is open, unless they say otherwise."""

    title = _("status")
    parameter_name = "status"
    default = "open"
    all_option = None
    choices_shown = (("open", _("Open")), *Status.choices, ("all", _("All")))

    conditions = {"open": Q(status__in=OPEN)} | {word: Q(status=word) for word in Status.values}


class CauseFilter(admin.SimpleListFilter):
    """By why it failed; the choices are those of what is open."""

    title = _("cause")
    parameter_name = "cause"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        codes = RetryItem.objects.open().exclude(error_code="").order_by()
        return [(code, cause(code)) for code in codes.values_list("error_code", flat=True).distinct()[:40]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(error_code=self.value()) if self.value() else queryset


class EventFilter(ChoiceFilter):
    title = _("event")
    parameter_name = "event"
    choices_shown = tuple(EVENT_CHOICES)

    conditions = {event: Q(event=event) for event in EVENTS}


class OrderStateFilter(ChoiceFilter):
    title = _("state")
    parameter_name = "state"
    choices_shown = (("confirmed", _("Confirmed")), ("cancelled", _("Cancelled")))

    conditions = {"confirmed": ~Q(state="cancel"), "cancelled": Q(state="cancel")}


class StartFilter(ChoiceFilter):
    title = _("start")
    parameter_name = "seeded"
    choices_shown = (("no", _("Orders since the start")), ("yes", _("Known before the start")))

    conditions = {"no": Q(seeded=False), "yes": Q(seeded=True)}


class HowFilter(ChoiceFilter):
    title = _("how")
    parameter_name = "how"
    choices_shown = (
        ("sent", _("Sent")),
        ("replay", _("Sent again by a person")),
        ("seeded", _("Known before the start, not sent")),
    )

    conditions = {
        "sent": Q(seeded=False, replay=False),
        "replay": Q(replay=True),
        "seeded": Q(seeded=True),
    }
