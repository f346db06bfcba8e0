"""manage.py status: is everything all right? For a terminal, and by exit code for monitors."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connections.causes import explain
from connections.models import Connection
from core.console.base import TeachingCommand
from core.console.output import show, show_json
from core.models import Finding
from sync.findings import watch
from sync.health import counts
from sync.readiness import parts

TITLES = {
    "since": gettext_lazy("since"),
    "connection": gettext_lazy("connection"),
    "cause": gettext_lazy("what is wrong"),
    "next_step": gettext_lazy("what to do"),
    "detail": gettext_lazy("detail"),
}


class Command(TeachingCommand):
    help = gettext_lazy(
        "Say what is late, stuck or about to fail, and what to do about it. Ends with 1 if there is anything."
    )
    examples = (
        ("status", gettext_lazy("for people")),
        ("status --json", gettext_lazy("for a monitor")),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help=_("print JSON"))

    def handle(self, *args: Any, **options: Any) -> None:
        rows = [finding_row(finding) for finding in watch()]
        if options["json"]:
            now = timezone.now()
            facts = {"parts": parts(now), "connections": counts(Connection.objects.all(), now)}
            show_json(self.stdout, {"ok": not rows, **facts, "findings": rows})
        else:
            show(self.stdout, rows, TITLES, empty=_("Everything is all right."))
        if rows:
            raise SystemExit(1)


def finding_row(finding: Finding) -> dict[str, Any]:
    cause = explain(finding.code)
    return {
        "connection_id": finding.connection_id,
        "connection": finding.connection.name if finding.connection else "",
        "code": finding.code,
        "cause": str(cause.title),
        "next_step": str(cause.next_step),
        "detail": finding.detail,
        "since": finding.since,
    }
