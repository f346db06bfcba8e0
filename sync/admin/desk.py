"""What all pages have in common: the theme's classes, read-only pages, labels, moments, links."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from unfold.admin import ModelAdmin

from connections.diagnosis import explain
from connections.forms import SECRETS

Column = TypeVar("Column", bound=Callable[..., Any])

SECRETS_OF_CONNECTION = [f"connection__{name}" for name in SECRETS]
PAYLOAD_SHOWN = 200_000  # characters; a page must open whatever an order holds


def column(description: Any, *, ordering: str | None = None) -> Callable[[Column], Column]:
    """A column of a list, or a read-only field of a page."""
    return admin.display(description=description, ordering=ordering)


class DeskAdmin(ModelAdmin):  # type: ignore[misc]
    """A page of the desk. Nothing is deleted in bulk: what goes with a row is too easily overlooked."""

    list_per_page = 50
    list_filter_sheet = False
    list_fullwidth = True
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    warn_unsaved_form = True

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = dict(super().get_actions(request))
        actions.pop("delete_selected", None)
        return actions


class ReadOnlyAdmin(DeskAdmin):
    """What workers write: people look at it, and act on it only through the buttons it offers."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OfConnectionAdmin(ReadOnlyAdmin):
    """Rows that belong to a connection: its name is read with them, its secrets are not."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("connection").defer(*SECRETS_OF_CONNECTION)

    @column(_lazy("connection"), ordering="connection__name")
    def of(self, row: Any) -> SafeString:
        return link(page(row.connection), row.connection.name, "whitespace-nowrap")


def two_lines(first: Any, second: Any) -> SafeString:
    """What it is, and in small what is good to know about it."""
    css = "block font-normal max-w-72 truncate text-xs text-font-subtle-light dark:text-font-subtle-dark"
    return format_html(
        '<span class="whitespace-nowrap">{}<span class="{}" title="{}">{}</span></span>',
        first,
        css,
        second,
        second,
    )


def badge(text: Any, kind: str = "", href: str = "", title: Any = "") -> SafeString:
    """A coloured label; `kind` is success, warning, danger, info or nothing."""
    values = {"text": text, "type": kind, "href": href, "label_title": title}
    return render_to_string("unfold/helpers/label.html", values)


def moment(at: datetime | None, now: datetime | None = None) -> SafeString | str:
    """How long ago, or in how long; the exact time shows when the mouse rests on it."""
    if at is None:
        return "-"
    now = now or timezone.now()
    exact = date_format(timezone.localtime(at), "DATETIME_FORMAT")
    return format_html('<span class="whitespace-nowrap" title="{}">{}</span>', exact, _distance(at, now))


def _distance(at: datetime, now: datetime) -> str:
    seconds = (at - now).total_seconds()
    if abs(seconds) < 60:
        return _("just now") if seconds <= 0 else _("in a moment")
    if seconds < 0:
        return _("%(time)s ago") % {"time": timesince(at, now, depth=1)}
    return _("in %(time)s") % {"time": timeuntil(at, now, depth=1)}


def exactly(at: datetime | None) -> str:
    return date_format(timezone.localtime(at), "DATETIME_FORMAT") if at else "-"


def cause(code: str) -> str:
    """What an error code means, in one sentence."""
    return str(explain(code).title) if code else ""


def explained(code: str, detail: str = "") -> SafeString | str:
    """What happened, what to do next, and the technical detail in small."""
    if not code:
        return "-"
    context = {"cause": explain(code), "code": code, "detail": detail}
    return render_to_string("admin/desk/cause.html", context)


def link(url: str, text: Any, css: str = "") -> SafeString:
    return format_html('<a href="{}" class="text-link {}">{}</a>', url, css, text)


def page(row: Any) -> str:
    """The address of a row's own page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def listing(model: Any, **filters: Any) -> str:
    """The address of a list, filtered."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{urlencode(filters)}" if filters else address


def preformatted(text: str) -> SafeString | str:
    if not text:
        return "-"
    css = (
        "bg-base-50 dark:bg-base-800 font-mono overflow-auto p-3 rounded-default text-xs whitespace-pre-wrap"
    )
    return format_html('<pre class="{}">{}</pre>', css, text[:PAYLOAD_SHOWN])


def pretty_json(body: bytes | memoryview) -> SafeString | str:
    """A payload to read: indented where it is JSON, as it is where not; always escaped."""
    text = bytes(body).decode(errors="replace")
    with suppress(ValueError, RecursionError):
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return preformatted(text)
