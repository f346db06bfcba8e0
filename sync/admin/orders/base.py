"""What the pages of orders share, and the page of an order as we saw it last."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.paginator import InfinitePaginator

from core.admin.base import (
    OfConnectionAdmin,
    badge,
    cause,
    column,
    explained,
    link,
    listing,
    order_page,
    two_lines,
)
from core.admin.plain_values import holds_nul
from sync.admin.labels import EVENT_COLOURS, EVENT_WORDS
from sync.ledger.names import Sought, rows_of
from sync.models import DeliveryAttempt, RetryItem, SeenOrder, SentOrder


class OrdersAdmin(OfConnectionAdmin):
    """Rows about one order each. Whole names, former ones too, and ids are found by index, a part of a name
    by reading all.
    """

    paginator = InfinitePaginator
    list_disable_select_all = True  # nobody counted how many there are
    search_fields = ["order_name"]
    search_help_text = _("Order, Odoo id or event id")
    searches_references = False
    linked_lookups = ("order_id",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if holds_nul([term]):
            return queryset.none(), False
        for exact in self._exact(queryset, term) if term else ():
            if exact.exists():
                return exact, False
        return super().get_search_results(request, queryset, search_term)

    def _exact(self, rows: QuerySet[Any], term: str) -> Iterator[QuerySet[Any]]:
        """Every version of the orders that were ever called so; or one, by its event."""
        spelled = [term, term.upper()]
        number = int(term) if term.isascii() and term.isdigit() and len(term) < 19 else None
        sought = Sought(
            names=spelled,
            references=spelled if self.searches_references else (),
            order_ids=() if number is None else [number],
        )
        yield rows.filter(pk__in=rows_of(rows.model, sought))
        if self.model is not SeenOrder:
            yield rows.filter(pk__in=rows_of(rows.model, Sought(event_ids=[term])), event_id=term)

    @column(_("event"))
    def event_badge(self, row: Any) -> SafeString:
        return badge(EVENT_WORDS.get(row.event, row.event), EVENT_COLOURS.get(row.event, ""))

    @column(_("order"), ordering="order_name")
    def order(self, row: Any) -> SafeString:
        event = EVENT_WORDS.get(row.event, row.event)
        return two_lines(
            row.order_name, _("version %(number)s, %(event)s") % {"number": row.version, "event": event}
        )

    @column(_("Odoo id"))
    def id_in_odoo(self, row: Any) -> str:
        """Tells orders of one name apart."""
        return str(row.order_id)

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
            (SentOrder, _("Versions sent"), {}),
            (RetryItem, _("Versions owed"), {"status": "all"}),
            (DeliveryAttempt, _("Delivery attempts"), {}),
        ]
        shown = [
            link(listing(model, **mine, **extra), name)
            for model, name, extra in places
            if model is not self.model
        ]
        return SafeString(" · ".join([link(order_page(row), _("The order's story")), *shown]))
