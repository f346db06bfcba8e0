"""manage.py resend: send orders again, as Odoo has them now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from connections.models import Connection
from core.console.arguments import add_connection_option, connection_called, numbers
from core.console.base import TeachingCommand
from core.console.bounds import positive
from core.console.output import cell, quiet, show, show_json
from core.console.prompts import ask, is_terminal
from sync.management.connection_status import held_back
from sync.management.deliver_now import results, send_now
from sync.models import SeenOrder, Status
from sync.orders import NamedOrder
from sync.repair.resend import Busy, NoSuchOrder, SeveralOrders, latest, resend

OFFERED = 20

TITLES = {
    "order": gettext_lazy("order"),
    "order_id": gettext_lazy("Odoo id"),
    "version": gettext_lazy("version"),
    "event": gettext_lazy("event"),
    "result": gettext_lazy("result"),
}
NAMED_TITLES = {
    "number": gettext_lazy("no."),
    "order": gettext_lazy("order"),
    "order_id": gettext_lazy("Odoo id"),
    "company": gettext_lazy("company"),
    "date_order": gettext_lazy("date"),
    "customer": gettext_lazy("customer"),
    "state": gettext_lazy("state"),
}
CHOICE_TITLES = {
    "number": gettext_lazy("no."),
    "order": gettext_lazy("order"),
    "order_id": gettext_lazy("Odoo id"),
    "state": gettext_lazy("state"),
    "written_at": gettext_lazy("written"),
    "version": gettext_lazy("version"),
}


class Command(TeachingCommand):
    help = gettext_lazy(
        "Send orders again: they are read afresh from Odoo and delivered at once, as a new version with\n"
        'a fresh event id and "replay": true. Exit code 0 only if the receiver took every one.'
    )
    examples = (
        ("resend -c 1 --last 3", gettext_lazy("the three orders that were written last")),
        ("resend -c 'Shop Madrid' --order S00042 --order S00043", gettext_lazy("these two")),
        ("resend -c 1 --order-id 57", gettext_lazy("by Odoo's id, where two orders have one name")),
        ("resend -c 1", gettext_lazy("choose from a list")),
        ("resend -c 1 --last 500 --no-wait", gettext_lazy("leave the delivery to manage.py runpoller")),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_connection_option(parser, required=True, help=_("the connection, by its id or name"))
        which = parser.add_mutually_exclusive_group()
        which.add_argument(
            "--last", type=positive, metavar="N", help=_("the N orders that were written last")
        )
        which.add_argument(
            "--order", action="append", metavar="S00042", help=_("this order; may be repeated")
        )
        parser.add_argument(
            "--order-id",
            action="append",
            type=positive,
            metavar="57",
            help=_("the order with this id in Odoo; may be repeated"),
        )
        parser.add_argument("--no-wait", action="store_true", help=_("do not deliver: the poller will"))
        parser.add_argument("--json", action="store_true", help=_("print JSON"))

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connection_called(options["connection"])
        if not connection.enabled:
            raise CommandError("\n".join(held_back(connection)))
        items = self._owed(connection, self._which(connection, options))
        if not options["no_wait"]:
            with quiet("poller", unless=options["verbosity"] > 1):
                send_now(connection, items)
        rows = results(items)
        if options["json"]:
            show_json(self.stdout, rows)
        else:
            show(self.stdout, rows, TITLES, empty=_("There is no order to send."))
        unsent = sum(row["status"] != Status.SENT for row in rows)
        if unsent and not options["no_wait"]:
            raise CommandError(_not_all(connection, unsent))

    def _which(self, connection: Connection, options: dict[str, Any]) -> dict[str, Any]:
        if options["last"] and options["order_id"]:
            raise CommandError(_("--last and --order-id are not allowed with each other."))
        if options["last"] or options["order"] or options["order_id"]:
            named = {"names": options["order"], "order_ids": options["order_id"]}
            return {"last": options["last"], **named}
        if not is_terminal():
            raise CommandError(_("Nobody can choose here: say --last 3 or --order S00042."))
        ids = latest(connection, OFFERED)
        if not ids:
            raise CommandError(
                _("No order of “%s” is known yet: say --last 3 or --order S00042.") % connection
            )
        show(self.stdout, _choices(connection, ids), CHOICE_TITLES, empty="")
        return {"order_ids": _chosen(ids)}

    def _owed(self, connection: Connection, which: dict[str, Any]) -> Any:
        """A name of several orders is asked about; then the rest goes as it was asked for."""
        try:
            return _owed(connection, **which)
        except SeveralOrders as error:
            several = error
        chosen = self._meant(several)
        names = [name for name in which["names"] if name not in several.orders]
        return _owed(connection, names=names, order_ids=[*(which["order_ids"] or []), *chosen])

    def _meant(self, several: SeveralOrders) -> list[int]:
        """Which of these orders; CommandError says what there is where nobody can answer."""
        listed = [order for orders in several.orders.values() for order in orders]
        rows = [_choice_row(number, order) for number, order in enumerate(listed, 1)]
        if not is_terminal():
            raise CommandError(_which_one(several, rows))
        self.stdout.write(_several(several))
        show(self.stdout, rows, NAMED_TITLES, empty="")
        return _chosen([order.order_id for order in listed])


def _chosen(ids: list[int]) -> list[int]:
    """Those that a person chooses of a list that was shown."""
    chosen = numbers(ask(_("Which ones? Numbers such as 1,3-5, or all")), len(ids))
    return [ids[number - 1] for number in chosen]


def _choice_row(number: int, order: NamedOrder) -> dict[str, Any]:
    return {
        "number": number,
        "order": order.name,
        "order_id": order.order_id,
        "company": order.company,
        "date_order": order.date_order,
        "customer": order.customer,
        "state": order.state,
    }


def _several(several: SeveralOrders) -> str:
    return _("Several orders are, or were, called so: %s") % several


def _which_one(several: SeveralOrders, rows: list[dict[str, Any]]) -> str:
    """For where nobody can answer: what there is, and how to say which."""
    columns = list(NAMED_TITLES)[1:]
    lines = [", ".join(f"{NAMED_TITLES[name]}: {cell(row[name])}" for name in columns) for row in rows]
    last = _("Nothing was sent. Say which one: --order-id %s") % rows[0]["order_id"]
    return "\n".join([_several(several), *lines, last])


def _choices(connection: Connection, ids: list[int]) -> list[dict[str, Any]]:
    rows = {row.order_id: row for row in SeenOrder.objects.filter(connection=connection, order_id__in=ids)}
    return [
        {
            "number": number,
            "order": rows[order_id].order_name,
            "order_id": order_id,
            "state": rows[order_id].state,
            "written_at": rows[order_id].write_date,
            "version": rows[order_id].version,
        }
        for number, order_id in enumerate(ids, 1)
    ]


def _owed(connection: Connection, **which: Any) -> Any:
    try:
        return resend(connection, **which)
    except NoSuchOrder as error:
        raise CommandError(
            _("Nothing was sent. Not found among the confirmed orders of Odoo: %s") % error
        ) from error
    except Busy as error:
        raise CommandError(
            _("A poll is still reading this Odoo database. Nothing was sent; try again in a minute.")
        ) from error


def _not_all(connection: Connection, unsent: int) -> str:
    sentence = ngettext(
        "%(count)s order was not taken. It stays owed and is tried again: manage.py retries -c %(id)s",
        "%(count)s orders were not taken. They stay owed and are tried again: manage.py retries -c %(id)s",
        unsent,
    ) % {"count": unsent, "id": connection.pk}
    return "\n".join([sentence, *held_back(connection)])
