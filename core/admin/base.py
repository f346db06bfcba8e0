"""What all pages have in common: the theme's classes, read-only pages, labels, moments, links."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django import forms
from django.contrib import admin
from django.db import models
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
from django.utils.translation import ngettext
from unfold.widgets import UnfoldAdminTextInputWidget

from connections.causes import explain
from connections.forms import SECRETS
from connections.plain_text import require_plain
from core.admin.access import PermissionFirstAdmin
from core.admin.lookups import CheckedAdmin

Column = TypeVar("Column", bound=Callable[..., Any])

SECRETS_OF_CONNECTION = [f"connection__{name}" for name in SECRETS]
MANY = 1000
PAYLOAD_SHOWN = 200_000  # characters; a page must open whatever an order holds
UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)


def column(description: Any, *, ordering: str | None = None) -> Callable[[Column], Column]:
    """A column of a list, or a read-only field of a page."""
    return admin.display(description=description, ordering=ordering)


class PollerAdmin(PermissionFirstAdmin, CheckedAdmin):
    """A page of the admin. Nothing is deleted in bulk: what goes with a row is too easily overlooked."""

    list_per_page = 50
    list_filter_sheet = False
    list_fullwidth = True
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    warn_unsaved_form = True

    def formfield_for_dbfield(self, db_field: models.Field[Any, Any], request: Any, **kwargs: Any) -> Any:
        """What is typed in one line reaches mails, logs and headers: nothing in it is hidden."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(db_field, models.CharField) and not db_field.choices:
            field.validators = [*field.validators, require_plain]
        return field

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = dict(super().get_actions(request))
        actions.pop("delete_selected", None)
        return actions


class ReadOnlyAdmin(PollerAdmin):
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


class MomentInput(forms.DateTimeInput):
    """The browser's own picker, in its own language."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        look = UnfoldAdminTextInputWidget().attrs["class"]
        super().__init__(attrs={"class": look}, format="%Y-%m-%dT%H:%M")


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


def coming(at: datetime | None, now: datetime | None = None) -> SafeString | str:
    """When something happens next. Its time may be over: then it is its turn."""
    now = now or timezone.now()
    return _("due now") if at is not None and at <= now else moment(at, now)


def _distance(at: datetime, now: datetime) -> str:
    seconds = (at - now).total_seconds()
    if abs(seconds) < 60:
        return _("just now") if seconds <= 0 else _("in a moment")
    if seconds < 0:
        return _("%(time)s ago") % {"time": timesince(at, now, depth=1)}
    return _("in %(time)s") % {"time": timeuntil(at, now, depth=1)}


def span(length: timedelta | float) -> str:
    """How long, in the two largest units that matter: 12 s, 3 min, 2 h 5 min, 4 days."""
    seconds = round(length.total_seconds() if isinstance(length, timedelta) else length)
    if seconds < 120:
        return _("%s s") % max(0, seconds)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if minutes < 120:
        return _("%s min") % minutes
    if hours < 48:
        return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes % 60}
    return ngettext("%s day", "%s days", days) % days


def shortly(at: datetime) -> str:
    """For tables: the day and the time, the year only where it is another."""
    local = timezone.localtime(at)
    same = local.year == timezone.localtime().year
    return date_format(local, "j M, H:i:s" if same else "j M Y, H:i:s")


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
    return render_to_string("admin/cause.html", context)


def link(url: str, text: Any, css: str = "") -> SafeString:
    return format_html('<a href="{}" class="text-link {}">{}</a>', url, css, text)


def page(row: Any) -> str:
    """The address of a row's own page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def order_page(row: Any) -> str:
    """The address of the story of an order that a row of any table names."""
    return reverse("admin:order", args=[row.connection_id, row.order_id])


def listing(model: Any, **filters: Any) -> str:
    """The address of a list, filtered."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{urlencode(filters)}" if filters else address


def many(rows: Any) -> str:
    """A number that is cheap to find out, nothing for none: beyond a thousand nobody needs it exactly."""
    count = rows.order_by()[: MANY + 1].count()
    return f"{MANY}+" if count > MANY else str(count or "")


def preformatted(text: str) -> SafeString | str:
    if not text:
        return "-"
    css = (
        "bg-base-50 dark:bg-base-800 font-mono overflow-auto p-3 rounded-default text-xs whitespace-pre-wrap"
    )
    return format_html('<pre class="{}">{}</pre>', css, harmless(text[:PAYLOAD_SHOWN]))


def pretty_json(body: bytes | memoryview) -> SafeString | str:
    """A payload to read: indented where it is JSON, as it is where not; always escaped."""
    return preformatted(pretty(body))


def pretty(body: bytes | memoryview) -> str:
    text = bytes(body).decode(errors="replace")
    with suppress(ValueError, RecursionError):
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return harmless(text[:PAYLOAD_SHOWN])


def harmless(text: str) -> str:
    """With what cannot be seen, and would turn text around or break a line, spelled as JSON does."""
    return UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
