"""manage.py resend: send orders again, as Odoo has them now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from connections.models import Connection
from sync.management.asking import ask, is_terminal
from sync.management.choosing import add_connection_option, connection_called, numbers, positive
from sync.management.sending import results, send_now
from sync.management.showing import quiet, show, show_json
from sync.management.standing import held_back
from sync.management.teaching import TeachingCommand
from sync.models import SeenOrder, Status
from sync.resending import Busy, NoSuchOrder, latest, resend

OFFERED = 20

TITLES = {
    "order": gettext_lazy("order"),
    "version": gettext_lazy("version"),
    "event": gettext_lazy("event"),
    "result": gettext_lazy("result"),
}
CHOICE_TITLES = {
    "number": gettext_lazy("no."),
    "order": gettext_lazy("order"),
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
        parser.add_argument("--no-wait", action="store_true", help=_("do not deliver: the poller will"))
        parser.add_argument("--json", action="store_true", help=_("print JSON"))

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connection_called(options["connection"])
        if not connection.enabled:
            raise CommandError("\n".join(held_back(connection)))
        items = _owed(connection, **self._which(connection, options))
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
        if options["last"] or options["order"]:
            return {"last": options["last"], "names": options["order"]}
        if not is_terminal():
            raise CommandError(_("Nobody can choose here: say --last 3 or --order S00042."))
        ids = latest(connection, OFFERED)
        if not ids:
            raise CommandError(
                _("No order of “%s” is known yet: say --last 3 or --order S00042.") % connection
            )
        show(self.stdout, _choices(connection, ids), CHOICE_TITLES, empty="")
        chosen = numbers(ask(_("Which ones? Numbers such as 1,3-5, or all")), len(ids))
        return {"order_ids": [ids[number - 1] for number in chosen]}


def _choices(connection: Connection, ids: list[int]) -> list[dict[str, Any]]:
    rows = {row.order_id: row for row in SeenOrder.objects.filter(connection=connection, order_id__in=ids)}
    return [
        {
            "number": number,
            "order": rows[order_id].order_name,
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
