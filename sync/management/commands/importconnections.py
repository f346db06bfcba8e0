"""manage.py importconnections: what exportconnections wrote, into this installation."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from connections.porting import LONGEST, Ported, Unportable, check, ring, save
from sync import questions
from sync.management.asking import operator
from sync.management.commands.exportconnections import key_from
from sync.management.filling import legacy_secret_line
from sync.management.showing import show
from sync.management.teaching import TeachingCommand
from sync.models import PollState

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
        parser.add_argument("--dry-run", action="store_true", help=_("only say what would be done"))

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        try:
            text = _text(options["file"])
            key = ring(key_from(options["key"])) if options["key"] else None
            ported = check(text, key)
        except Unportable as error:
            raise CommandError(str(error)) from None
        if not options["dry_run"]:
            saved = save(ported, by=operator(), now=now)
            for connection in saved:
                questions.look_again(connection, now)
            PollState.objects.filter(connection__in=saved).wake(now)
        rows = [{"name": each.name, "what": WORDS[each.what]} for each in ported]
        show(self.stdout, rows, TITLES, empty=_("There is no connection in it."))
        made = _new_secrets(ported) if not options["dry_run"] else []
        for line in [*made, *_legacy_secrets(ported)]:
            self.stdout.write(line)


def _text(file: str) -> str:
    try:
        if file == "-":
            return sys.stdin.read(LONGEST + 1)  # one too many is refused
        with Path(file).open() as source:
            return source.read(LONGEST + 1)
    except (OSError, UnicodeError) as error:
        raise Unportable(f"{file}: {error}") from None


def _new_secrets(ported: list[Ported]) -> list[str]:
    words = _("“%(name)s” got a new webhook secret, shown this once: %(secret)s")
    made = [each for each in ported if each.form.generated_secret]
    return [words % {"name": each.name, "secret": each.form.generated_secret} for each in made]


def _legacy_secrets(ported: list[Ported]) -> list[str]:
    return [
        legacy_secret_line(each.name, each.form.secret_problem) for each in ported if each.form.secret_problem
    ]
