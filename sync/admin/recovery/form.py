"""Recovery after an outage: choose, look at what it is, be asked (twice where it is much), and let it run."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, F, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from connections.limits import plausible
from connections.models import Connection
from core.admin.base import SECRETS_OF_CONNECTION, MomentInput, cause, exactly, order_page, page, shortly
from core.admin.plain_values import posted_token
from sync.admin.recovery.begin import begin_run
from sync.models import RetryItem, Run, RunKind, Status
from sync.models.ledger import OPEN
from sync.repair import recovery
from sync.repair.recovery import Choice

SAMPLE = 10
SHOPS_SHOWN = 8

# The word of the form -> what is done, to what, the words, the right it takes.
WHATS: dict[str, tuple[str, str, Any, str]] = {
    "failed": (RunKind.RETRY, "failed", gettext_lazy("Deliver what needs a person"), "sync.retry_item"),
    "pending": (
        RunKind.RETRY,
        "pending",
        gettext_lazy("Deliver now what waits for its next try"),
        "sync.retry_item",
    ),
    "open": (RunKind.RETRY, "open", gettext_lazy("Deliver both now"), "sync.retry_item"),
    "sent": (
        RunKind.RESEND,
        "",
        gettext_lazy("Send again what was delivered, as it is in Odoo now"),
        "sync.resend_order",
    ),
    "discard": (RunKind.DISCARD, "failed", gettext_lazy("Give up what needs a person"), "sync.discard_item"),
    "discarded": (
        RunKind.RETRY,
        "discarded",
        gettext_lazy("Take back what was given up, and deliver it"),
        "sync.retry_item",
    ),
}
PRESS: dict[str, Any] = {
    RunKind.RETRY: gettext_lazy("Recover"),
    RunKind.RESEND: gettext_lazy("Send again"),
    RunKind.DISCARD: gettext_lazy("Discard"),
}


class RecoverForm(forms.Form):
    """What was hit by the outage. Every part narrows it down."""

    what = forms.ChoiceField(label=gettext_lazy("What to do"), widget=UnfoldAdminSelectWidget)
    connection = forms.ModelChoiceField(
        label=gettext_lazy("Connection"),
        queryset=Connection.objects.none(),
        required=False,
        empty_label=gettext_lazy("All connections"),
        widget=UnfoldAdminSelectWidget,
    )
    cause = forms.ChoiceField(label=gettext_lazy("Cause"), required=False, widget=UnfoldAdminSelectWidget)
    since = forms.DateTimeField(
        label=gettext_lazy("From"), required=False, validators=[plausible], widget=MomentInput
    )
    until = forms.DateTimeField(
        label=gettext_lazy("Until"), required=False, validators=[plausible], widget=MomentInput
    )

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        may = request.user.has_perm
        whats: Any = self.fields["what"]
        whats.choices = [(word, what[2]) for word, what in WHATS.items() if may(what[3])]
        shops: Any = self.fields["connection"]
        shops.queryset = Connection.objects.without_secrets().only("name").order_by("name")
        causes: Any = self.fields["cause"]
        causes.choices = [("", _("Any cause")), *_causes()]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        since, until = values.get("since"), values.get("until")
        if since and until and since >= until:
            self.add_error("until", _("Write a moment after the first one."))
        if values.get("what") == "sent" and not since and "since" not in self.errors:
            self.add_error("since", _("Say from when on: the receiver has everything since the beginning."))
        return values

    @property
    def choice(self) -> Choice:
        kind, state = WHATS[self.cleaned_data["what"]][:2]
        shop = self.cleaned_data["connection"]
        return Choice(
            kind=kind,
            state=state,
            connections=(shop.pk,) if shop else (),
            since=self.cleaned_data["since"],
            until=self.cleaned_data["until"],
            cause=self.cleaned_data["cause"] if kind != RunKind.RESEND else "",
        )

    @property
    def scope(self) -> dict[str, object]:
        values = self.cleaned_data
        shop = values["connection"]
        return {"what": values["what"], "connections": [shop.name] if shop else []} | {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in values.items()
            if name in ("since", "until", "cause") and value
        }


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        error_messages={"required": gettext_lazy("Say why, for whoever asks later.")},
    )


@dataclass
class Preview:
    """What would be done, before it is."""

    count: int
    too_many: bool
    press: str
    oldest: str = "–"
    newest: str = "–"
    shops: list[tuple[str, int]] = field(default_factory=list)
    more_shops: int = 0
    sample: list[dict[str, Any]] = field(default_factory=list)


def recover(request: HttpRequest) -> HttpResponse:
    """Looking is GET, so that it can be shared; doing is POST."""
    if not any(request.user.has_perm(what[3]) for what in WHATS.values()):
        raise PermissionDenied
    given = request.POST if request.method == "POST" else request.GET
    form = RecoverForm(
        request, given if "what" in given else None, initial={"what": "failed", **given.dict()}
    )
    context = {**admin.site.each_context(request), "title": _("Recover an outage"), "form": form}
    context["zone"] = timezone.get_current_timezone_name()
    if form.is_bound and form.is_valid():
        shown = preview(form.choice)
        reasons = _reason_form(request, form)
        if request.method == "POST":
            answer = _go(request, form, shown, reasons)
            if isinstance(answer, HttpResponse):
                return answer
            context |= answer
        context |= {"preview": shown, "reasons": reasons}
        context["token"] = posted_token(request) or secrets.token_hex(16)
    return TemplateResponse(request, "admin/recovery/form.html", context)


def preview(choice: Choice) -> Preview:
    rows = choice.rows()
    count = rows[: recovery.MOST_ROWS + 1].count()
    shown = Preview(count, count > recovery.MOST_ROWS, str(PRESS[choice.kind]))
    if not count:
        return shown
    column = "sent_at" if choice.kind == RunKind.RESEND else "created_at"
    shown.oldest = exactly(getattr(rows.first(), column))
    shown.newest = exactly(getattr(rows.last(), column))
    shown.shops, shown.more_shops = _shops(rows)
    shown.sample = [_sample(row, column) for row in _few(rows)]
    return shown


def _shops(rows: QuerySet[Any]) -> tuple[list[tuple[str, int]], int]:
    """Those with most orders, and how many more. “+ 0” lest SQLite groups by walking through every shop."""
    grouped = rows.order_by().annotate(shop=F("connection_id") + 0).values_list("shop")
    counted = grouped.annotate(n=Count("pk")).order_by("-n", "shop")
    every = list(counted[: SHOPS_SHOWN + 200])
    names = dict(Connection.objects.filter(pk__in=[pk for pk, _n in every]).values_list("pk", "name"))
    return [(names.get(pk, "?"), n) for pk, n in every[:SHOPS_SHOWN]], max(0, len(every) - SHOPS_SHOWN)


def _few(rows: QuerySet[Any]) -> QuerySet[Any]:
    shown = rows.select_related("connection").defer(*SECRETS_OF_CONNECTION)
    return (shown.defer(*SECRETS_OF_CONNECTION, "body") if rows.model is RetryItem else shown)[:SAMPLE]


def _sample(row: Any, column: str) -> dict[str, Any]:
    return {
        "address": order_page(row),
        "name": row.order_name,
        "connection": row.connection.name,
        "at": shortly(getattr(row, column)),
        "cause": cause(getattr(row, "error_code", "")),
    }


def _reason_form(request: HttpRequest, form: RecoverForm) -> ReasonForm | None:
    if form.choice.kind != RunKind.DISCARD:
        return None
    return ReasonForm(request.POST if request.method == "POST" else None)


def _go(
    request: HttpRequest, form: RecoverForm, shown: Preview, reasons: ReasonForm | None
) -> HttpResponse | dict[str, Any]:
    """The run's page, or what has to be asked first."""
    token = posted_token(request) or secrets.token_hex(16)
    if known := Run.objects.filter(token=token).first():  # pressed twice
        return HttpResponseRedirect(page(known))
    if not shown.count or shown.too_many or (reasons is not None and not reasons.is_valid()):
        return {}
    if shown.count > settings.CONFIRM_ABOVE and request.POST.get("confirmed") != str(shown.count):
        return {"ask_again": True}
    reason = reasons.cleaned_data["reason"] if reasons is not None else ""
    choice = form.choice
    run = begin_run(request, choice.rows(), kind=choice.kind, token=token, reason=reason, scope=form.scope)
    if run.token != token:
        return HttpResponseRedirect(page(run))
    said = ngettext("%s order is being worked on.", "%s orders are being worked on.", run.total)
    messages.success(request, said % run.total)
    return HttpResponseRedirect(page(run))


def _causes() -> list[tuple[str, str]]:
    """Those of what is open now, the most frequent first."""
    codes = RetryItem.objects.filter(status__in=[*OPEN, Status.DISCARDED]).exclude(error_code="").order_by()
    found = codes.values_list("error_code").annotate(n=Count("pk")).order_by("-n")
    return [(code, f"{cause(code)} ({n})") for code, n in found[:40]]
