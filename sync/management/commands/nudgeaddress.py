"""manage.py nudgeaddress: the address that has a connection polled at once."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.console.arguments import add_connection, connection_called
from core.console.base import TeachingCommand
from sync.polling.nudge import nudge_path, renew, token_of

HERE = "http://127.0.0.1:8000"


class Command(TeachingCommand):
    help = gettext_lazy(
        "Show the address that Odoo calls when an order is confirmed (docs/nudge.md). A POST to it has the\n"
        "connection polled within a second. Its host is the first of CSRF_TRUSTED_ORIGINS."
    )
    examples = (
        ("nudgeaddress 1", gettext_lazy("show it; it is made when there is none")),
        ("nudgeaddress 1 --renew", gettext_lazy("a new one; the old one does nothing from then on")),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_connection(parser)
        parser.add_argument("--renew", action="store_true", help=_("make a new address"))

    def handle(self, *args: Any, **options: Any) -> None:
        connection, now = connection_called(options["connection"]), timezone.now()
        token = renew(connection, now) if options["renew"] else token_of(connection, now)
        self.stdout.write(urljoin((settings.CSRF_TRUSTED_ORIGINS or [HERE])[0], nudge_path(token)))
