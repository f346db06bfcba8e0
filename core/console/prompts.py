"""Talking to the person at the terminal: questions, secrets that are never echoed, a yes, and who it is."""

from __future__ import annotations

import getpass
import sys
import unicodedata

from django.core.management.base import CommandError
from django.utils.translation import gettext as _


def is_terminal() -> bool:
    """Somebody sits there who can answer."""
    return sys.stdin is not None and sys.stdin.isatty()


def ask(question: str, default: str = "") -> str:
    """One line; an empty answer is the default."""
    hint = f" [{default}]" if default else ""
    return _line(f"{question}{hint}: ") or default


def ask_secret(question: str) -> str:
    """One line that is not echoed."""
    return _read_hidden(f"{question}: ")


def secret_from_input(question: str) -> str:
    """What `-` stands for: asked hidden on a terminal, else the next line of standard input."""
    text = _read_hidden(f"{question}: ") if is_terminal() else _read_line()
    if not text:
        raise CommandError(_("%(what)s: standard input was empty.") % {"what": question})
    return text


def confirm(question: str, *, otherwise: str) -> bool:
    """A yes typed in full or by its letter. Where nobody can answer: CommandError with `otherwise`."""
    if not is_terminal():
        raise CommandError(otherwise)
    yes, no = _("yes"), _("no")
    return _plain(_line(f"{question} [{yes}/{no}]: ")) in {_plain(yes), _plain(yes[0]), "yes", "y"}


def _plain(text: str) -> str:
    """Small letters without accents: many a keyboard has no "sí"."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()


def operator() -> str:
    """Who is at the terminal, for the ledger."""
    try:
        return f"{getpass.getuser()} (manage.py)"
    except (OSError, KeyError):  # a container may run as a number that has no name
        return "manage.py"


def whole_input(most: int) -> str:
    """Standard input, at most so many characters. Raises UnicodeError."""
    return sys.stdin.read(most) if sys.stdin is not None else ""


def _read_line() -> str:
    try:
        return sys.stdin.readline().rstrip("\r\n") if sys.stdin is not None else ""
    except UnicodeError:
        raise CommandError(_("Standard input is not UTF-8.")) from None


def _line(prompt: str) -> str:
    try:
        return input(prompt).strip()
    except EOFError:
        raise CommandError(_("Stopped: the input ended before the question was answered.")) from None
    except UnicodeError:
        raise CommandError(_("Standard input is not UTF-8.")) from None


def _read_hidden(prompt: str) -> str:
    try:
        return getpass.getpass(prompt).strip()
    except EOFError:
        raise CommandError(_("Stopped: the input ended before the question was answered.")) from None
    except UnicodeError:
        raise CommandError(_("Standard input is not UTF-8.")) from None
