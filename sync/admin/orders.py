"""What the pages of orders share, and the page of an order as we saw it last."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.paginator import InfinitePaginator

from sync.admin.acts import acts
from sync.admin.desk import (
    OfConnectionAdmin,
    badge,
    cause,
    column,
    explained,
    link,
    listing,
    moment,
    two_lines,
)
from sync.admin.filters import ConnectionFilter, OrderStateFilter, StartFilter
from sync.admin.ledger_acts import RESEND
from sync.models import DeliveryAttempt, RetryItem, SeenOrder, SentOrder

EVENT_COLOURS = {"order.confirmed": "success", "order.updated": "info", "order.cancelled": "warning"}
EVENT_WORDS = {
    "order.confirmed": _("confirmed"),
    "order.updated": _("updated"),
    "order.cancelled": _("cancelled"),
}
ORDER_STATES = {"sale": _("Confirmed"), "done": _("Confirmed, locked"), "cancel": _("Cancelled")}


class OrdersAdmin(OfConnectionAdmin):
    """Rows about one order each. A whole name or id is found by index, a part of a name by reading all."""

    paginator = InfinitePaginator
    list_disable_select_all = True  # nobody counted how many there are
    search_fields = ["order_name"]
    search_help_text = _("Order, Odoo id or event id")
    exact_fields: tuple[str, ...] = ("order_name", "event_id")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        wanted = Q()
        for field in self.exact_fields:
            wanted |= Q(**{f"{field}__in": [term, term.upper()]})
        if term.isascii() and term.isdigit() and len(term) < 19:
            wanted |= Q(order_id=int(term))
        exact = queryset.filter(wanted)
        if term and exact.exists():
            return exact, False
        return super().get_search_results(request, queryset, search_term)  # type: ignore[no-any-return]

    @column(_("event"))
    def event_badge(self, row: Any) -> SafeString:
        return badge(EVENT_WORDS.get(row.event, row.event), EVENT_COLOURS.get(row.event, ""))

    @column(_("order"), ordering="order_name")
    def order(self, row: Any) -> SafeString:
        event = EVENT_WORDS.get(row.event, row.event)
        return two_lines(
            row.order_name, _("version %(number)s, %(event)s") % {"number": row.version, "event": event}
        )

    @column(_("error"))
    def error(self, row: Any) -> str:
        return cause(row.error_code) or "-"

    @column(_("error"))
    def error_explained(self, row: Any) -> SafeString | str:
        return explained(row.error_code, row.error_detail)

    @column(_("more of this order"))
    def more(self, row: Any) -> SafeString:
        mine = {"connection__id__exact": row.connection_id, "order_id": row.order_id}
        places = [
            (SeenOrder, _("As seen in Odoo"), {}),
            (SentOrder, _("Versions sent"), {}),
            (RetryItem, _("Versions owed"), {"status": "all"}),
            (DeliveryAttempt, _("Delivery attempts"), {}),
        ]
        shown = [
            link(listing(model, **mine, **extra), name)
            for model, name, extra in places
            if model is not self.model
        ]
        return SafeString(" · ".join(shown))


@admin.register(SeenOrder)
@acts(RESEND)
class SeenOrderAdmin(OrdersAdmin):
    list_display = ["order", "of", "state_badge", "version", "heard", "written", "seen"]
    list_filter = [("connection", ConnectionFilter), OrderStateFilter, StartFilter]
    search_fields = ["order_name", "reference"]
    search_help_text = _("Order, customer reference or Odoo id")
    exact_fields = ("order_name", "reference")
    fields = [
        "order_name",
        "of",
        "order_id",
        "reference",
        "state_badge",
        "version",
        "heard",
        "seeded",
        "write_date",
        "seen_at",
        "more",
    ]
    readonly_fields = ["state_badge", "heard", "more"]

    @column(_("order"), ordering="order_name")
    def order(self, row: SeenOrder) -> SafeString:
        return two_lines(row.order_name, row.reference)

    @column(_("in Odoo"), ordering="state")
    def state_badge(self, row: SeenOrder) -> SafeString:
        return badge(
            ORDER_STATES.get(row.state, row.state), "warning" if row.state == "cancel" else "success"
        )

    @column(_("the receiver knows"))
    def heard(self, row: SeenOrder) -> Any:
        if row.seeded and not row.announced:
            return _("nothing: it is from before the start")
        return {"confirmed": _("confirmed"), "cancelled": _("cancelled")}.get(row.announced, _("nothing yet"))

    @column(_("written in Odoo"), ordering="write_date")
    def written(self, row: SeenOrder) -> SafeString | str:
        return moment(row.write_date)

    @column(_("seen"), ordering="seen_at")
    def seen(self, row: SeenOrder) -> SafeString | str:
        return moment(row.seen_at)
