"""What a command is about: a connection by id or name, entries of a numbered list."""

from __future__ import annotations

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext as _

from connections.models import Connection
from core.console.bounds import SHOWN, is_short
from core.console.output import cell

NAMES_SHOWN = 10


def add_connection_option(parser: CommandParser, *, required: bool, help: str) -> None:
    parser.add_argument("-c", "--connection", metavar=_("ID|NAME"), required=required, help=help)


def add_connection(parser: CommandParser) -> None:
    parser.add_argument("connection", metavar=_("ID|NAME"), help=_("the connection, by its id or name"))


def connection_called(text: str) -> Connection:
    """The connection with this id, name or external id, in that order. CommandError names what there is.

    Its secrets are read when they are used, so that one that no key can read stops nothing else.
    """
    found = _by_id(text) or _by_name(text)
    if found is None:
        raise CommandError(_unknown(text))
    return found


def _by_id(text: str) -> Connection | None:
    if not is_short(text):
        return None
    return Connection.objects.without_secrets().filter(pk=int(text)).first()


def _by_name(text: str) -> Connection | None:
    for lookup in ("name", "name__iexact", "external_id"):
        rows = list(Connection.objects.without_secrets().filter(**{lookup: text.strip()})[:2])
        if len(rows) == 1:
            return rows[0]
    return None


def _unknown(text: str) -> str:
    known = list(Connection.objects.values_list("pk", "name")[: NAMES_SHOWN + 1])
    if not known:
        return _("There is no connection yet. Add the first one with: manage.py addconnection")
    names = ", ".join(f"{pk} ({name})" for pk, name in known[:NAMES_SHOWN])
    more = ", …" if len(known) > NAMES_SHOWN else ""
    return _("There is no connection “%(text)s”. There are: %(names)s (manage.py connections).") % {
        "text": cell(text[:SHOWN]),
        "names": names + more,
    }


def numbers(text: str, count: int) -> list[int]:
    """What a person chose of a list of `count`: "1,3-5", "2 4" or "all". CommandError for anything else."""
    if text.strip().lower() in {"all", _("all")}:
        return list(range(1, count + 1))
    chosen: list[int] = []
    for part in text.replace(",", " ").split():
        chosen += _span(part, count)
    if not chosen:
        raise CommandError(_("Nothing was chosen."))
    return list(dict.fromkeys(chosen))


def _span(part: str, count: int) -> range:
    low, dash, high = part.partition("-")
    high = high if dash else low
    if is_short(low) and is_short(high) and 1 <= int(low) <= int(high) <= count:
        return range(int(low), int(high) + 1)
    raise CommandError(
        _("“%(part)s” is not in the list: type numbers from 1 to %(count)s, such as 1,3-5, or all.")
        % {"part": cell(part[:SHOWN]), "count": count}
    )
