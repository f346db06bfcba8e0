"""Arguments that are numbers, within bounds. Needs no database and no apps."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

from django.utils.translation import gettext as _

from core.console.output import cell

SHOWN = 80  # characters of what was typed
DIGITS = 18  # more than any id has, fewer than a database refuses
BIGGEST = 10**DIGITS


def is_short(text: str) -> bool:
    return text.isdecimal() and len(text) <= DIGITS


def whole(least: int, most: int) -> Callable[[str], int]:
    """The type of an argument that is a whole number within these bounds."""

    def read(text: str) -> int:
        told = {"text": cell(text[:SHOWN]), "least": least, "most": most}
        if not text.isdecimal() or (is_short(text) and int(text) < least):
            raise argparse.ArgumentTypeError(_("“%(text)s” is not a number from %(least)d on") % told)
        if not is_short(text) or int(text) > most:
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
