"""manage.py editconnection: change what is configured of a connection."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connections import same_source
from connections.forms import new_secret
from core.connections.options import add_flags, add_language_change, refilled, values_of
from core.console.arguments import add_connection, connection_called
from core.console.base import TeachingCommand
from core.console.output import cell
from core.console.prompts import operator
from sync.models import PollState
from sync.polling import questions
from sync.repair import language as languages


class Command(TeachingCommand):
    help = gettext_lazy("Change a connection. What you leave out stays as it is; it is polled at once after.")
    examples = (
        ("editconnection 1 --interval 30", gettext_lazy("poll connection 1 every 30 seconds")),
        ("editconnection 'Shop Madrid' --disabled", gettext_lazy("stop it and keep its ledger")),
        ("editconnection 1 --api-key -", gettext_lazy("a new API key, asked for or piped in")),
        (
            "editconnection 1 --new-webhook-secret --overlap-hours 48",
            gettext_lazy("a generated secret, shown once; the old one signs too for two days"),
        ),
        (
            "editconnection 1 --url https://new.example.com --api-key -",
            gettext_lazy("another address wants its key typed again"),
        ),
        (
            "editconnection 1 --language es_MX --without-sending",
            gettext_lazy("names in another language; what the receiver has stays as it is"),
        ),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_connection(parser)
        add_flags(parser)
        parser.add_argument(
            "--overlap-hours",
            metavar="N",
            help=_("how long the old webhook secret signs beside a new one; 0 ends it at once"),
        )
        add_language_change(parser)
        parser.add_argument(
            "--same-database",
            action="store_true",
            help=_("the database of a new --url or --database is the one known here, moved or renamed"),
        )
        parser.add_argument(
            "--new-webhook-secret", action="store_true", help=_("generate a webhook secret and show it once")
        )

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connection_called(options["connection"])
        values = values_of(options)
        if options["new_webhook_secret"]:
            values["webhook_secret"] = new_secret()
        if options["overlap_hours"] is not None:
            values["overlap_hours"] = options["overlap_hours"]
        if options["same_database"]:
            values["same_database"] = True
        if not set(values) - {"legacy_secret", "same_database"}:
            raise CommandError(
                _("Say what to change, such as --interval 30. See: manage.py editconnection --help")
            )
        if options["language_change"]:
            values["language_change"] = options["language_change"]
        form = refilled(connection, values, self.stdout)
        with transaction.atomic(), languages.saving([form], timezone.now()):
            both_until = form.retire_old_secret(by=operator(), now=timezone.now())
            form.save()
        questions.look_again(connection, timezone.now())
        PollState.objects.filter(connection=connection).wake(timezone.now())
        if options["new_webhook_secret"]:
            self.stdout.write(_("The new webhook secret, shown this once; give it to the receiver:"))
            self.stdout.write(values["webhook_secret"])
        if both_until:
            self.stdout.write(_("The old webhook secret signs beside it until %s.") % cell(both_until))
        if doubled := same_source.warning(connection):
            self.stderr.write(doubled)
        self.stdout.write(_("“%s” is changed.") % cell(connection.name))
