"""What a command is about: a connection by id or name, retry items by id, entries of a numbered list."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence

from django.core.management.base import CommandError, CommandParser
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from connections.models import Connection
from sync.management.showing import cell
from sync.models import RetryItem

NAMES_SHOWN = 10
SHOWN = 80  # characters of what was typed
DIGITS = 18  # more than any id has, fewer than a database refuses
BIGGEST = 10**DIGITS


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
    if not _is_short(text):
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


def items_called(ids: Sequence[int]) -> QuerySet[RetryItem]:
    """The retry items with these ids, all of them, or CommandError."""
    items = RetryItem.objects.filter(pk__in=[pk for pk in ids if abs(pk) < BIGGEST])
    missing = sorted(set(ids) - set(items.values_list("pk", flat=True)))
    if missing:
        ids_missing = ", ".join(str(pk)[:SHOWN] for pk in missing)
        raise CommandError(_("There is no retry item %s. See: manage.py retries") % ids_missing)
    return items


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


def _is_short(text: str) -> bool:
    return text.isdecimal() and len(text) <= DIGITS


def _span(part: str, count: int) -> range:
    low, dash, high = part.partition("-")
    high = high if dash else low
    if _is_short(low) and _is_short(high) and 1 <= int(low) <= int(high) <= count:
        return range(int(low), int(high) + 1)
    raise CommandError(
        _("“%(part)s” is not in the list: type numbers from 1 to %(count)s, such as 1,3-5, or all.")
        % {"part": cell(part[:SHOWN]), "count": count}
    )


def whole(least: int, most: int) -> Callable[[str], int]:
    """The type of an argument that is a whole number within these bounds."""

    def read(text: str) -> int:
        told = {"text": cell(text[:SHOWN]), "least": least, "most": most}
        if not text.isdecimal() or (_is_short(text) and int(text) < least):
            raise argparse.ArgumentTypeError(_("“%(text)s” is not a number from %(least)d on") % told)
        if not _is_short(text) or int(text) > most:
            raise argparse.ArgumentTypeError(_("“%(text)s” is too large: %(most)d at most") % told)
        return int(text)

    return read


def fraction(least: float, most: float) -> Callable[[str], float]:
    """The same for a number with a fraction."""

    def read(text: str) -> float:
        try:
            given = float(text)
        except ValueError:
            given = math.nan
        if not least <= given <= most:  # nor is it with "nan"
            told = {"text": cell(text[:SHOWN]), "least": least, "most": most}
            raise argparse.ArgumentTypeError(
                _("“%(text)s” is not a number from %(least)s to %(most)s") % told
            )
        return given

    return read


positive = whole(1, 1_000_000)
