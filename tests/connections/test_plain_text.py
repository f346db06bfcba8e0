"""Names are one line in which everything can be seen; what is stored otherwise is shown so."""

import logging
import sys
import unicodedata

import pytest
from django.core.exceptions import ValidationError

from connections.plain_text import escaped, one_line, require_plain
from core.monitoring.log_format import JSONFormatter, TextFormatter

REFUSED = [
    "\n",
    "\r",
    "\t",
    "\0",
    "\x1b",
    "\x7f",
    "\x85",
    "\x9b",
    "\u061c",
    "\u200b",
    "\u200e",
    "\u200f",
    "\u2028",
    "\u2029",
    "\u202a",
    "\u202e",
    "\u2060",
    "\u2066",
    "\u2069",
    "\ufeff",
    "\ud800",
]


@pytest.mark.parametrize("mark", REFUSED, ids=lambda mark: f"U+{ord(mark):04X}")
def test_what_is_hidden_is_refused_by_its_number_made_a_space_and_written_out(mark):
    with pytest.raises(ValidationError, match=rf"U\+{ord(mark):04X}"):
        require_plain(f"a{mark}b")
    assert one_line(f"a{mark}b") == "a b"
    assert escaped(f"a{mark}b").isprintable() and escaped(f"a{mark}b")[1] == "\\"


@pytest.mark.parametrize(
    "name", ["Shop Madrid", "Niño & Söhne", "متجر", "חנות", "店", "می‌خواهم", "👩‍🌾 Farm", "50% \\n *", ""]
)
def test_names_of_all_languages_are_names(name):
    require_plain(name)
    assert one_line(name) == escaped(name) == name


def test_no_control_and_no_mark_of_direction_was_forgotten():
    everything = map(chr, range(sys.maxunicode + 1))
    directions = ("LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI")
    for letter in everything:
        if (
            unicodedata.category(letter) in ("Cc", "Zl", "Zp", "Cs")
            or unicodedata.bidirectional(letter) in directions
        ):
            assert escaped(letter) != letter, hex(ord(letter))


# --- Logs -----------------------------------------------------------------------------------------------

HOSTILE = "S1\n12:00:00 ERROR   all is lost\r\x1b[2J\u202etxt\u2028\x9b"


def record(message=HOSTILE, error=None, **context):
    info = (type(error), error, None) if error else None
    made = logging.LogRecord("poller", logging.INFO, "x.py", 1, message, None, info)
    vars(made).update(context)
    return made


def test_a_line_of_a_text_log_is_one_line():
    line = TextFormatter().format(record(connection=HOSTILE, order=HOSTILE))
    assert line.isprintable()
    assert line.count(r"S1\n12:00:00 ERROR   all is lost\r\x1b[2J\u202etxt\u2028\x9b") == 3


def test_an_exception_keeps_its_lines_and_no_others():
    before = OSError(HOSTILE)
    error = ImportError(HOSTILE)
    error.__cause__ = before
    lines = TextFormatter().format(record("failed", error)).split("\n")
    assert all(line.isprintable() for line in lines)
    assert lines[0].endswith("INFO    failed")
    assert lines[1].startswith(r"builtins.OSError: S1\n12:00:00 ERROR")
    assert lines[2:5] == ["", "Then:", ""]
    assert lines[5].startswith(r"builtins.ImportError: S1\n12:00:00 ERROR") and len(lines) == 6


def test_json_logs_are_as_they_were():
    line = JSONFormatter().format(record(error=OSError("a\nb")))
    assert "\n" not in line and r"S1\n12:00:00" in line and r"builtins.OSError: a\nb" in line
