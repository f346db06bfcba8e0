"""manage.py questions: what sources say that is hard to believe, and a person's answers."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connections.models import Connection
from core.console.arguments import add_connection_option, connection_called
from core.console.base import TeachingCommand
from core.console.bounds import DIGITS
from core.console.output import show, show_json
from core.console.prompts import operator
from sync.models import Answer, Question
from sync.polling import questions

TITLES = {
    "id": gettext_lazy("id"),
    "connection": gettext_lazy("connection"),
    "question": gettext_lazy("question"),
    "numbers": gettext_lazy("numbers"),
    "asked_at": gettext_lazy("asked"),
    "answers": gettext_lazy("answers"),
}


class Command(TeachingCommand):
    help = gettext_lazy(
        "Show what Odoo says that is not believed until a person has confirmed it, and answer.\n\n"
        "same: it is the same database under a new name. another: it is another one; a copy of the\n"
        "connection with a start and ids of its own reads it. gone: the orders are really gone; they are\n"
        "announced as cancelled. send, leave: old orders are sent, or treated as from before the start."
    )
    examples = (
        ("questions", gettext_lazy("what waits for an answer")),
        ("questions --answer 5 gone", gettext_lazy("answer question 5")),
        (
            'questions --answer 6 another --name "Shop Madrid 2" --connection-id shop-madrid-2',
            gettext_lazy("read another database with a connection of its own"),
        ),
        ("questions --all --json", gettext_lazy("every question ever asked, for a program")),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_connection_option(parser, required=False, help=_("only of this one"))
        parser.add_argument("--answer", nargs=2, metavar=("ID", "WORD"), help=_("answer this question"))
        parser.add_argument("--name", help=_("what the new connection is called, with the answer another"))
        parser.add_argument("--connection-id", help=_("the id StockMaster knows the new connection by"))
        parser.add_argument("--all", action="store_true", help=_("also what was answered or has ended"))
        parser.add_argument("--json", action="store_true", help=_("print JSON"))

    def handle(self, *args: Any, **options: Any) -> str | None:
        if options["answer"]:
            number, word = options["answer"]
            return self._answer(number, word, options)
        rows = Question.objects.all() if options["all"] else Question.objects.open()
        if options["connection"]:
            rows = rows.filter(connection=connection_called(options["connection"]))
        rows = rows.select_related("connection").defer("connection__api_key", "connection__webhook_secret")
        if options["json"]:
            show_json(self.stdout, [_facts_of_question(row) for row in rows])
            return None
        show(self.stdout, [_row(row) for row in rows], TITLES, empty=_("No question waits for an answer."))
        for row in rows:
            if row.is_open:
                self.stdout.write(f"\n{row.pk}: {row.cause.title}. {row.cause.next_step}")
        return None

    def _answer(self, number: str, word: str, options: dict[str, Any]) -> str:
        question = _called(number)
        try:
            if word == Answer.ANOTHER and word in question.answers:
                return _copied(question, options)
            questions.answer(question, word, by=operator(), now=timezone.now())
        except questions.NotAnAnswer as error:
            raise CommandError(str(error)) from None
        return _("Thank you. The poller acts on it now.")


def _called(number: str) -> Question:
    known = number.isdecimal() and len(number) <= DIGITS
    question = Question.objects.filter(pk=int(number)).first() if known else None
    if question is None:
        raise CommandError(_("There is no question %s. See: manage.py questions") % number)
    return question


def _copied(question: Question, options: dict[str, Any]) -> str:
    name, external_id = options["name"], options["connection_id"]
    if not name or not external_id:
        raise CommandError(_("Say what the new connection is called: --name and --connection-id."))
    if Connection.objects.filter(name__iexact=name).exists():
        raise CommandError(_("There is another connection of this name. Choose one that differs."))
    if not questions.is_external_id(external_id):
        raise CommandError(
            _("It travels in a header: only letters without accents, digits and signs, no spaces.")
        )
    if Connection.objects.filter(external_id=external_id).exists():
        raise CommandError(_("Another connection has this id already."))
    copy = questions.copy_as_new(
        question, name=name, external_id=external_id, by=operator(), now=timezone.now()
    )
    said = _("“%(new)s” reads this database from now on; “%(old)s” is switched off and keeps its orders.")
    return said % {"new": copy.name, "old": question.connection.name}


def _row(question: Question) -> dict[str, Any]:
    return {
        "id": question.pk,
        "connection": question.connection.name,
        "question": str(question),
        "numbers": question.summary,
        "asked_at": question.asked_at,
        "answers": ", ".join(question.answers) if question.is_open else question.answer,
    }


def _facts_of_question(question: Question) -> dict[str, Any]:
    return {
        "id": question.pk,
        "connection_id": question.connection_id,
        "connection": question.connection.name,
        "kind": question.kind,
        "detail": question.detail,
        "asked_at": question.asked_at,
        "answer": question.answer,
        "answered_by": question.answered_by,
        "answered_at": question.answered_at,
        "ended_at": question.ended_at,
    }
