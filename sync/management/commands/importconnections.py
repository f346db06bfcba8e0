"""manage.py importconnections: what exportconnections wrote, into this installation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from connections import same_source
from connections.encodings import TooLong, Unreadable, text_of
from connections.export import LONGEST, Ported, Unportable, check, ring, save, too_long
from core.connections.options import add_language_change, legacy_secret_line
from core.console.base import TeachingCommand
from core.console.output import cell, show
from core.console.prompts import operator, whole_input
from core.management.commands.exportconnections import key_from
from sync.models import PollState
from sync.polling import questions
from sync.repair import language as languages

MOST_BYTES = 4 * LONGEST  # of a file in UTF-32
WORDS = {
    "new": pgettext_lazy("imported connection", "new"),
    "changed": pgettext_lazy("imported connection", "changed"),
    "same": pgettext_lazy("imported connection", "as it was"),
}
TITLES = {"name": gettext_lazy("connection"), "what": gettext_lazy("what")}


class Command(TeachingCommand):
    help = gettext_lazy(
        "Read connections from the YAML that exportconnections wrote. One with a known external_id is\n"
        "changed, any other is new and needs its secrets in the file. All of them come in, or none.\n"
        "Only what is configured moves: the ledger of orders moves with the database."
    )
    examples = (
        ("importconnections shops.yaml --dry-run", gettext_lazy("what would change")),
        ("importconnections shops.yaml --key -", gettext_lazy("with secrets; asks for the key")),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help=_("the YAML; - reads standard input"))
        parser.add_argument("--key", metavar="KEY", help=_("decrypts its secrets; - reads it from input"))
        add_language_change(parser)
        parser.add_argument("--dry-run", action="store_true", help=_("only say what would be done"))

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        try:
            text = _read_file(options["file"])
            key = ring(key_from(options["key"])) if options["key"] else None
            ported = check(text, key, answers={"language_change": options["language_change"] or ""})
        except Unportable as error:
            raise CommandError(str(error)) from None
        if not options["dry_run"]:
            with languages.saving([each.form for each in ported], now):
                saved = save(ported, by=operator(), now=now)
            for connection in saved:
                questions.look_again(connection, now)
            PollState.objects.filter(connection__in=saved).wake(now)
            for doubled in filter(None, map(same_source.warning, saved)):
                self.stderr.write(doubled)
        rows = [{"name": each.name, "what": WORDS[each.what]} for each in ported]
        show(self.stdout, rows, TITLES, empty=_("There is no connection in it."))
        made = _new_secrets(ported) if not options["dry_run"] else []
        for line in [*made, *_legacy_secrets(ported)]:
            self.stdout.write(line)


def _read_file(file: str) -> str:
    try:
        if file == "-":
            return whole_input(LONGEST + 1)  # one too many is refused
        return text_of(Path(file), most_bytes=MOST_BYTES)
    except OSError as error:
        raise Unportable(f"{cell(file)}: {error.strerror}") from None
    except TooLong:
        raise Unportable(too_long()) from None
    except (Unreadable, ValueError):
        raise Unportable(_("%s is not a text in UTF-8.") % cell(file)) from None


def _new_secrets(ported: list[Ported]) -> list[str]:
    words = _("“%(name)s” got a new webhook secret, shown this once: %(secret)s")
    made = [each for each in ported if each.form.generated_secret]
    return [words % {"name": each.name, "secret": each.form.generated_secret} for each in made]


def _legacy_secrets(ported: list[Ported]) -> list[str]:
    return [
        legacy_secret_line(each.name, each.form.secret_problem) for each in ported if each.form.secret_problem
    ]
