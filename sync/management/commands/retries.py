"""manage.py retries: what is still owed to receivers, and why."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connections.causes import explain
from connections.models import Connection
from core.console.arguments import add_connection_option, connection_called
from core.console.base import TeachingCommand
from core.console.bounds import positive
from core.console.output import show, show_json
from sync.ledger.names import Sought, rows_of
from sync.management.namesakes import namesakes
from sync.models import RetryItem, SeenOrder

NOTES = Subquery(
    SeenOrder.objects.filter(connection=OuterRef("connection"), order_id=OuterRef("order_id")).values("notes")
)
TITLES = {
    "id": gettext_lazy("id"),
    "connection": gettext_lazy("connection"),
    "order": gettext_lazy("order"),
    "order_id": gettext_lazy("Odoo id"),
    "version": gettext_lazy("version"),
    "event": gettext_lazy("event"),
    "status": gettext_lazy("status"),
    "attempts": gettext_lazy("attempts"),
    "next_retry_at": gettext_lazy("next try"),
    "error": gettext_lazy("error"),
}


class Command(TeachingCommand):
    help = gettext_lazy(
        "Show the orders that are still owed to their receivers: waiting for their next try,\n"
        "or failed and in need of a person (manage.py retry, manage.py discard)."
    )
    examples = (
        ("retries", gettext_lazy("everything open, of all connections")),
        ("retries -c 1", gettext_lazy("what is open of connection 1")),
        ("retries -c 'Shop Madrid' --order S00042 --all", gettext_lazy("every version of one order")),
        ("retries --json", gettext_lazy("for a program")),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_connection_option(parser, required=False, help=_("only of this one; without it: of all"))
        parser.add_argument("-n", "--number", type=positive, default=50, help=_("how many (default: 50)"))
        parser.add_argument(
            "--order", metavar="S00042", help=_("only of this order, by a name that it has or had")
        )
        parser.add_argument(
            "--order-id", type=positive, metavar="57", help=_("only of the order with this id in Odoo")
        )
        parser.add_argument("--all", action="store_true", help=_("also what was sent, discarded or replaced"))
        parser.add_argument("--json", action="store_true", help=_("print JSON"))

    def handle(self, *args: Any, **options: Any) -> None:
        items = RetryItem.objects.all() if options["all"] else RetryItem.objects.open()
        connection = connection_called(options["connection"]) if options["connection"] else None
        if connection:
            items = items.filter(connection=connection)
        if options["order"] or options["order_id"]:
            items = items.filter(pk__in=rows_of(RetryItem, _sought(connection, options)))
        count = items.count()
        several = [] if options["order_id"] or not options["order"] else namesakes(items)
        items = items.annotate(notes=NOTES).select_related("connection").order_by("-id")
        items = items.defer("body", "connection__api_key", "connection__webhook_secret")
        rows = [item_row(item) for item in items[: options["number"]]]
        if several:
            said = _("“%s” is, or was, the name of several orders; say which with --order-id (and -c):")
            self.stderr.write("\n".join([said % options["order"], *several]))
        if options["json"]:
            show_json(self.stdout, rows)
            return
        show(self.stdout, rows, TITLES, empty=_("Nothing is owed."))
        if count > len(rows):
            self.stderr.write(
                _("%(shown)s of %(count)s; more with -n.") % {"shown": len(rows), "count": count}
            )


def _sought(connection: Connection | None, options: dict[str, Any]) -> Sought:
    mine = connection.pk if connection else None
    if options["order_id"]:
        return Sought(order_ids=[options["order_id"]], connection_id=mine)
    return Sought(names=[options["order"]], connection_id=mine)


def item_row(item: RetryItem) -> dict[str, Any]:
    return {
        "id": item.pk,
        "connection_id": item.connection_id,
        "connection": item.connection.name,
        "order_id": item.order_id,
        "order": item.order_name,
        "version": item.version,
        "event": item.event,
        "event_id": item.event_id,
        "status": item.status,
        "attempts": item.attempts,
        "next_retry_at": item.next_retry_at,
        "error_code": item.error_code,
        "error": str(explain(item.error_code).title) if item.error_code else "",
        "detail": item.error_detail,
        "discarded_by": item.discarded_by,
        "discard_reason": item.discard_reason,
        "left_empty": (getattr(item, "notes", "") or "").splitlines(),  # fields that could not be read
        "created_at": item.created_at,
        "closed_at": item.closed_at,
    }
