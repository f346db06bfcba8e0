"""The pages of what was sent, what is owed, and every try. Nobody edits them; buttons act on them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.admin import TabularInline
from unfold.forms import PaginationInlineFormSet

from core.admin.actions import acts
from core.admin.base import (
    badge,
    cause,
    column,
    coming,
    link,
    moment,
    page,
    preformatted,
    pretty_json,
    two_lines,
)
from core.admin.filters import ConnectionFilter, MomentsFilter, ProblemFilter
from sync.admin.filters import CauseFilter, EventFilter, HowFilter, OpenFilter
from sync.admin.labels import STATUS_COLOURS
from sync.admin.orders.actions import DISCARD, RESEND, RETRY
from sync.admin.orders.base import OrdersAdmin
from sync.models import DeliveryAttempt, RetryItem, SentOrder, Status


@admin.register(SentOrder)
@acts(RESEND)
class SentOrderAdmin(OrdersAdmin):
    list_display = ["order", "id_in_odoo", "of", "how", "sent"]
    list_filter = [("connection", ConnectionFilter), HowFilter, EventFilter, ("sent_at", MomentsFilter)]
    fields = [
        "order_name",
        "of",
        "order_id",
        "version",
        "event_badge",
        "how",
        "event_id",
        "sent_at",
        "write_date",
    ]
    fields += ["fingerprint", "payload", "more"]
    readonly_fields = ["event_badge", "how", "payload", "more"]

    @column(_("how"))
    def how(self, row: SentOrder) -> Any:
        if row.seeded:
            return _("known before the start, not sent")
        return _("sent again by a person") if row.replay else pgettext_lazy("one order", "sent")

    @column(_("sent at"), ordering="sent_at")
    def sent(self, row: SentOrder) -> SafeString | str:
        return moment(row.sent_at)

    @column(_("content hash"))
    def fingerprint(self, row: SentOrder) -> str:
        return row.content_hash

    @column(_("payload"))
    def payload(self, row: SentOrder) -> SafeString | str:
        mine = {"connection": row.connection_id, "order_id": row.order_id, "version": row.version}
        item = RetryItem.objects.filter(**mine).only("pk").first()
        return link(page(item), _("What was sent, and every try")) if item else "-"


class TriesFormSet(PaginationInlineFormSet):  # type: ignore[misc]
    def get_page_num(self) -> int:
        """The theme takes “²” and “00” for numbers of pages."""
        try:
            return max(1, int(super().get_page_num()))
        except ValueError:
            return 1


class TriesInline(TabularInline):  # type: ignore[misc]
    """Every try of one version, newest first."""

    model = DeliveryAttempt
    formset = TriesFormSet
    extra = 0
    max_num = 0
    can_delete = False
    per_page = 20
    hide_title = True
    show_change_link = True
    fields = ["number", "started_at", "delivered", "status", "duration_ms", "what"]
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @column(_("error"))
    def what(self, row: DeliveryAttempt) -> str:
        return cause(row.error_code) or "-"


@admin.register(RetryItem)
@acts(RETRY, DISCARD, RESEND)
class RetryItemAdmin(OrdersAdmin):
    paginator = Paginator
    list_disable_select_all = False
    list_display = ["order", "id_in_odoo", "of", "status_badge", "error", "attempts", "due", "made"]
    list_filter = [
        OpenFilter,
        ("connection", ConnectionFilter),
        CauseFilter,
        ("created_at", MomentsFilter),
        EventFilter,
    ]
    list_before_template = "admin/runs/list_intro.html"
    inlines = [TriesInline]
    readonly_fields = ["event_badge", "status_badge", "error_explained", "payload", "more"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[RetryItem]:
        return (
            super().get_queryset(request).defer("body", "connection__api_key", "connection__webhook_secret")
        )

    def get_fieldsets(self, request: HttpRequest, obj: RetryItem | None = None) -> Any:
        what = [
            "order_name",
            "of",
            "order_id",
            "version",
            "event_badge",
            "event_id",
            "replay",
            "write_date",
        ]
        how = ["status_badge", "error_explained", "attempts", "next_retry_at", "created_at", "closed_at"]
        if obj is not None and obj.status == Status.DISCARDED:
            how += ["discarded_by", "discard_reason"]
        shown = [(_("Delivery"), {"fields": how}), (_("Order"), {"fields": [*what, "more"]})]
        if request.user.has_perm("sync.view_payload"):
            shown.append((_("Payload"), {"fields": ["payload"], "classes": ["collapse"]}))
        return shown

    @column(_("status"), ordering="status")
    def status_badge(self, row: RetryItem) -> SafeString:
        status = Status(row.status)
        return badge(status.label, STATUS_COLOURS[status], title=row.discard_reason)

    @column(_("next try"), ordering="next_retry_at")
    def due(self, row: RetryItem) -> SafeString | str:
        return coming(row.next_retry_at)

    @column(_("created"), ordering="created_at")
    def made(self, row: RetryItem) -> SafeString | str:
        return moment(row.created_at)

    @column(_("payload"))
    def payload(self, row: RetryItem) -> Any:
        return _("aged out, or never made") if row.body is None else pretty_json(row.body)


@admin.register(DeliveryAttempt)
class DeliveryAttemptAdmin(OrdersAdmin):
    list_display = [
        "order",
        "id_in_odoo",
        "of",
        "number",
        "delivered",
        "status",
        "took",
        "error",
        "started",
    ]
    list_filter = [("connection", ConnectionFilter), "delivered", ProblemFilter]
    fields = [
        "order_name",
        "of",
        "order_id",
        "version",
        "event_id",
        "retry_item",
        "number",
        "started_at",
    ]
    fields += ["took", "delivered", "status", "error_explained", "shown_answer", "more"]
    readonly_fields = ["retry_item", "took", "error_explained", "shown_answer", "more"]

    def get_fields(self, request: HttpRequest, obj: DeliveryAttempt | None = None) -> Any:
        """A receiver may quote the order: its answer is for who may see payloads."""
        hidden = set() if request.user.has_perm("sync.view_payload") else {"shown_answer"}
        return [field for field in self.fields if field not in hidden]

    @column(_("order"), ordering="order_name")
    def order(self, row: DeliveryAttempt) -> SafeString:
        return two_lines(row.order_name, _("version %s") % row.version)

    @column(_("started"), ordering="started_at")
    def started(self, row: DeliveryAttempt) -> SafeString | str:
        return moment(row.started_at)

    @column(_("duration"), ordering="duration_ms")
    def took(self, row: DeliveryAttempt) -> str:
        return f"{row.duration_ms} ms"

    @column(_("retry item"))
    def retry_item(self, row: DeliveryAttempt) -> SafeString | str:
        return (
            link(page(RetryItem(pk=row.item_id)), _("What was sent, and every try")) if row.item_id else "-"
        )

    @column(_("answer"))
    def shown_answer(self, row: DeliveryAttempt) -> SafeString | str:
        return preformatted(row.answer)
