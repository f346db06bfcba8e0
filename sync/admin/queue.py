"""django-q2's own pages, to look at only: who could edit a schedule could run any code."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from sync.admin.desk import ReadOnlyAdmin, column, moment, preformatted


class ScheduleAdmin(ReadOnlyAdmin):
    list_display = ["name", "func", "schedule_type", "next"]
    fields = ["name", "func", "schedule_type", "minutes", "cron", "repeats", "next_run", "cluster"]

    @column(_("next run"), ordering="next_run")
    def next(self, row: Any) -> Any:
        return moment(row.next_run)


class TaskAdmin(ReadOnlyAdmin):
    """A task that ended. Its arguments and its result are pickles: they are read on its own page only."""

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
        return preformatted("" if row.result is None else str(row.result))


class QueuedAdmin(ReadOnlyAdmin):
    list_display = ["id", "name", "func", "lock"]
    fields = ["id", "name", "func", "lock"]
    readonly_fields = ["name", "func"]


PAGES = {"Schedule": ScheduleAdmin, "Success": TaskAdmin, "Failure": TaskAdmin, "OrmQ": QueuedAdmin}
DESKS = {apps.get_model("django_q", name): desk for name, desk in PAGES.items()}

for model in filter(admin.site.is_registered, DESKS):  # OrmQ is not where Redis is the broker
    admin.site.unregister(model)
    admin.site.register(model, DESKS[model])
