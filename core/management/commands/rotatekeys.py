"""manage.py rotatekeys: write every stored secret anew with the first encryption key."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from connections.secrets.keyring import KeyRing, Usage, lost_key, rotate_keys, usage
from core.console.base import TeachingCommand
from core.console.output import show, show_json

TITLES = {
    "position": gettext_lazy("key"),
    "fingerprint": gettext_lazy("fingerprint"),
    "secrets": gettext_lazy("secrets"),
}
SAID_EVERY = 1000


class Command(TeachingCommand):
    help = gettext_lazy(
        "Write every stored secret anew with the first key of POLLER_ENCRYPTION_KEY, while everything runs.\n"
        "Put the new key in front of the old one, restart, run this, then drop the old one and restart.\n"
        "With several hosts first add the new key behind the old one on all of them: each must be able to\n"
        "read what another writes. Stopped halfway, run it again: it goes on."
    )
    examples = (
        ("rotatekeys --check", gettext_lazy("which key is in use how often; exit code 1 if an old one is")),
        ("rotatekeys --dry-run", gettext_lazy("how many secrets would be written anew")),
        ("rotatekeys", gettext_lazy("do it")),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--check", action="store_true", help=_("change nothing; exit code 1 if an old key is in use")
        )
        what.add_argument("--dry-run", action="store_true", help=_("change nothing, say what would be done"))
        parser.add_argument("--json", action="store_true", help=_("print JSON"))

    def handle(self, *args: Any, **options: Any) -> None:
        ring = KeyRing()
        looks_only = options["check"] or options["dry_run"]
        written = 0 if looks_only else self._rotate(ring, quiet=options["json"])
        found = usage(ring)
        rows = _rows(ring, found)
        if options["json"]:
            show_json(self.stdout, {"keys": rows, "unreadable": found.unreadable, "written": written})
        else:
            show(self.stdout, rows, TITLES, empty="")
            self.stdout.write(_would(found) if options["dry_run"] else _usage_text(found, len(ring.keys)))
        if found.unreadable:
            raise CommandError(lost_key(found.unreadable))
        if found.old and not options["dry_run"]:
            raise CommandError(_("An old key is still in use. Run manage.py rotatekeys, then drop it."))

    def _rotate(self, ring: KeyRing, *, quiet: bool) -> int:
        written = said = 0
        for done in rotate_keys(ring):
            written += done
            if not quiet and written - said >= SAID_EVERY:
                self._say(written)
                said = written
        if not quiet:
            self._say(written)
        return written

    def _say(self, written: int) -> None:
        text = ngettext("%s secret written anew.", "%s secrets written anew.", written)
        self.stdout.write(text % written)
        self.stdout.flush()


def _rows(ring: KeyRing, found: Usage) -> list[dict[str, Any]]:
    return [
        {"position": position, "fingerprint": fingerprint, "secrets": found.counts[position]}
        for position, fingerprint in enumerate(ring.fingerprints(), start=1)
    ]


def _would(found: Usage) -> str:
    text = ngettext("%s secret would be written anew.", "%s secrets would be written anew.", found.old)
    return text % found.old


def _usage_text(found: Usage, keys: int) -> str:
    if not found.is_clean:
        left = found.old + len(found.unreadable)
        text = ngettext(
            "%s secret is not under the first key.", "%s secrets are not under the first key.", left
        )
        return text % left
    if keys == 1:
        return _("Every secret is under the only key.")
    return _("Every secret is under the first key. The others can be dropped from POLLER_ENCRYPTION_KEY.")
