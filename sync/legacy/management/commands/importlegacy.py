"""manage.py importlegacy: take over the connections of the old poller, and what it had sent."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connections import same_source
from connections.encodings import Unreadable, text_of
from connections.models import Connection
from core.connections.options import legacy_secret_line
from core.console.base import TeachingCommand
from core.console.bounds import BIGGEST, whole
from core.console.output import show, show_json
from core.console.prompts import secret_from_input
from sync.legacy.database import Unusable, read_shops
from sync.legacy.history import Fate
from sync.legacy.import_connections import Takeover, carry_out, plan

MOST_BYTES = 1_000_000  # of a key file
STILL_RUNS = timedelta(minutes=10)
TITLES = {
    "connection_id": gettext_lazy("id"),
    "connection": gettext_lazy("connection"),
    "what": gettext_lazy("what"),
    "sent": gettext_lazy("sent"),
    "owed": gettext_lazy("owed"),
    "gave_up": gettext_lazy("given up"),
    "discarded": gettext_lazy("discarded"),
    "overtaken": gettext_lazy("overtaken"),
    "new": gettext_lazy("new here"),
    "read_from": gettext_lazy("reads from"),
}


class Command(TeachingCommand):
    help = gettext_lazy(
        "Take over the old poller's SQLite file: its connections, what it sent, what it still owed.\n\n"
        "Stop the old poller, import, and enable (--enable): nothing is sent twice, and what the old one\n"
        "lost in the last days is sent. Its orders are known by their Odoo stamp: one that was not written\n"
        "since is never sent again. What it owed is read again from Odoo. Doing it twice does nothing more."
    )
    examples = (
        ("importlegacy poller.db --key-file old.env --dry-run", gettext_lazy("what would be done")),
        ("importlegacy poller.db --key -", gettext_lazy("asks for the old key; nothing is polled yet")),
        (
            "importlegacy poller.db --key-file old.env --enable",
            gettext_lazy("the old poller is stopped: go on here"),
        ),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="poller.db", help=_("the old poller's database"))
        parser.add_argument(
            "--key", metavar="KEY", help=_("its POLLER_ENCRYPTION_KEY; - reads it from input")
        )
        parser.add_argument(
            "--key-file",
            type=Path,
            metavar="FILE",
            help=_("a file with that key, or its .env (default: our own POLLER_ENCRYPTION_KEY)"),
        )
        parser.add_argument(
            "--only",
            type=whole(1, BIGGEST),
            action="append",
            metavar="ID",
            help=_("only this old id; repeatable"),
        )
        parser.add_argument(
            "--days",
            type=whole(1, 36_500),
            default=7,
            metavar="N",
            help=_("how far before its last poll to look for orders that it lost (default: 7)"),
        )
        parser.add_argument(
            "--resend-given-up", action="store_true", help=_("owe what its tries ran out for, too")
        )
        parser.add_argument(
            "--enable", action="store_true", help=_("poll those that were enabled there, from now on")
        )
        parser.add_argument("--dry-run", action="store_true", help=_("only say what would be done"))
        parser.add_argument("--json", action="store_true", help=_("print JSON"))

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        try:
            takeovers = _planned(options)
        except Unusable as error:
            raise CommandError(str(error)) from None
        if not options["dry_run"]:
            for takeover in takeovers:
                carry_out(takeover, enable=options["enable"], now=now)
        rows = [import_row(takeover, options["enable"]) for takeover in takeovers]
        if options["json"]:
            show_json(self.stdout, {"dry_run": options["dry_run"], "connections": rows})
            return
        show(self.stdout, rows, TITLES, empty="")
        for line in _remarks(takeovers, now, options):
            self.stdout.write(line)


def _planned(options: dict[str, Any]) -> list[Takeover]:
    shops = read_shops(options["file"], _keys(options))
    if options["only"]:
        missing = set(options["only"]) - {shop.connection.id for shop in shops}
        if missing:
            ids = ", ".join(map(str, sorted(missing)))
            raise Unusable(_("The file has no connection with the id %s.") % ids)
        shops = [shop for shop in shops if shop.connection.id in options["only"]]
    look_back = timedelta(days=options["days"])
    return plan(shops, look_back=look_back, resend_given_up=options["resend_given_up"])


def _keys(options: dict[str, Any]) -> list[str]:
    """The given ones, or else our own: many keep the key when they change the poller."""
    text = options["key"] or ""
    if text == "-":
        text = secret_from_input(_("Key of the old poller"))
    if options["key_file"]:
        text = _in_file(options["key_file"])
    return [word.strip() for word in text.split(",") if word.strip()] or settings.ENCRYPTION_KEYS


def _in_file(path: Path) -> str:
    try:
        text = text_of(path, most_bytes=MOST_BYTES)
    except (OSError, Unreadable, ValueError):
        raise Unusable(_("The key file %s cannot be read.") % path) from None
    named = re.search(r"^\s*(?:export\s+)?POLLER_ENCRYPTION_KEY\s*=\s*(.*)$", text, re.MULTILINE)
    return (named[1] if named else text).strip().strip("\"'")


def import_row(takeover: Takeover, enable: bool) -> dict[str, Any]:
    history = takeover.history
    return {
        "old_id": takeover.old.id,
        "connection_id": takeover.connection.pk if takeover.connection else None,
        "connection": takeover.old.name,
        "what": _what(takeover, enable),
        "sent": history.told,
        "owed": history.count(Fate.OWED),
        "gave_up": history.count(Fate.GAVE_UP),
        "discarded": history.count(Fate.DISCARDED),
        "overtaken": history.overtaken,
        "new": takeover.added,
        "read_from": history.read_from,
        "counts_as_sent_until": history.told_until,
    }


def _what(takeover: Takeover, enable: bool) -> str:
    if takeover.begun:
        return _("polled here already")
    return _("enabled") if enable and takeover.old.enabled else _("not polled yet")


def _remarks(takeovers: list[Takeover], now: datetime, options: dict[str, Any]) -> list[str]:
    lines = []
    busy = [t.old.name for t in takeovers if t.old.last_seen_at and t.old.last_seen_at > now - STILL_RUNS]
    if busy:
        lines.append(
            _("The old poller was at work minutes ago (%s). Stop it, then import once more.")
            % ", ".join(busy)
        )
    for takeover in takeovers:
        lines += _about(takeover, dry_run=options["dry_run"])
    if options["dry_run"]:
        lines.append(_("Nothing was written: this was a dry run."))
    elif not options["enable"]:
        lines.append(
            _(
                "Nothing is polled yet. Stop the old poller, run this once more with --enable, and nothing "
                "is lost in between."
            )
        )
    return lines


def _about(takeover: Takeover, *, dry_run: bool) -> list[str]:
    name, until = takeover.old.name, takeover.history.told_until
    lines = []
    if takeover.history.read_from is None:
        lines.append(_("%s: the old poller never polled it; it begins with orders from now on.") % name)
    if until is not None:
        lines.append(
            _(
                "%(name)s: the old poller forgets what it sent long ago. Orders it does not name count as "
                "delivered if they were written up to %(until)s UTC."
            )
            % {"name": name, "until": f"{until:%Y-%m-%d %H:%M:%S}"}
        )
    if takeover.generated_secret and not dry_run:
        lines.append(
            _("%(name)s: it had no webhook secret. This one was made, shown this once: %(secret)s")
            % {"name": name, "secret": takeover.generated_secret}
        )
    if takeover.secret_problem:
        lines.append(legacy_secret_line(name, takeover.secret_problem))
    return [*lines, *_doubled(takeover)]


def _doubled(takeover: Takeover) -> list[str]:
    """As it is stored now: a dry run stored nothing, and --enable is said last."""
    if takeover.connection is None:
        return []
    stored = Connection.objects.without_secrets().filter(pk=takeover.connection.pk)
    return [sentence for connection in stored if (sentence := same_source.warning(connection))]
