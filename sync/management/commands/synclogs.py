"""manage.py synclogs: what the last polls found and did."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connections.causes import explain
from core.console.arguments import add_connection_option, connection_called
from core.console.base import TeachingCommand
from core.console.bounds import positive
from core.console.output import show, show_json
from sync.models import SyncLog

TITLES = {
    "started_at": gettext_lazy("started"),
    "connection": gettext_lazy("connection"),
    "kind": gettext_lazy("kind"),
    "seconds": gettext_lazy("seconds"),
    "found": gettext_lazy("found"),
    "sent": gettext_lazy("sent"),
    "failed": gettext_lazy("failed"),
    "skipped": gettext_lazy("skipped"),
    "calls": gettext_lazy("calls"),
    "error": gettext_lazy("error"),
}


class Command(TeachingCommand):
    help = gettext_lazy("Show what the last polls found and did, newest first.")
    examples = (
        ("synclogs -c 1", gettext_lazy("the last 20 polls of connection 1")),
        ("synclogs -c 'Shop Madrid' -n 50 --errors", gettext_lazy("its last 50 polls that went wrong")),
        ("synclogs --json", gettext_lazy("of all connections, for a program")),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_connection_option(parser, required=False, help=_("only of this one; without it: of all"))
        parser.add_argument("-n", "--number", type=positive, default=20, help=_("how many (default: 20)"))
        parser.add_argument(
            "--errors", action="store_true", help=_("only those with an error or a failed order")
        )
        parser.add_argument("--json", action="store_true", help=_("print JSON"))

    def handle(self, *args: Any, **options: Any) -> None:
        logs = SyncLog.objects.select_related("connection").defer(
            "connection__api_key", "connection__webhook_secret"
        )
        if options["connection"]:
            logs = logs.filter(connection=connection_called(options["connection"]))
        if options["errors"]:
            logs = logs.exclude(error_code="", orders_failed=0)
        rows = [log_row(log) for log in logs[: options["number"]]]
        if options["json"]:
            show_json(self.stdout, rows)
        else:
            show(self.stdout, rows, TITLES, empty=_("No polls are logged yet. Does manage.py runpoller run?"))


def log_row(log: SyncLog) -> dict[str, Any]:
    return {
        "id": log.pk,
        "connection_id": log.connection_id,
        "connection": log.connection.name,
        "kind": log.kind,
        "started_at": log.started_at,
        "finished_at": log.finished_at,
        "seconds": round(log.duration_seconds, 2),
        "window_from": log.window_from,
        "window_to": log.window_to,
        "found": log.orders_found,
        "sent": log.orders_sent,
        "failed": log.orders_failed,
        "skipped": log.orders_skipped,
        "calls": log.calls,
        "error_code": log.error_code,
        "error": str(explain(log.error_code).title) if log.error_code else "",
        "detail": log.error_detail,
    }
