"""manage.py exportconnections: what is configured, as YAML."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connections.export import Unportable, dump, ring
from connections.models import Connection
from core.console.arguments import add_connection_option, connection_called
from core.console.base import TeachingCommand
from core.console.prompts import secret_from_input


class Command(TeachingCommand):
    help = gettext_lazy(
        "Write the connections as YAML, for a file under version control or another installation.\n"
        "Secrets are left out. With --with-secrets they are in it, encrypted with the key that you give,\n"
        "which has the form of POLLER_ENCRYPTION_KEY."
    )
    examples = (
        ("exportconnections", gettext_lazy("all of them, without secrets")),
        (
            "exportconnections -c 1 --with-secrets --key -",
            gettext_lazy("one, with its secrets; asks for the key"),
        ),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_connection_option(parser, required=False, help=_("only this one; without it: all"))
        parser.add_argument("--with-secrets", action="store_true", help=_("API keys and webhook secrets too"))
        parser.add_argument("--key", metavar="KEY", help=_("encrypts them; - reads it from input"))

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["with_secrets"]) != bool(options["key"]):
            raise CommandError(_("Secrets leave only with both, --with-secrets and --key."))
        rows = Connection.objects.order_by("pk")
        if options["connection"]:
            rows = rows.filter(pk=connection_called(options["connection"]).pk)
        try:
            key = ring(key_from(options["key"])) if options["key"] else None
        except Unportable as error:
            raise CommandError(str(error)) from None
        self.stdout.write(dump(rows if key else rows.without_secrets(), key), ending="")


def key_from(text: str) -> str:
    return secret_from_input(_("Key")) if text == "-" else text
