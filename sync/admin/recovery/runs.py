"""The pages of runs: how far each is, and the buttons that pause, resume and stop it."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from connections.causes import explain
from core.admin.base import ReadOnlyAdmin, badge, cause, column, exactly, moment, order_page, page, span
from core.admin.plain_values import posted_token
from core.admin.poller_notice import NO_POLLER
from core.background.heartbeat import is_running
from sync.admin.recovery.form import WHATS, recover
from sync.models import RowState, Run, RunKind, Status, Wish
from sync.repair import recovery

LEFT_SHOWN = 20
RIGHTS = {
    RunKind.RETRY: "sync.retry_item",
    RunKind.RESEND: "sync.resend_order",
    RunKind.DISCARD: "sync.discard_item",
}
WHYS = {
    "in_hand": gettext_lazy("another recovery sends it"),
    "gone": gettext_lazy("Odoo, or our table, no longer has it"),
    Status.SENT: gettext_lazy("it was delivered meanwhile"),
    Status.SUPERSEDED: gettext_lazy("a newer version took its place"),
    Status.DISCARDED: gettext_lazy("it was given up, or its payload has aged out"),
    Status.FAILED: gettext_lazy(
        "a newer version followed, or there is no payload: it has aged out, or Odoo could not give the order"
    ),
    Status.PENDING: gettext_lazy("a newer version followed, or its payload has aged out"),
}


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    change_form_template = "admin/runs/page.html"
    list_display = ["asked", "kind", "state_label", "total", "asked_by", "reason"]
    list_filter = ["kind"]
    list_before_template = "admin/runs/list_intro.html"
    fields: list[str] = []

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("recover/", view(recover), name="sync_run_recover"),
            path("<int:number>/part/", view(self.part), name="sync_run_part"),
            path("<int:number>/wish/", view(require_POST(self.wish)), name="sync_run_wish"),
            path("<int:number>/undo/", view(require_POST(self.undo)), name="sync_run_undo"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        run = self.get_object(request, object_id)
        context = {**(extra_context or {}), **(_run_context(request, run) if run else {})}
        return super().change_view(request, object_id, form_url, context)  # type: ignore[no-any-return]

    def part(self, request: HttpRequest, number: int) -> HttpResponse:
        """What changes while it works, for the page to renew."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = _run_context(request, get_object_or_404(Run, pk=number))
        return TemplateResponse(request, "admin/runs/progress.html", context)

    def wish(self, request: HttpRequest, number: int) -> HttpResponse:
        run = self._mine(request, number)
        wanted = request.POST.get("wish", "")
        if wanted not in Wish.values:
            raise PermissionDenied
        before, by = Wish(run.wish).label, request.user.get_username()
        if recovery.wish(run, Wish(wanted), by=by, now=timezone.now()):
            _log(request, run, f"{before} → {Wish(wanted).label}")
        else:
            messages.warning(request, _("It has ended already."))
        return HttpResponseRedirect(page(run))

    def undo(self, request: HttpRequest, number: int) -> HttpResponse:
        if not request.user.has_perm(RIGHTS[RunKind.RETRY]):
            raise PermissionDenied
        run = self._mine(request, number)
        if not _can_undo(run):
            raise PermissionDenied
        token = posted_token(request) or secrets.token_hex(16)
        by, now = request.user.get_username(), timezone.now()
        undone = recovery.undo(run, token=token, by=by, now=now)
        _log(request, run, _("Undone"))
        return HttpResponseRedirect(page(undone))

    def _mine(self, request: HttpRequest, number: int) -> Run:
        """Which right it takes depends on the run; who has none of them is not told whether there is one."""
        may = request.user.has_perm
        if not (self.has_view_permission(request) and any(map(may, RIGHTS.values()))):
            raise PermissionDenied
        run = get_object_or_404(Run, pk=number)
        if not may(RIGHTS[RunKind(run.kind)]):
            raise PermissionDenied
        return run

    @column(gettext_lazy("asked for"), ordering="id")
    def asked(self, row: Run) -> SafeString | str:
        return moment(row.asked_at)

    @column(gettext_lazy("progress"))
    def state_label(self, row: Run) -> SafeString:
        return _badge(row)


def _badge(run: Run) -> SafeString:
    if run.finished_at:
        return badge(_("Done"), "success")
    if run.wish == Wish.CANCEL:
        return badge(_("Stopped"), "")
    if run.wish == Wish.PAUSE:
        return badge(_("Paused"), "info")
    return badge(_("Waits for a shop"), "warning") if run.error_code else badge(_("Running"), "primary")


def _run_context(request: HttpRequest, run: Run) -> dict[str, Any]:
    """What both the page and its renewed part show."""
    counts = recovery.counts(run)
    total = max(1, counts.total)
    ended = bool(run.finished_at) or run.wish == Wish.CANCEL
    return {
        "run": run,
        "badge": _badge(run),
        "counts": counts,
        "settled": counts.done + counts.left,
        "percent": 100 * (counts.done + counts.left) // total if counts.total else 100,
        "done_share": round(100 * counts.done / total, 2),
        "left_share": round(100 * counts.left / total, 2),
        "ended": ended,
        "rest": span(counts.waiting / settings.RUN_ROWS_PER_SECOND),
        "silent": "" if ended or is_running(timezone.now()) else NO_POLLER,
        "fault": explain(run.error_code) if run.error_code and not ended else None,
        "facts": _facts_of_run(run),
        "left": _left(run) if counts.left else [],
        "more_left": max(0, counts.left - LEFT_SHOWN),
        "may_act": request.user.has_perm(RIGHTS[RunKind(run.kind)]),
        "may_undo": _can_undo(run) and request.user.has_perm("sync.retry_item") and counts.done,
        "undo_token": secrets.token_hex(16),
        "part": reverse("admin:sync_run_part", args=[run.pk]),
    }


def _can_undo(run: Run) -> bool:
    ended = bool(run.finished_at) or run.wish == Wish.CANCEL
    return run.kind == RunKind.DISCARD and ended and not run.undone_by.exists()


def _facts_of_run(run: Run) -> list[tuple[Any, Any]]:
    scope = run.scope
    names = scope.get("connections")
    facts = [
        (_("Asked for by"), run.asked_by),
        (_("Asked for at"), exactly(run.asked_at)),
        (_("What"), WHATS[str(scope["what"])][2] if scope.get("what") in WHATS else run.get_kind_display()),
        (_("Connections"), ", ".join(names) if isinstance(names, list) and names else _("All connections")),
    ]
    for name, label in (("since", _("From")), ("until", _("Until"))):
        if scope.get(name):
            facts.append((label, exactly(datetime.fromisoformat(str(scope[name])))))
    if scope.get("cause"):
        facts.append((_("Cause"), cause(str(scope["cause"]))))
    if run.reason:
        facts.append((_("Reason"), run.reason))
    if run.finished_at:
        facts.append((_("Finished"), exactly(run.finished_at)))
    elif run.wish != Wish.GO:
        facts.append((str(Wish(run.wish).label), f"{run.wished_by}, {exactly(run.wished_at)}"))
    return facts


def _left(run: Run) -> list[dict[str, Any]]:
    rows = run.rows.filter(state=RowState.LEFT).order_by("id")[:LEFT_SHOWN]
    return [
        {"address": order_page(row), "name": str(row), "why": WHYS.get(row.why) or cause(row.why)}
        for row in rows
    ]


def _log(request: HttpRequest, run: Run, said: str) -> None:
    LogEntry.objects.log_actions(
        user_id=request.user.pk,  # type: ignore[arg-type]  # nobody gets here without signing in
        queryset=[run],
        action_flag=CHANGE,
        change_message=said,
    )
