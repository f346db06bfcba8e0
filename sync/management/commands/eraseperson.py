"""manage.py eraseperson: forget a customer in everything that is stored here."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from connections.models import Connection
from sync.erasing import Erased, Person, erase
from sync.management.asking import operator
from sync.management.choosing import add_connection_option, connection_called
from sync.management.showing import cell, show_json
from sync.management.teaching import TeachingCommand

SHORTEST = 3
WHAT = {
    "payloads": gettext_lazy("payloads"),
    "answers": gettext_lazy("answers of receivers"),
    "references": gettext_lazy("customer references"),
    "previews": gettext_lazy("previews of tests"),
    "texts": gettext_lazy("texts in which the name stood"),
    "discarded": gettext_lazy("orders owed, now discarded"),
}


class Command(TeachingCommand):
    help = gettext_lazy(
        "Forget a customer: payloads, answers of receivers and customer references of the orders in which\n"
        "the address or name stands, and the name itself wherever else it was written down.\n"
        "Erase the person in Odoo first, or the next change of an order brings the data back. Receivers and\n"
        "backups have their own copies. What is still owed is kept and named: see --discard-owed."
    )
    examples = (
        ("eraseperson --email ana@example.com --dry-run", gettext_lazy("what would be touched")),
        ("eraseperson --email ana@example.com", gettext_lazy("do it")),
        ("eraseperson --name 'Ana Pérez' -c 1", gettext_lazy("by the whole name, of connection 1 only")),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        who = parser.add_mutually_exclusive_group(required=True)
        who.add_argument("--email", metavar="ADDRESS", help=_("the customer's e-mail address"))
        who.add_argument("--name", help=_("the customer's whole name"))
        add_connection_option(parser, required=False, help=_("only of this one; without it: of all"))
        parser.add_argument(
            "--dry-run", action="store_true", help=_("change nothing, say what would be done")
        )
        parser.add_argument(
            "--discard-owed",
            action="store_true",
            help=_("give up what is still owed, too: the receiver never gets it"),
        )
        parser.add_argument("--json", action="store_true", help=_("print JSON"))

    def handle(self, *args: Any, **options: Any) -> None:
        done = erase(
            _person(options["email"], options["name"]),
            by=operator(),
            now=timezone.now(),
            connection=connection_called(options["connection"]) if options["connection"] else None,
            discard_owed=options["discard_owed"],
            dry_run=options["dry_run"],
        )
        if options["json"]:
            show_json(self.stdout, {"touched": done.counts, "orders": done.orders, "owed": done.owed})
        else:
            self._tell(done, dry_run=options["dry_run"])
        if done.owed:
            raise CommandError(_kept(done))

    def _tell(self, done: Erased, *, dry_run: bool) -> None:
        self.stdout.write(_("This would be erased:") if dry_run else _("Erased:"))
        for name, count in done.counts.items():
            self.stdout.write(f"  {WHAT[name]}: {count}")
        if done.orders:
            self.stdout.write(_("Orders: %s") % _orders(done.orders))


def _person(email: str | None, name: str | None) -> Person:
    text = " ".join((email or name or "").split())
    if email is not None and not (text.count("@") == 1 and " " not in text):
        raise CommandError(_("“%s” is not an e-mail address.") % cell(text))
    if len(text) < SHORTEST:
        raise CommandError(_("Give the whole name: what is so short stands in too many texts."))
    return Person(text)


def _kept(done: Erased) -> str:
    sentence = ngettext(
        "%(count)s order is still owed to its receiver and keeps its payload: %(orders)s. Run this again "
        "once it is delivered or discarded (manage.py retries), or with --discard-owed to give it up.",
        "%(count)s orders are still owed to their receivers and keep their payloads: %(orders)s. Run this "
        "again once they are delivered or discarded (manage.py retries), or with --discard-owed to "
        "give them up.",
        len(done.owed),
    )
    return sentence % {"count": len(done.owed), "orders": _orders(done.owed)}


def _orders(orders: list[tuple[int, str]]) -> str:
    names = dict(Connection.objects.values_list("pk", "name"))
    return ", ".join(cell(f"{order} ({names.get(pk, pk)})") for pk, order in orders)
