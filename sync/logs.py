"""How a log line looks: JSON in production, readable in a terminal. Connection and order are in each line."""

import json
import logging
import sys
from datetime import UTC, datetime

FIELDS = ("connection", "order", "event_id", "code")


class JSONFormatter(logging.Formatter):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_context(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class TextFormatter(logging.Formatter):
    """Time, level, message, then what it is about."""

    def format(self, record: logging.LogRecord) -> str:
        about = " ".join(f"{name}={value}" for name, value in _context(record).items())
        at = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        line = f"{at} {record.levelname:<7} {record.getMessage()}" + (f"  [{about}]" if about else "")
        return line + ("\n" + self.formatException(record.exc_info) if record.exc_info else "")


def formatter_for_stderr() -> logging.Formatter:
    return TextFormatter() if sys.stderr.isatty() else JSONFormatter()


def _context(record: logging.LogRecord) -> dict[str, object]:
    return {name: getattr(record, name) for name in FIELDS if getattr(record, name, None) is not None}
