"""The pages of orders: the list, one order's story, and the way to it from anywhere."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from core.admin.actions import acts
from core.admin.base import badge, column, moment, page, two_lines
from core.admin.filters import ConnectionFilter
from sync.admin.filters import OrderStateFilter, StartFilter
from sync.admin.labels import ORDER_STATES
from sync.admin.orders.actions import DISCARD_ORDER, RESEND, RETRY_ORDER
from sync.admin.orders.base import OrdersAdmin
from sync.admin.orders.timeline import story
from sync.admin.search import find
from sync.models import SeenOrder


@admin.register(SeenOrder)
@acts(RETRY_ORDER, RESEND, DISCARD_ORDER)
class SeenOrderAdmin(OrdersAdmin):
    """A row is read on its page as a story. The first two acts have buttons there."""

    change_form_template = "admin/orders/page.html"
    list_display = ["order", "id_in_odoo", "of", "state_badge", "version", "heard", "written", "seen"]
    list_filter = [("connection", ConnectionFilter), OrderStateFilter, StartFilter]
    search_fields = ["order_name", "reference"]
    search_help_text = _("Order, customer reference or Odoo id")
    searches_references = True
    fields: list[str] = []

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("find/", view(find), name="find"),
            path("of/<int:connection_id>/<int:order_id>/", view(self.of_connection), name="order"),
            *super().get_urls(),
        ]

    def of_connection(self, request: HttpRequest, connection_id: int, order_id: int) -> HttpResponse:
        # By `connection__id`, which compares with numbers of any size: `connection` does not on SQLite.
        order = get_object_or_404(SeenOrder, connection__id=connection_id, order_id=order_id)
        return HttpResponseRedirect(page(order))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        order = self.get_object(request, object_id)
        told = {"story": story(request, order), "subtitle": None} if order else {}
        context = {**(extra_context or {}), **told}
        return super().change_view(request, object_id, form_url, context)  # type: ignore[no-any-return]

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
