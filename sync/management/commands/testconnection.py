"""manage.py testconnection: both ends of a connection, stage by stage."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connections.causes import explain
from core.console.arguments import add_connection, connection_called
from core.console.base import TeachingCommand
from core.console.output import cell, show_json
from sync.connection_test.run import Stage, run_test
from sync.management.connection_test import alone_with

MARKS = {True: "ok  ", None: "WARN", False: "FAIL"}


class Command(TeachingCommand):
    help = gettext_lazy(
        "Test both ends of a connection, stage by stage: address, certificate, database, login and rights\n"
        "in Odoo, then a signed test event to the receiver. No order is sent and nothing is recorded."
    )
    examples = (
        ("testconnection 1", gettext_lazy("test connection 1; exit code 1 if a stage failed")),
        ("testconnection 'Shop Madrid' --json", gettext_lazy("for a program")),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_connection(parser)
        parser.add_argument("--json", action="store_true", help=_("print JSON, once all is done"))

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connection_called(options["connection"])
        stages = []
        with alone_with(connection):
            for stage in run_test(connection, now=timezone.now()):
                stages.append(stage)
                if not options["json"]:
                    self.stdout.write(line_of(stage))
                    self.stdout.flush()
        if options["json"]:
            show_json(self.stdout, [stage_row(stage) for stage in stages])
        failed = sum(stage.ok is False for stage in stages)
        if failed:
            raise CommandError(
                _("“%(name)s” does not work yet: %(failed)s of %(count)s stages failed.")
                % {"name": connection.name, "failed": failed, "count": len(stages)}
            )


def line_of(stage: Stage) -> str:
    """The stage, then, where something is wrong, what happened and what to do, each in a line of its own."""
    lines = [f"{MARKS[stage.ok]}  {stage.name}  ({stage.seconds:.2f} s)"]
    if stage.code:
        cause = explain(stage.code)
        lines += [f"      {cause.title}", f"      {cause.next_step}"]
    if stage.detail:
        lines.append(f"      {cell(stage.detail)}")
    return "\n".join(lines)


def stage_row(stage: Stage) -> dict[str, Any]:
    cause = explain(stage.code) if stage.code else None
    return {
        "stage": stage.name,
        "ok": stage.ok,
        "code": stage.code,
        "cause": str(cause.title) if cause else "",
        "next_step": str(cause.next_step) if cause else "",
        "detail": stage.detail,
        "seconds": round(stage.seconds, 3),
    }
