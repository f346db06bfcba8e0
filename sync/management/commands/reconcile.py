"""manage.py reconcile: compare a shop with the ledger, order by order, and repair on demand."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from datetime import timedelta
from time import sleep
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connections.causes import explain
from connections.models import Connection
from core.console.arguments import add_connection_option, connection_called
from core.console.base import TeachingCommand
from core.console.output import show, show_json
from core.console.prompts import confirm, is_terminal, operator
from sync.models import Answer, Progress, Question, QuestionKind, Reconciliation
from sync.polling import questions
from sync.repair import reconcile
from sync.repair.deep_check import deep_check

TITLES = {
    "order_id": gettext_lazy("Odoo id"),
    "order": gettext_lazy("order"),
    "verdict": gettext_lazy("verdict"),
}
OURS = timedelta(minutes=2)  # then the poller takes it over: this command has died
LOOK_SECONDS = 1.0
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def span(text: str) -> timedelta:
    """90m, 12h, 2d or 1w."""
    match = re.fullmatch(r"(\d{1,4})([mhdw])", text.strip())
    if not match:
        raise ArgumentTypeError(_("write a number and m, h, d or w, such as 12h or 2d"))
    return timedelta(**{UNITS[match[2]]: int(match[1])})


class Command(TeachingCommand):
    help = gettext_lazy(
        "Compare what Odoo has with what we know, order by order.\n\n"
        "missing: confirmed in Odoo, never seen here. stale: written again since. cancelled: in Odoo,\n"
        "not here. deleted: here, gone from Odoo. extra: confirmed here, a quotation in Odoo. moved: in\n"
        "another company now. replaced: its number went to another order. With --repair\n"
        "each goes the normal way: a new version, delivered by the poller. Ends with 1 while any differs."
    )
    examples = (
        ("reconcile -c 1 --since 2d", gettext_lazy("look at what was written in the last two days")),
        ("reconcile -c 1 --since 2d --repair", gettext_lazy("and bring the receiver up to date")),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_connection_option(parser, required=True, help=_("the connection, by its id or name"))
        parser.add_argument(
            "--since", type=span, default=timedelta(days=2), help=_("how far back: 12h, 2d (default), 1w")
        )
        parser.add_argument("--repair", action="store_true", help=_("owe what is missing or stale"))
        parser.add_argument("--json", action="store_true", help=_("print JSON"))

    def handle(self, *args: Any, **options: Any) -> None:
        connection, now = connection_called(options["connection"]), timezone.now()
        wanted, joined = reconcile.ask_or_join(
            connection,
            since=now - options["since"],
            repair=options["repair"],
            by="manage.py",
            now=now,
            next_at=now + OURS,
        )
        if joined and not options["json"]:
            self.stdout.write(_joins(wanted))
        done = _done(wanted, joined)
        if options["json"]:
            show_json(self.stdout, _facts_of_comparison(done))
        elif done.progress == Progress.DONE:
            show(self.stdout, done.differences, TITLES, empty=_("No difference."))
            self.stdout.write(_summary(done))
        if done.progress != Progress.DONE:
            cause = explain(done.error_code)
            raise CommandError(f"{cause.title}. {cause.next_step} {done.error_detail}".strip())
        if done.held_back:
            self._ask_about_gone(connection, done.held_back)
        if not done.is_clean:
            raise SystemExit(1)

    def _ask_about_gone(self, connection: Connection, number: int) -> None:
        """So many cancellations are not announced without a person's word."""
        question = (
            Question.objects.open().filter(connection=connection, kind=QuestionKind.DISAPPEARED).first()
        )
        if question is None:
            return
        held = _("%(number)s orders are gone from Odoo: implausibly many, so nothing was announced.")
        self.stdout.write(held % {"number": number})
        later = _("Answer it with: manage.py questions --answer %(id)s gone") % {"id": question.pk}
        if not is_terminal():
            raise CommandError(later)
        if confirm(_("Announce them as cancelled?"), otherwise=later):
            questions.answer(question, Answer.GONE, by=operator(), now=timezone.now())
            deep_check(connection)
        else:
            self.stdout.write(later)


def _done(wanted: Reconciliation, joined: bool) -> Reconciliation:
    """Slice by slice. While somebody else works on it, and where it is not ours alone, with patience."""
    wanted = reconcile.run_step(wanted, in_background=joined)
    while Reconciliation.objects.under_way(timezone.now()).filter(pk=wanted.pk).exists():
        if joined or wanted.progress == Progress.RUNNING:
            sleep(LOOK_SECONDS)
        wanted.refresh_from_db()
        if wanted.progress == Progress.WAITING:
            wanted = reconcile.run_step(wanted, in_background=joined)
    wanted.refresh_from_db()
    return wanted


def _joins(wanted: Reconciliation) -> str:
    said = _("A comparison that covers this was asked for before, by %(who)s: this waits for its end.")
    return said % {"who": wanted.requested_by or _("the schedule")}


def _facts_of_comparison(done: Reconciliation) -> dict[str, Any]:
    return {
        "connection_id": done.connection_id,
        "since": done.since,
        "progress": done.progress,
        "repair": done.repair,
        "orders_compared": done.orders_compared,
        "calls": done.calls,
        "counts": done.counts,
        "differences": done.differences,
        "held_back": done.held_back,
        "error_code": done.error_code,
    }


def _summary(done: Reconciliation) -> str:
    counts = ", ".join(f"{verdict} {n}" for verdict, n in done.counts.items())
    return _("%(orders)d orders compared with %(calls)d calls: %(counts)s.") % {
        "orders": done.orders_compared,
        "calls": done.calls,
        "counts": counts,
    }
