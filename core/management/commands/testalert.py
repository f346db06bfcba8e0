"""manage.py testalert: whether an alert reaches its channel."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connections.causes import explain
from core.console.base import TeachingCommand
from core.models import AlertChannel
from core.monitoring.alerts.notify import send_test


class Command(TeachingCommand):
    help = gettext_lazy("Send a test to an alert channel, or to all of them. Channels are made in the admin.")
    examples = (
        ("testalert", gettext_lazy("to every channel that is enabled")),
        ("testalert 'Night shift'", gettext_lazy("to one, enabled or not")),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("channel", nargs="?", help=_("its name; without it: all that are enabled"))

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["channel"]
        channels = list(AlertChannel.objects.filter(**({"name": name} if name else {"enabled": True})))
        if not channels:
            raise CommandError(_("There is no such alert channel. Make one in the admin: Alert channels."))
        failed = False
        for channel in channels:
            code, detail = send_test(channel)
            failed |= bool(code)
            cause = explain(code)
            self.stdout.write(
                f"{channel.name}: {cause.title} ({detail}). {cause.next_step}"
                if code
                else _("%s: told.") % channel.name
            )
        if failed:
            raise SystemExit(1)
