"""The pages of what runs found and did."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.paginator import InfinitePaginator

from core.admin.base import OfConnectionAdmin, cause, column, explained, moment
from core.admin.filters import ConnectionFilter, ProblemFilter
from sync.models import SyncLog


@admin.register(SyncLog)
class SyncLogAdmin(OfConnectionAdmin):
    paginator = InfinitePaginator
    list_display = [
        "started",
        "of",
        "kind",
        "orders_found",
        "orders_sent",
        "orders_failed",
        "orders_skipped",
        "calls",
        "took",
        "error",
    ]
    list_filter = [("connection", ConnectionFilter), ProblemFilter, "kind", "started_at"]
    search_fields = ["connection__name", "error_code", "error_detail"]
    search_help_text = _("Connection or error")
    fieldsets = [
        (None, {"fields": ["of", "kind", "started_at", "finished_at", "took", "error_explained"]}),
        (_("Orders"), {"fields": ["orders_found", "orders_sent", "orders_failed", "orders_skipped"]}),
        (_("Reading"), {"fields": ["window_from", "window_to", "calls"]}),
    ]
    readonly_fields = ["took", "error_explained"]

    @column(_("started"), ordering="id")
    def started(self, row: SyncLog) -> SafeString | str:
        return moment(row.started_at)

    @column(_("duration"))
    def took(self, row: SyncLog) -> str:
        return f"{row.duration_seconds:.2f} s"

    @column(_("error"))
    def error(self, row: SyncLog) -> str:
        return cause(row.error_code) or "-"

    @column(_("error"))
    def error_explained(self, row: SyncLog) -> SafeString | str:
        return explained(row.error_code, row.error_detail)
