"""How commands show rows: a table on a terminal, plain columns in a pipe, JSON when asked."""

from __future__ import annotations

import io
import json
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.core.management.base import OutputWrapper
from django.utils import timezone
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

Row = Mapping[str, Any]


def show(out: OutputWrapper, rows: Sequence[Row], titles: Mapping[str, Any], *, empty: str) -> None:
    """The columns named in `titles` of every row; `empty` is the sentence for no rows."""
    if not rows:
        out.write(empty)
        return
    cells = [[cell(row[key]) for key in titles] for row in rows]
    heads = [str(title) for title in titles.values()]
    out.write(_table(heads, cells) if out.isatty() else _columns(heads, cells))


def show_json(out: OutputWrapper, rows: Any) -> None:
    """Rows for programs: datetimes in ISO 8601, UTC."""
    out.write(json.dumps(rows, indent=2, ensure_ascii=False, default=_jsonable))


def cell(value: Any) -> str:
    """One value for people: local time to the second, a dash for nothing, no control characters.

    What a remote sent may hold terminal commands; they must not reach the terminal.
    """
    if value is None or value == "":
        return "-"
    if isinstance(value, datetime):
        return timezone.localtime(value).strftime("%Y-%m-%d %H:%M:%S")
    return "".join(c if c.isprintable() else " " for c in str(value))


@contextmanager
def quiet(logger: str, *, unless: bool) -> Iterator[None]:
    """Leave out what a log says of each step where a table tells it all; warnings still come."""
    log = logging.getLogger(logger)
    level = log.level
    if not unless:
        log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(level)


def _jsonable(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _columns(heads: list[str], cells: list[list[str]]) -> str:
    lines = [[head.upper() for head in heads], *cells]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(_padded, line, widths)).rstrip() for line in lines)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))


def _table(heads: list[str], cells: list[list[str]]) -> str:
    table = Table(*heads, header_style="bold")
    for line in cells:
        table.add_row(*line)
    page = io.StringIO()
    width = shutil.get_terminal_size().columns
    # Names and answers are text: no markup and no :emoji: in them means anything.
    console = Console(file=page, force_terminal=True, width=width, markup=False, emoji=False, highlight=False)
    console.print(table)
    return page.getvalue()
