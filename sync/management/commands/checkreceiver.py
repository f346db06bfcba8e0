"""manage.py checkreceiver: what the receiver of a connection does right and wrong."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.console.arguments import add_connection, connection_called
from core.console.base import TeachingCommand
from core.console.output import cell, show_json
from sync.connection_test.receiver_conformance import Mark, check_receiver
from sync.management.connection_test import alone_with

SIGNS = {True: "ok  ", None: "WARN", False: "FAIL"}


class Command(TeachingCommand):
    help = gettext_lazy(
        "Examine the receiver of a connection: does it take good events, twice and late too, and refuse\n"
        "what is not ours? Sends about ten test events, which hold no order; nothing is recorded here."
    )
    examples = (
        ("checkreceiver 1", gettext_lazy("what it does right and wrong; exit code 1 if anything is wrong")),
        ("checkreceiver 'Shop Madrid' --json", gettext_lazy("for a program")),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_connection(parser)
        parser.add_argument("--json", action="store_true", help=_("print JSON, once all is done"))

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connection_called(options["connection"])
        marks = []
        with alone_with(connection):
            for mark in check_receiver(connection, clock=timezone.now):
                marks.append(mark)
                if not options["json"]:
                    self.stdout.write(_lines(mark))
                    self.stdout.flush()
        if options["json"]:
            show_json(self.stdout, [asdict(mark) for mark in marks])
        wrong = sum(mark.ok is False for mark in marks)
        if wrong:
            raise CommandError(
                _("The receiver of “%(name)s” does %(wrong)s of %(count)s things wrong (docs/receiver.md).")
                % {"name": connection.name, "wrong": wrong, "count": len(marks)}
            )


def _lines(mark: Mark) -> str:
    """What was tried, then, where it is not right, what the receiver did and what to change."""
    lines = [f"{SIGNS[mark.ok]}  {mark.name}  ({mark.seconds:.2f} s)"]
    if not mark.ok:
        lines += [f"      {cell(mark.did)}", f"      {mark.change}"]
    return "\n".join(lines)
