"""manage.py checkledger: every version seen is accounted for, per connection and order by order."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.console.arguments import add_connection_option, connection_called
from core.console.base import TeachingCommand
from core.console.output import show, show_json
from sync.ledger.balance import Balance, balances, imbalances

TITLES = {
    "connection": gettext_lazy("connection"),
    "seen": gettext_lazy("versions seen"),
    "sent": gettext_lazy("sent"),
    "pending": gettext_lazy("pending"),
    "failed": gettext_lazy("failed"),
    "discarded": gettext_lazy("discarded"),
    "superseded": gettext_lazy("superseded"),
    "seeded": gettext_lazy("seeded"),
    "difference": gettext_lazy("difference"),
}
ORDER_TITLES = {
    "connection_id": gettext_lazy("connection"),
    "order_id": gettext_lazy("Odoo id"),
    "order_name": gettext_lazy("order"),
    "seen": gettext_lazy("versions seen"),
    "counted": gettext_lazy("accounted for"),
}


class Command(TeachingCommand):
    help = gettext_lazy(
        "Check that no version was lost: versions seen = sent + pending + failed + discarded + superseded +\n"
        "seeded, for every order. Any order that does not add up is named. Ends with 1 if there is one."
    )
    examples = (
        ("checkledger", gettext_lazy("every connection")),
        ("checkledger -c 1 --json", gettext_lazy("one connection, for a program")),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_connection_option(parser, required=False, help=_("only this one; without it: all"))
        parser.add_argument("--json", action="store_true", help=_("print JSON"))

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = connection_called(options["connection"]).pk if options["connection"] else None
        lines = [_balance_row(balance) for balance in balances(chosen)]
        wrong = [asdict(imbalance) for imbalance in imbalances(chosen)]
        if options["json"]:
            show_json(self.stdout, {"connections": lines, "imbalances": wrong})
        else:
            show(self.stdout, lines, TITLES, empty=_("There is no connection yet."))
            show(self.stdout, wrong, ORDER_TITLES, empty=_("Every version is accounted for."))
        if wrong or any(line["difference"] for line in lines):
            raise SystemExit(1)


def _balance_row(balance: Balance) -> dict[str, Any]:
    parts = ("seen", "sent", "pending", "failed", "discarded", "superseded", "seeded", "difference")
    facts = {"connection_id": balance.connection.pk, "connection": balance.connection.name}
    return facts | {part: getattr(balance, part) for part in parts}
