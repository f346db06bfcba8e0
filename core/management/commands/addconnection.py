"""manage.py addconnection: a new Odoo company and the receiver of its orders."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connections import same_source
from core.connections.options import add_flags, filled_in, values_of
from core.console.base import TeachingCommand
from core.console.output import cell


class Command(TeachingCommand):
    help = gettext_lazy(
        "Add a connection: one Odoo company and the receiver of its orders.\n"
        "On a terminal it asks for what you leave out. Keep secrets out of the shell's history: leave\n"
        "them out and be asked, or give - and pipe them in."
    )
    examples = (
        ("addconnection", gettext_lazy("asks for everything")),
        (
            "addconnection --name 'Shop Madrid' --connection-id es-1 --url https://shop.odoo.com"
            " --database shop --username poller@shop.es --api-key -"
            " --webhook-url https://stockmaster.example.com/odoo",
            gettext_lazy("from a script: cat key.txt | manage.py addconnection ..."),
        ),
        (
            "addconnection --start 2026-11-01 --events confirmed,cancelled --interval 30 --disabled",
            gettext_lazy(
                "orders confirmed since a day, two kinds of event, not polled yet; asks for the rest"
            ),
        ),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_flags(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        form = filled_in(values_of(options), self.stdout)
        connection = form.save()
        self.stdout.write(
            _("Added “%(name)s” as connection %(id)s.") % {"name": cell(connection), "id": connection.pk}
        )
        if form.generated_secret:
            self.stdout.write(_("Its webhook secret, shown this once; give it to the receiver:"))
            self.stdout.write(form.generated_secret)
        if doubled := same_source.warning(connection):
            self.stderr.write(doubled)
        self.stdout.write(_("Test it: manage.py testconnection %s") % connection.pk)
