"""What people may do from a page: one definition gives the button, the list's action, and the history entry.

State changes on POST only. (The theme's plain buttons run on GET, so each of ours opens a dialog.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.utils import unquote
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget

from connections.leases import new_token
from core.admin.base import page
from core.admin.plain_values import posted_token
from core.admin.poller_notice import warn_without_poller

AdminClass = TypeVar("AdminClass", bound=type[Any])


class ActForm(BaseDialogForm):  # type: ignore[misc]
    """A question answered by pressing the button."""


class ReasonForm(ActForm):
    """A question that wants a reason."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        error_messages={"required": gettext_lazy("Say why, for whoever asks later.")},
    )


@dataclass(frozen=True)
class Report:
    """What an act did: `done` gets entries in the history, `changed` is by primary key, the rest is said."""

    done: Sequence[Model] = ()
    said: str = ""
    left: Sequence[str] = ()
    changed: Mapping[Any, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Act:
    """`run(request, rows, what the form asked)` changes state, of at most `limit` rows at once.

    `offered(row)` tells whether its page shows the button: one that would change nothing is in the way.
    With `begin` many rows, at most `most`, become a run: `rows_of` makes of the list's rows those it works
    on. `by_poller`: the page only writes down what a poller then does.
    """

    name: str
    title: Any
    icon: str
    permission: str
    run: Callable[[HttpRequest, Any, dict[str, Any]], Report]
    question: Any
    form: type[Any] = ActForm
    confirm_many: bool = False
    limit: int = 5000
    offered: Callable[[Any], bool] = lambda row: True
    begin: Callable[..., Model] | None = None
    most: int = 0
    rows_of: Callable[[QuerySet[Any]], QuerySet[Any]] = lambda queryset: queryset
    by_poller: bool = False

    @property
    def dialog(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "description": self.question,
            "form_class": self.form,
            "form_submit_text": self.title,
        }


def acts(
    *chosen: Act, more: Sequence[Act] = (), listed: Sequence[Act] = (), pages: Sequence[str] = ()
) -> Callable[[AdminClass], AdminClass]:
    """Class decorator: puts these acts on a ModelAdmin's list and on the page of each row.

    There each of `chosen` has a button; `more` are in a menu; `listed` are on the list only. `pages` are
    methods of the class that have buttons before all others.
    """
    every = [*chosen, *more, *listed]

    def decorate(model_admin: AdminClass) -> AdminClass:
        for act in every:
            setattr(model_admin, act.name, _on_list(act))
            if act not in listed:
                setattr(model_admin, f"{act.name}_one", _on_page(act))
            setattr(model_admin, f"has_{act.name}_permission", _allowed(act))
        model_admin.actions = [act.name for act in every]
        model_admin.actions_detail = [*pages, *(f"{act.name}_one" for act in chosen)]
        if more:
            menu = {"title": gettext_lazy("More"), "items": [f"{act.name}_one" for act in more]}
            model_admin.actions_detail.append(menu)
        model_admin.get_actions_detail = _offered(model_admin.get_actions_detail, every)
        return model_admin

    return decorate


def _allowed(act: Act) -> Callable[..., bool]:
    def allowed(model_admin: Any, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm(act.permission) and model_admin.has_view_permission(request))

    return allowed


def _offered(inherited: Any, chosen: Sequence[Act]) -> Callable[..., list[Any]]:
    def get_actions_detail(model_admin: Any, request: HttpRequest, object_id: str) -> list[Any]:
        row = model_admin.get_object(request, unquote(str(object_id)))
        idle = tuple(f"_{act.name}_one" for act in chosen if row is None or not act.offered(row))
        return [
            shown
            for shown in inherited(model_admin, request, object_id)
            if not shown.action_name.endswith(idle)
        ]

    return get_actions_detail


def _on_page(act: Act) -> Any:
    def press(model_admin: Any, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        row = model_admin.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        _perform(request, act, [row], form.cleaned_data)
        if "HX-Request" in request.headers:
            return HttpResponse(headers={"HX-Redirect": page(row)})
        return HttpResponseRedirect(page(row))

    press.__name__ = f"{act.name}_one"  # the theme finds the button by this name
    settings = {"icon": act.icon, "url_path": act.name.replace("_", "-"), "dialog": act.dialog}
    return action(press, description=act.title, permissions=[act.name], **settings)


def _on_list(act: Act) -> Any:
    def press(model_admin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        if act.begin and queryset[: settings.CONFIRM_ABOVE + 1].count() > settings.CONFIRM_ABOVE:
            return _begin(model_admin, request, act, act.begin, queryset)
        rows = list(queryset[: act.limit + 1])
        if len(rows) > act.limit:
            too_many = _("Nothing was done: choose at most %(limit)s at once.") % {"limit": act.limit}
            messages.error(request, too_many)
            return None
        if not rows:
            messages.warning(request, _("Nothing was done: the list has none of the rows that were chosen."))
            return None
        if not act.confirm_many:
            _perform(request, act, rows, {})
            return None
        form = act.form(request=request, data=request.POST if "_form_submitted" in request.POST else None)
        if not form.is_valid():
            return _ask(model_admin, request, act, rows, form)
        _perform(request, act, rows, form.cleaned_data)
        return None

    press.allowed_permissions = [act.name]  # type: ignore[attr-defined]
    press.short_description = act.title  # type: ignore[attr-defined]
    return press


def _begin(
    model_admin: Any, request: HttpRequest, act: Act, begin: Callable[..., Model], queryset: QuerySet[Any]
) -> HttpResponse | None:
    """So many are done in the background, after a question that names their number."""
    rows = act.rows_of(queryset).order_by("pk")
    count = rows[: act.most + 1].count()
    if count > act.most:
        too_many = _("Nothing was done: choose at most %(limit)s at once.") % {"limit": act.most}
        messages.error(request, too_many)
        return None
    sure = request.POST.get("confirmed") == str(count)
    form = act.form(request=request, data=request.POST if sure else None)
    if not (sure and form.is_valid()):
        return _ask(model_admin, request, act, list(rows[:20]), form, count=count)
    token, reason = posted_token(request) or new_token(), form.cleaned_data.get("reason", "")
    run = begin(request, rows, token=token, reason=reason)
    return HttpResponseRedirect(page(run))


def _ask(
    model_admin: Any, request: HttpRequest, act: Act, rows: list[Any], form: Any, *, count: int = 0
) -> HttpResponse:
    """`count` is given where so many are asked about that their number is named."""
    context = {
        **model_admin.admin_site.each_context(request),
        "title": act.title,
        "opts": model_admin.opts,
        "act": act,
        "rows": rows[:20],
        "more": max(0, (count or len(rows)) - 20),
        "count": count,
        "token": posted_token(request) or new_token(),
        "form": form,
        "chosen": request.POST.getlist("_selected_action"),
        "select_across": request.POST.get("select_across", "0"),
    }
    return TemplateResponse(request, "admin/action.html", context)


def _perform(request: HttpRequest, act: Act, rows: list[Any], values: dict[str, Any]) -> None:
    report = act.run(request, rows, values)
    said = ": ".join(filter(None, [str(act.title), values.get("reason", "")]))
    for change, done in _by_change(report).items():
        LogEntry.objects.log_actions(
            user_id=request.user.pk,  # type: ignore[arg-type]  # nobody gets here without signing in
            queryset=done,
            action_flag=CHANGE,
            change_message=f"{said} ({change})" if change else said,
        )
    if report.said:
        messages.success(request, report.said)
    for sentence in report.left:
        messages.warning(request, sentence)
    if act.by_poller and (report.done or report.said):
        warn_without_poller(request)


def _by_change(report: Report) -> dict[str, list[Model]]:
    """Rows that changed alike are written in one statement."""
    rows: dict[str, list[Model]] = {}
    for row in report.done:
        rows.setdefault(report.changed.get(row.pk, ""), []).append(row)
    return rows
