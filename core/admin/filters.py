"""Filters that any list may have: whose it is, a choice, from and until, with an error or without."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RadioFilter, RangeDateTimeFilter
from unfold.contrib.filters.forms import AutocompleteDropdownForm

from connections.models import Connection
from core.admin.plain_values import is_key


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


class ProblemFilter(ChoiceFilter):
    title = _("problems")
    parameter_name = "problem"
    choices_shown = (("yes", _("With an error")), ("no", _("Without")))

    conditions = {"yes": ~Q(error_code=""), "no": Q(error_code="")}
