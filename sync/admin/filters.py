"""Filters of the lists: what is wrong, what is open, whose it is."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RadioFilter
from unfold.contrib.filters.forms import AutocompleteDropdownForm

from connections.forms import EVENT_CHOICES
from connections.models import EVENTS, Connection
from sync.admin.health import WRONG, Standing
from sync.models import RetryItem, Status
from sync.models.ledger import OPEN


class ConnectionForm(AutocompleteDropdownForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # One secret that cannot be read must not break every list.
        self.fields[kwargs["name"]].queryset = Connection.objects.without_secrets()


class ConnectionFilter(AutocompleteSelectFilter):  # type: ignore[misc]
    """Rows of one connection, found by typing."""

    form_class = ConnectionForm


class ChoiceFilter(RadioFilter):  # type: ignore[misc]
    """A few choices, each a condition; with a default instead of “all”."""

    choices_shown: tuple[tuple[str, Any], ...] = ()
    default = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> tuple[tuple[str, Any], ...]:
        return self.choices_shown

    def value(self) -> str:
        return super().value() or self.default

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        condition = self.conditions().get(self.value())
        return queryset if condition is None else queryset.filter(condition)

    def conditions(self) -> dict[str, Q]:
        raise NotImplementedError


class StandingFilter(ChoiceFilter):
    title = _("health")
    parameter_name = "standing"
    choices_shown = (("wrong", _("Anything wrong")), *Standing.choices)

    def conditions(self) -> dict[str, Q]:
        return {"wrong": Q(standing__in=WRONG)} | {word: Q(standing=word) for word in Standing.values}


class BacklogFilter(ChoiceFilter):
    title = _("backlog")
    parameter_name = "owed"
    choices_shown = (("person", _("Some need a person")), ("waiting", _("Some are waiting")))

    def conditions(self) -> dict[str, Q]:
        owing = {"person": Status.FAILED, "waiting": Status.PENDING}
        return {word: Q(pk__in=_owing(status)) for word, status in owing.items()}


def _owing(status: Status) -> QuerySet[Any, Any]:
    return RetryItem.objects.filter(status=status).order_by().values("connection")


class OpenFilter(ChoiceFilter):
    """Of what is owed, people want to see what is open, unless they say otherwise."""

    title = _("status")
    parameter_name = "status"
    default = "open"
    all_option = None
    choices_shown = (("open", _("Open")), *Status.choices, ("all", _("All")))

    def conditions(self) -> dict[str, Q]:
        return {"open": Q(status__in=OPEN)} | {word: Q(status=word) for word in Status.values}


class EventFilter(ChoiceFilter):
    title = _("event")
    parameter_name = "event"
    choices_shown = tuple(EVENT_CHOICES)

    def conditions(self) -> dict[str, Q]:
        return {event: Q(event=event) for event in EVENTS}


class OrderStateFilter(ChoiceFilter):
    title = _("state")
    parameter_name = "state"
    choices_shown = (("confirmed", _("Confirmed")), ("cancelled", _("Cancelled")))

    def conditions(self) -> dict[str, Q]:
        return {"confirmed": ~Q(state="cancel"), "cancelled": Q(state="cancel")}


class StartFilter(ChoiceFilter):
    title = _("start")
    parameter_name = "seeded"
    choices_shown = (("no", _("Orders since the start")), ("yes", _("Known before the start")))

    def conditions(self) -> dict[str, Q]:
        return {"no": Q(seeded=False), "yes": Q(seeded=True)}


class HowFilter(ChoiceFilter):
    title = _("how")
    parameter_name = "how"
    choices_shown = (
        ("sent", _("Sent")),
        ("replay", _("Sent again by a person")),
        ("seeded", _("Known before the start, not sent")),
    )

    def conditions(self) -> dict[str, Q]:
        sent = Q(seeded=False, replay=False)
        return {"sent": sent, "replay": Q(replay=True), "seeded": Q(seeded=True)}


class ProblemFilter(ChoiceFilter):
    title = _("problems")
    parameter_name = "problem"
    choices_shown = (("yes", _("With an error")), ("no", _("Without")))

    def conditions(self) -> dict[str, Q]:
        return {"yes": ~Q(error_code=""), "no": Q(error_code="")}
