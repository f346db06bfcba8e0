"""manage.py eraseperson: forget a customer in everything that is stored here."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any, NoReturn

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from connections.models import Connection
from core.console.arguments import add_connection_option, connection_called
from core.console.base import TeachingCommand
from core.console.output import cell, show, show_json
from core.console.prompts import confirm, operator
from sync.erasure.customers import Customer, SoughtPerson, sought
from sync.erasure.erase import Erased, erase
from sync.erasure.persons import SHORTEST

SHOWN = 50  # people of a list
MAILBOX = re.compile(r"(?P<name>[^<>]*?)\s*<\s*(?P<email>[^<>]*?)\s*>")
WHAT = {
    "payloads": gettext_lazy("payloads"),
    "answers": gettext_lazy("answers of receivers"),
    "references": gettext_lazy("customer references"),
    "previews": gettext_lazy("previews of tests"),
    "texts": gettext_lazy("texts in which the name stood"),
    "discarded": gettext_lazy("orders owed, now discarded"),
}
TITLES = {
    "name": gettext_lazy("name"),
    "email": gettext_lazy("e-mail address"),
    "orders": gettext_lazy("orders"),
}


class Command(TeachingCommand):
    help = gettext_lazy(
        "Forget a customer: payloads, answers of receivers and customer references of the orders in which\n"
        "the address or name stands, and the name itself wherever else it was written down, with other\n"
        "accents, case or order, escaped, or between tags. It shows whom it means, and asks.\n"
        "An order may hold only one of the two: erase by address and by name.\n"
        "Erase the person in Odoo first, or the next change of an order brings the data back. Receivers and\n"
        "backups have their own copies. What is still owed is kept and named: see --discard-owed."
    )
    examples = (
        ("eraseperson --email ana@example.com --dry-run", gettext_lazy("what would be touched")),
        ("eraseperson --email ana@example.com", gettext_lazy("asks, then does it")),
        ("eraseperson --email ana@example.com --yes", gettext_lazy("does not ask")),
        ("eraseperson --name 'Ana Pérez' -c 1", gettext_lazy("by the whole name, of connection 1 only")),
        (
            "eraseperson --name 'Ana Pérez <ana@example.com>'",
            gettext_lazy("by both, where several have the same name or address"),
        ),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        who = parser.add_mutually_exclusive_group(required=True)
        who.add_argument("--email", metavar="ADDRESS", help=_("the customer's e-mail address"))
        who.add_argument(
            "--name", help=_("the customer's whole name; with the address: 'Ana Pérez <ana@example.com>'")
        )
        add_connection_option(parser, required=False, help=_("only of this one; without it: of all"))
        parser.add_argument(
            "--dry-run", action="store_true", help=_("change nothing, say what would be done")
        )
        parser.add_argument(
            "--discard-owed",
            action="store_true",
            help=_("give up what is still owed, too: the receiver never gets it"),
        )
        parser.add_argument("--yes", action="store_true", help=_("do not ask"))
        parser.add_argument("--json", action="store_true", help=_("print JSON"))

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connection_called(options["connection"]) if options["connection"] else None
        name, email = _name_and_address(options)
        whom = sought(name, email, connection)
        if name is not None and email is not None and not whom.meant:
            raise CommandError(
                _("No stored order is for “%s”: look with --name or --email alone.") % cell(options["name"])
            )
        if len(whom.meant) > 1:
            self._stop(whom, as_json=options["json"])
        wanted = {"connection": connection, "discard_owed": options["discard_owed"]}
        done = erase(whom.person, by=operator(), now=timezone.now(), dry_run=True, **wanted)
        if not options["json"]:
            self._tell(whom, done)
        if any(done.counts.values()) and not options["dry_run"]:
            _confirm(whom, yes=options["yes"], asks=not options["json"])
            done = erase(whom.person, by=operator(), now=timezone.now(), **wanted)
            if not options["json"]:
                self._tell_done(done)
        if options["json"]:
            touched = {"touched": done.counts, "orders": done.orders, "owed": done.owed}
            show_json(self.stdout, {"people": _rows(whom.meant)} | touched)
        if done.owed:
            raise CommandError(_kept(done))

    def _stop(self, whom: SoughtPerson, *, as_json: bool) -> NoReturn:
        """Nobody knows which of them is meant."""
        if as_json:
            show_json(self.stdout, {"people": _rows(whom.meant)})
        else:
            self._show(whom.meant)
        first = shlex.quote(cell(whom.meant[0].mailbox))
        raise CommandError(
            _(
                "%(count)s people may be meant, so nothing was erased. Say which one, by the whole name and "
                "the address as they stand here: --name %(example)s"
            )
            % {"count": len(whom.meant), "example": first}
        )

    def _tell(self, whom: SoughtPerson, planned: Erased) -> None:
        """Whom it means and what would be erased."""
        self._show(whom.meant)
        if whom.others:
            names = ", ".join(cell(customer.mailbox) for customer in whom.others[:SHOWN])
            more = " …" if len(whom.others) > SHOWN else ""
            self.stdout.write(_("Not meant, and left alone: %s") % f"{names}{more}")
        self.stdout.write(_("This would be erased:"))
        self._count(planned)

    def _tell_done(self, done: Erased) -> None:
        self.stdout.write(_("Erased:"))
        self._count(done)

    def _count(self, done: Erased) -> None:
        for name, count in done.counts.items():
            self.stdout.write(f"  {WHAT[name]}: {count}")
        if done.orders:
            self.stdout.write(_("Orders: %s") % _orders(done.orders))

    def _show(self, customers: list[Customer]) -> None:
        nobody = _("No stored order is for anybody of this name or address.")
        show(self.stdout, _rows(customers[:SHOWN]), TITLES, empty=nobody)
        if len(customers) > SHOWN:
            self.stdout.write(_("... and %s more") % (len(customers) - SHOWN))


def _rows(customers: list[Customer]) -> list[dict[str, Any]]:
    return [
        {"name": customer.name, "email": customer.email, "orders": len(customer.orders)}
        for customer in customers
    ]


def _name_and_address(options: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """What was given, tidied; None for the one that was not."""
    text = " ".join((options["email"] or options["name"] or "").split())
    if options["email"] is not None:
        _require_address(text)
        return None, text
    both = MAILBOX.fullmatch(text)
    if both and both["email"]:
        _require_address(both["email"])
    elif len(both["name"] if both else text) < SHORTEST:
        raise CommandError(_("Give the whole name: what is so short stands in too many texts."))
    return (both["name"], both["email"]) if both else (text, None)


def _require_address(text: str) -> None:
    if not (text.count("@") == 1 and " " not in text and len(text) >= SHORTEST):
        raise CommandError(_("“%s” is not an e-mail address.") % cell(text))


def _confirm(whom: SoughtPerson, *, yes: bool, asks: bool) -> None:
    """Raises CommandError unless somebody says yes."""
    if yes:
        return
    otherwise = _("Nothing was erased: nobody can answer here. Say --yes to erase what --dry-run shows.")
    if not asks:
        raise CommandError(otherwise)
    who = cell(whom.meant[0].mailbox) if whom.meant else cell(" ".join(whom.person.texts))
    if not confirm(_("Erase this of “%s” for good?") % who, otherwise=otherwise):
        raise CommandError(_("Nothing was erased."))


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
