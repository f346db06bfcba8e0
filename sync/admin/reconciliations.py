"""The pages of comparisons with the shops."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from core.admin.base import OfConnectionAdmin, badge, cause, column, explained, link, listing, moment
from core.admin.filters import ConnectionFilter
from sync.models import Progress, Reconciliation, SeenOrder

PROGRESS_COLOURS = {
    Progress.WAITING: "",
    Progress.RUNNING: "info",
    Progress.DONE: "success",
    Progress.FAILED: "danger",
}
DIFFERENCES_SHOWN = 200
VERDICT_WORDS = {
    "missing": _("missing"),
    "stale": _("stale"),
    "cancelled": _("cancelled"),
    "deleted": _("deleted"),
    "extra": _("extra"),
    "moved": _("moved to another company"),
    "replaced": _("number given to another order"),
}


@admin.register(Reconciliation)
class ReconciliationAdmin(OfConnectionAdmin):
    list_display = ["asked", "of", "progress_badge", "since", "orders_compared", "differing", "repair"]
    list_filter = [("connection", ConnectionFilter), "progress"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "of",
                    "progress_badge",
                    "error_explained",
                    "since",
                    "repair",
                    "requested_by",
                ]
            },
        ),
        (_("Result"), {"fields": ["orders_compared", "differing", "held_back", "table", "calls"]}),
        (_("Times"), {"fields": ["requested_at", "started_at", "finished_at"]}),
    ]
    readonly_fields = ["progress_badge", "error_explained", "differing", "table"]

    @column(_("asked for"), ordering="id")
    def asked(self, row: Reconciliation) -> SafeString | str:
        return moment(row.requested_at)

    @column(_("progress"), ordering="progress")
    def progress_badge(self, row: Reconciliation) -> SafeString:
        progress = Progress(row.progress)
        return badge(progress.label, PROGRESS_COLOURS[progress], title=cause(row.error_code))

    @column(_("error"))
    def error_explained(self, row: Reconciliation) -> SafeString | str:
        return explained(row.error_code, row.error_detail)

    @column(_("differences"))
    def differing(self, row: Reconciliation) -> str:
        counts = ((VERDICT_WORDS.get(verdict, verdict), count) for verdict, count in row.counts.items())
        return ", ".join(f"{word}: {count}" for word, count in counts if count) or "-"

    @column(_("orders that differ"))
    def table(self, row: Reconciliation) -> SafeString | str:
        shown = ((each, each.get("verdict", "")) for each in row.differences[:DIFFERENCES_SHOWN])
        lines = ((_link_to_order(row, each), VERDICT_WORDS.get(verdict, verdict)) for each, verdict in shown)
        return format_html_join("", "<div>{} – {}</div>", lines) or "-"


def _link_to_order(row: Reconciliation, difference: dict[str, Any]) -> SafeString:
    order_id = difference.get("order_id", "")
    seen = listing(SeenOrder, connection__id__exact=row.connection_id, order_id=order_id)
    return link(seen, difference.get("order") or order_id)
