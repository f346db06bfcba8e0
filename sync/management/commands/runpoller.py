"""manage.py runpoller: the poller itself, for ever or once."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.checks import Tags
from django.core.management.base import CommandError, CommandParser
from django.db import connections
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connections.secrets.keyring import require_readable_secrets
from core.console.base import TeachingCommand
from core.console.bounds import whole
from core.console.output import show_json
from sync.polling.once import Summary, run_once
from sync.runner.supervisor import Supervisor

MOST_WORKERS = 256  # as POLLER_WORKERS


class Command(TeachingCommand):
    help = gettext_lazy(
        "Poll and deliver until SIGTERM or Ctrl-C; then end what is under way, within 30 seconds.\n\n"
        "Several of them, on several hosts with one database, share the work."
    )
    examples = (
        ("runpoller", gettext_lazy("the production process")),
        ("runpoller --once", gettext_lazy("poll and deliver what is due, say what came of it, end")),
        ("runpoller --once --force --json", gettext_lazy("every enabled connection, for a program")),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--workers", type=whole(1, MOST_WORKERS), help=_("processes that work (default: POLLER_WORKERS)")
        )
        parser.add_argument(
            "--once", action="store_true", help=_("do what is due, then end; exit code 1 if something failed")
        )
        parser.add_argument(
            "--force", action="store_true", help=_("with --once: every enabled connection, due or not")
        )
        parser.add_argument("--json", action="store_true", help=_("with --once: print JSON"))

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            self._refuse_what_is_unsafe()
            require_readable_secrets()
            self._once(force=options["force"], as_json=options["json"])
        elif options["force"] or options["json"]:
            raise CommandError(_("--force and --json go with --once."))
        else:
            self._refuse_what_is_unsafe()
            require_readable_secrets()
            connections.close_all()  # children are forked, and must not share one
            sys.exit(Supervisor(workers=options["workers"] or settings.WORKERS).run())

    def _refuse_what_is_unsafe(self) -> None:
        """What only the database knows; the settings were checked before."""
        self.check(databases=["default"], tags=[Tags.database])

    def _once(self, *, force: bool, as_json: bool) -> None:
        summary = run_once(force=force)
        if as_json:
            show_json(self.stdout, asdict(summary))
        else:
            self._tell(summary)
        if not summary.is_good:
            raise CommandError(_("Not everything went well."))

    def _tell(self, summary: Summary) -> None:
        line = _(
            "%(polled)d connections polled, %(found)d orders found, %(sent)d sent, %(failed)d failed tries."
        )
        self.stdout.write(line % asdict(summary))
        if summary.not_polled:
            names = ", ".join(summary.not_polled)
            self.stdout.write(_("Not polled (paused, resting after failures, or busy): %s") % names)
        for error in summary.errors:
            detail = f" ({error['detail']})" if error["detail"] else ""
            self.stdout.write(f"{error['connection']}: {error['title']}{detail}. {error['next_step']}")
