"""django-q2's own pages, to look at only: who could edit a schedule could run any code."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.timezone import localtime, now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from core.admin.actions import Act, Report, acts
from core.admin.base import ReadOnlyAdmin, badge, column, moment, preformatted, span, two_lines
from core.background.heartbeat import SILENT
from core.background.runner.hardening import text_of
from core.background.schedules import run_now
from core.models import PollerHeartbeat, ScheduleStatus

WHAT = {
    "poller: tick": _("Keeps polling going should the one-second loop fail"),
    "poller: deep checks and reconciliations": _("Hands out the deep checks and comparisons that are due"),
    "poller: watch": _("Looks for what is late, stuck or about to fail, and tells the alert channels"),
    "poller: housekeeping": _("Ages out logs, attempts and payloads"),
}


def _run_now(request: HttpRequest, rows: Any, values: dict[str, Any]) -> Report:
    ours = [row for row in rows if row.name in WHAT]
    queued = run_now([row.name for row in ours], by=request.user.get_username())
    said = ngettext("%s is on its way.", "%s are on their way.", queued) % queued
    joined = len(ours) - queued
    waits = ngettext(
        "%s was asked for before and has not ended: this request joins it.",
        "%s were asked for before and have not ended: this request joins them.",
        joined,
    )
    left = len(rows) - len(ours)
    why = ngettext(
        "%s schedule is not the poller's own and was left alone.",
        "%s schedules are not the poller's own and were left alone.",
        left,
    )
    sentences = [*([waits % joined] if joined else []), *([why % left] if left else [])]
    return Report(ours, said if queued else "", sentences)


RUN_NOW = Act(
    name="run_now",
    title=_("Run now"),
    icon="play_arrow",
    permission="core.change_schedulestatus",
    run=_run_now,
    question=_("Puts it into the queue at once. Its own clock goes on as before."),
    by_poller=True,
)


@acts(RUN_NOW)
class ScheduleAdmin(ReadOnlyAdmin):
    """Each schedule with how it went the last time; who could edit one could run any code."""

    list_display = ["what", "last", "took", "outcome", "next"]
    fields = ["name", "what_for", "last", "took", "outcome", "asked", "next_run", "schedule_type", "func"]
    readonly_fields = ["what_for", "last", "took", "outcome", "asked"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the columns of its `Job`."""
        job = ScheduleStatus.objects.filter(name=OuterRef("func"))
        columns = ("started_at", "finished_at", "result", "error", "asked_by", "asked_at")
        rows: QuerySet[Any] = super().get_queryset(request)
        rows = rows.annotate(**{f"job_{name}": Subquery(job.values(name)[:1]) for name in columns})
        return rows

    @column(_("name"), ordering="name")
    def what(self, row: Any) -> Any:
        return two_lines(row.name, self.what_for(row))

    @column(_("what for"))
    def what_for(self, row: Any) -> Any:
        return WHAT.get(row.name, _("not the poller's own: it never runs"))

    @column(_("last run"), ordering="job_started_at")
    def last(self, row: Any) -> Any:
        return moment(row.job_started_at)

    @column(_("took"))
    def took(self, row: Any) -> str:
        if row.job_started_at is None:
            return "-"
        if row.job_finished_at is None:
            return str(_("running"))
        return span(row.job_finished_at - row.job_started_at)

    @column(_("result"))
    def outcome(self, row: Any) -> Any:
        if row.job_error:
            return badge(row.job_error, "danger")
        return row.job_result or "-"

    @column(_("asked for by"))
    def asked(self, row: Any) -> Any:
        if not row.job_asked_by:
            return "-"
        return f"{row.job_asked_by}, {date_format(localtime(row.job_asked_at), 'DATETIME_FORMAT')}"

    @column(_("next run"), ordering="next_run")
    def next(self, row: Any) -> Any:
        return moment(row.next_run)


@admin.register(PollerHeartbeat)
class PollerAdmin(ReadOnlyAdmin):
    """The pollers that live. Two versions at once are an upgrade under way."""

    list_display = ["host", "process", "version", "workers", "began", "seen"]
    fields = ["host", "process", "version", "workers", "started_at", "seen_at"]

    @column(_("started"), ordering="started_at")
    def began(self, row: PollerHeartbeat) -> Any:
        return moment(row.started_at)

    @column(_("last seen"), ordering="seen_at")
    def seen(self, row: PollerHeartbeat) -> Any:
        return badge(_("silent"), "danger") if row.seen_at < now() - SILENT else moment(row.seen_at)


class TaskAdmin(ReadOnlyAdmin):
    """A task that ended. Its arguments and its result are pickles, which nobody opens."""

    list_display = ["name", "func", "start", "duration", "attempt_count"]
    list_filter = ["started"]
    search_fields = ["name", "func"]
    fields = ["id", "name", "func", "started", "stopped", "duration", "attempt_count", "outcome"]
    readonly_fields = ["duration", "outcome"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("args", "kwargs", "result")  # type: ignore[no-any-return]

    @column(_("started"), ordering="started")
    def start(self, row: Any) -> Any:
        return moment(row.started)

    @column(_("duration"))
    def duration(self, row: Any) -> str:
        return f"{(row.stopped - row.started).total_seconds():.2f} s"

    @column(_("result"))
    def outcome(self, row: Any) -> Any:
        return preformatted(text_of(row.result))


class QueuedAdmin(ReadOnlyAdmin):
    list_display = ["id", "name", "func", "lock"]
    fields = ["id", "name", "func", "lock"]
    readonly_fields = ["name", "func"]


PAGES = {"Schedule": ScheduleAdmin, "Success": TaskAdmin, "Failure": TaskAdmin, "OrmQ": QueuedAdmin}
ADMINS = {apps.get_model("django_q", name): model_admin for name, model_admin in PAGES.items()}

for model in filter(admin.site.is_registered, ADMINS):  # OrmQ is not where Redis is the broker
    admin.site.unregister(model)
    admin.site.register(model, ADMINS[model])
