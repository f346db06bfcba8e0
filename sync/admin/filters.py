"""Filters of the lists: what is wrong, what is open, whose it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RadioFilter, RangeDateTimeFilter
from unfold.contrib.filters.forms import AutocompleteDropdownForm

from connections.forms import EVENT_CHOICES
from connections.models import EVENTS, Connection
from sync.admin.desk import cause
from sync.admin.health import WRONG, Standing
from sync.admin.plain_values import is_key
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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("connection")

    def expected_parameters(self) -> list[str]:
        return [self.lookup_kwarg]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """A number too big for a key would only be noticed by the filter's own input."""
        if not all(is_key(Connection._meta.pk, key) for key in self.lookup_val or () if key):
            raise IncorrectLookupParameters
        rows: QuerySet[Any] = super().queryset(request, queryset)
        return rows


class ChoiceFilter(RadioFilter):  # type: ignore[misc]
    """A few choices, each a condition; with a default instead of “all”."""

    choices_shown: tuple[tuple[str, Any], ...] = ()
    conditions: Mapping[str, Q] = {}
    default = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> tuple[tuple[str, Any], ...]:
        return self.choices_shown

    def value(self) -> str:
        return super().value() or self.default

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in {"", *(word for word, _label in self.choices_shown)}:
            raise IncorrectLookupParameters
        condition = self.conditions.get(self.value())
        return queryset if condition is None else queryset.filter(condition)


class StandingFilter(ChoiceFilter):
    title = _("health")
    parameter_name = "standing"
    choices_shown = (("wrong", _("Anything wrong")), *Standing.choices)

    conditions = {"wrong": Q(standing__in=WRONG)} | {word: Q(standing=word) for word in Standing.values}


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


class MomentsFilter(RangeDateTimeFilter):  # type: ignore[misc]
    """From and until; applied with the other filters' button. A day without a time is the whole day."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The theme would show every row where a moment cannot be read."""
        form = self.form_class(name=self.field_path, data=self._given())
        if not form.is_valid():
            raise IncorrectLookupParameters
        since, until = (form.cleaned_data[f"{self.field_path}_{end}"] for end in ("from", "to"))
        asked = {f"{self.field_path}__gte": since, f"{self.field_path}__lte": until}
        return queryset.filter(**{name: moment for name, moment in asked.items() if moment})

    def _given(self) -> dict[str, str]:
        given = dict(self.used_parameters)
        for end, time in (("from", "00:00"), ("to", "23:59:59.999999")):
            if given.get(f"{self.field_path}_{end}_0") and not given.get(f"{self.field_path}_{end}_1"):
                given[f"{self.field_path}_{end}_1"] = time
        return given


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


class ProblemFilter(ChoiceFilter):
    title = _("problems")
    parameter_name = "problem"
    choices_shown = (("yes", _("With an error")), ("no", _("Without")))

    conditions = {"yes": ~Q(error_code=""), "no": Q(error_code="")}
