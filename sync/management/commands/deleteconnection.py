"""manage.py deleteconnection: take a connection away with everything that is known of it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connections.models import Connection
from core.console.arguments import add_connection, connection_called
from core.console.base import TeachingCommand
from core.console.prompts import confirm
from sync.delete_connection import remove
from sync.models import DeliveryAttempt, RetryItem, SeenOrder, SentOrder, SyncLog


class Command(TeachingCommand):
    help = gettext_lazy(
        "Delete a connection with its ledger and its logs. It asks first and says what goes with it.\n"
        "To stop a connection and keep its ledger: manage.py editconnection 1 --disabled"
    )
    examples = (
        ("deleteconnection 1", gettext_lazy("asks, then deletes connection 1")),
        ("deleteconnection 'Shop Madrid' --yes", gettext_lazy("does not ask")),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_connection(parser)
        parser.add_argument("--yes", action="store_true", help=_("do not ask"))

    def handle(self, *args: Any, **options: Any) -> str:
        connection = connection_called(options["connection"])
        self.stdout.write(_what_goes(connection))
        question = _("Delete “%s” for good?") % connection.name
        otherwise = _("Nobody can answer here: say --yes to delete “%s”.") % connection.name
        if not options["yes"] and not confirm(question, otherwise=otherwise):
            raise CommandError(_("Nothing was deleted."))
        remove(connection)
        return _("“%s” is deleted. What the receiver already has stays there.") % connection.name


def _what_goes(connection: Connection) -> str:
    owed = RetryItem.objects.open().filter(connection=connection).count()
    counts = {
        _("orders seen"): SeenOrder.objects.filter(connection=connection).count(),
        _("orders sent"): SentOrder.objects.filter(connection=connection).count(),
        _("delivery attempts"): DeliveryAttempt.objects.filter(connection=connection).count(),
        _("sync logs"): SyncLog.objects.filter(connection=connection).count(),
    }
    known = ", ".join(f"{name}: {count}" for name, count in counts.items())
    lines = [_("With “%(name)s” goes what is known of it: %(known)s.") % {"name": connection, "known": known}]
    if owed:
        lines.append(_("It still owes its receiver %s orders, which would never be sent.") % owed)
    return "\n".join(lines)
