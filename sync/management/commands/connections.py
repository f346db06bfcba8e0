"""manage.py connections: every connection and how it stands."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.console.base import TeachingCommand
from core.console.output import show, show_json
from sync.management.connection_status import connection_rows

TITLES = {
    "id": gettext_lazy("id"),
    "name": gettext_lazy("name"),
    "health": gettext_lazy("health"),
    "last_polled_at": gettext_lazy("last poll"),
    "waiting": gettext_lazy("waiting"),
    "failed": gettext_lazy("failed"),
    "odoo": gettext_lazy("Odoo"),
    "webhook": gettext_lazy("receiver"),
}


class Command(TeachingCommand):
    help = gettext_lazy(
        "Show every connection and how it stands.\n\n"
        "health is the worst of: disabled, paused, open (a circuit), failing (the last poll), late (does\n"
        "manage.py runpoller run?), needs_person (manage.py retries), new, ok."
    )
    examples = (
        ("connections", gettext_lazy("a table")),
        ("connections --wrong", gettext_lazy("only those that are not ok")),
        ("connections --json", gettext_lazy("for a program; never holds a secret")),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--wrong", action="store_true", help=_("only those that are not ok"))
        parser.add_argument("--json", action="store_true", help=_("print JSON"))

    def handle(self, *args: Any, **options: Any) -> None:
        rows = [
            row for row in connection_rows(timezone.now()) if not (options["wrong"] and row["health"] == "ok")
        ]
        if options["json"]:
            show_json(self.stdout, rows)
        elif options["wrong"]:
            show(self.stdout, rows, TITLES, empty=_("Every connection is ok."))
        else:
            show(self.stdout, rows, TITLES, empty=_("No connection yet: manage.py addconnection"))
            for line in filter(None, map(_renamed, rows)):
                self.stdout.write(line)


def _renamed(row: dict[str, Any]) -> str:
    if row["database_in_ids"] == row["database"]:
        return ""
    return _("“%(name)s”: its ids keep the database's former name, %(database_in_ids)s.") % row
