"""How a log line looks: JSON in production, readable in a terminal. Connection and order are in each line."""

import json
import logging
import re
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType

from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError, ProgrammingError

from connections.errors import RemoteError
from connections.plain_text import escaped

FIELDS = ("connection", "order", "event_id", "code")

# Errors whose words are about code and machines. What others say may quote the value they choked on, and that
# may be a customer's name: PostgreSQL shows the whole row that it refuses.
SPEAKING = (
    AttributeError,
    ImportError,
    ImproperlyConfigured,
    InterfaceError,
    MemoryError,
    NameError,
    OperationalError,
    OSError,
    ProgrammingError,
    RecursionError,
    RemoteError,
    TypeError,
)
NUDGE = re.compile(r"(/nudge/)[^/\s?]+")  # whoever has the address may nudge
Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class DiscreetFormatter(logging.Formatter):
    """Tells where an exception was raised and of which kind; its words only if no person can be in them."""

    def formatException(self, ei: Raised) -> str:
        return "" if ei[1] is None else error_in_words(ei[1])

    def message(self, record: logging.LogRecord) -> str:
        return NUDGE.sub(r"\1...", record.getMessage())


class JSONFormatter(DiscreetFormatter):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self.message(record),
            **_context(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class TextFormatter(DiscreetFormatter):
    """Time, level, message, then what it is about. One line, but for the way of an exception.

    What came from elsewhere may hold line breaks, terminal commands, marks of direction: all written out.
    """

    def format(self, record: logging.LogRecord) -> str:
        about = " ".join(f"{name}={value}" for name, value in _context(record).items())
        at = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        text = f"{record.levelname:<7} {self.message(record)}" + (f"  [{about}]" if about else "")
        line = f"{at} {escaped(text)}"
        return line + ("\n" + self.formatException(record.exc_info) if record.exc_info else "")

    def formatException(self, ei: Raised) -> str:
        way = "" if ei[1] is None else error_in_words(ei[1], words=lambda error: escaped(str(error)))
        return "\n".join(map(escaped, way.split("\n")))


def formatter_for_stderr() -> logging.Formatter:
    return TextFormatter() if sys.stderr.isatty() else JSONFormatter()


def _context(record: logging.LogRecord) -> dict[str, object]:
    return {name: getattr(record, name) for name in FIELDS if getattr(record, name, None) is not None}


def error_in_words(error: BaseException, *, words: Callable[[BaseException], str] = str) -> str:
    """Where an error was raised and of which kind, with those that led to it."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    lead = error_in_words(before, words=words) + "\n\nThen:\n\n" if before is not None else ""
    return lead + "".join(traceback.format_tb(error.__traceback__)) + _headline(error, words)


def _headline(error: BaseException, words: Callable[[BaseException], str]) -> str:
    """The kind of an error, with its words where they are harmless."""
    said = f": {words(error)}" if isinstance(error, SPEAKING) and str(error) else ""
    return f"{type(error).__module__}.{type(error).__qualname__}{said}"
