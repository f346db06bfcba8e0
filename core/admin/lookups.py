"""What the address of a list may ask: for rows by their key, by the list's filters, and as our own links ask.

Django lets an address look up every column, also one that its reader may not see: `?body__startswith=` reads
it letter by letter, and `__regex` runs a pattern. What no filter and no link of ours needs is refused here.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from typing import Any

from django.contrib import messages
from django.contrib.admin import FieldListFilter, SimpleListFilter
from django.contrib.admin.exceptions import DisallowedModelAdminLookup, DisallowedModelAdminToField
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import get_fields_from_path
from django.contrib.admin.views.main import ChangeList as DjangoChangeList
from django.db import DataError, models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from core.admin.plain_values import RowsField, holds_nul, is_key

# SQLite takes no expression 1,000 deep, as many short words or many values would make one.
LONGEST_SEARCH = 200  # characters
MOST_VALUES = 100
NOTHING = gettext_lazy(
    "Nothing is shown: the address asks for something that this list cannot look up. "
    "Use its filters or its search box."
)
KEY_LOOKUPS = ("", "__exact", "__in")
REFUSED = (
    DisallowedModelAdminLookup,
    DisallowedModelAdminToField,
    IncorrectLookupParameters,
    DataError,
    OverflowError,  # SQLite's word for a number or a moment out of range
)


class CheckedList(ChangeList):  # type: ignore[misc]
    """A list whose rows are read before its page is written: a value out of range is found in time."""

    page_num: int

    def get_results(self, request: HttpRequest) -> None:
        self.page_num = max(1, self.page_num)
        try:
            super().get_results(request)
        except IncorrectLookupParameters:  # rows have gone meanwhile, and the last page with them
            pages = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
            self.page_num = pages.num_pages
            super().get_results(request)
        len(self.result_list)


class EmptyList(CheckedList):
    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        return rows.none()


class CheckedAdmin(ModelAdmin):  # type: ignore[misc]
    """Its list answers only what it may be asked. Anything else finds nothing, and the page says so."""

    linked_lookups: tuple[str, ...] = ()  # what links of ours ask of this list, besides its filters

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup in self.known_lookups

    @cached_property
    def known_lookups(self) -> frozenset[str | None]:
        keys = {f"{name}{lookup}" for name in ("pk", self.opts.pk.name) for lookup in KEY_LOOKUPS}
        return frozenset(keys.union(self.linked_lookups, *map(self._parameters, self.list_filter)))

    def _parameters(self, list_filter: Any) -> Iterable[str | None]:
        """The names by which an address sets a filter."""
        if isinstance(list_filter, type) and issubclass(list_filter, SimpleListFilter):
            return [list_filter.parameter_name]
        is_pair = isinstance(list_filter, tuple | list)
        make: Any  # takes None for the request: names do not depend on it
        path, make = list_filter if is_pair else (list_filter, FieldListFilter.create)
        field = get_fields_from_path(self.model, path)[-1]
        made = make(field, None, {}, self.model, self, field_path=path)
        return list(made.expected_parameters())

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return EmptyList if getattr(request, "finds_nothing", False) else CheckedList

    def get_changelist_instance(self, request: HttpRequest) -> DjangoChangeList:
        try:
            _require_plain(request.GET)
            shown: DjangoChangeList = super().get_changelist_instance(request)
        except REFUSED:
            if request.method != "POST":  # an action leads back here, where it is said
                messages.error(request, str(NOTHING))
            shown = super().get_changelist_instance(_asking_nothing(request))
        return shown

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if holds_nul([search_term]):
            return queryset.none(), False
        found: tuple[QuerySet[Any], bool]
        found = super().get_search_results(request, queryset, search_term[:LONGEST_SEARCH])
        return found

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        return None if holds_nul([object_id]) else super().get_object(request, object_id, from_field)

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Of the chosen keys those count that a row can have."""
        given = request.POST.copy()
        chosen = given.getlist(ACTION_CHECKBOX_NAME)
        given.setlist(ACTION_CHECKBOX_NAME, [key for key in chosen if is_key(self.opts.pk, key)])
        request.POST = given  # type: ignore[assignment]  # as Django's own copy is
        answer: HttpResponse | None = super().response_action(request, queryset)
        return answer

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """An address may fill in a form, but no moments: those are two inputs, which cannot read a text."""
        given: dict[str, Any] = super().get_changeform_initial_data(request)
        moments = {field.name for field in self.opts.fields if isinstance(field, models.DateTimeField)}
        return {name: value for name, value in given.items() if name not in moments}

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(db_field, request, **{"form_class": RowsField} | kwargs)


def _require_plain(asked: QueryDict) -> None:
    for name, values in asked.lists():
        if len(values) > MOST_VALUES or holds_nul([name, *values]):
            raise IncorrectLookupParameters


def _asking_nothing(request: HttpRequest) -> HttpRequest:
    nothing = copy(request)
    nothing.GET = QueryDict()
    nothing.finds_nothing = True  # type: ignore[attr-defined]
    return nothing
