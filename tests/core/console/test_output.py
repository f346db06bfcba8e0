"""How rows look: a table on a terminal, columns in a pipe, JSON for programs."""

import io
from datetime import UTC, datetime

import pytest
from django.core.management.base import OutputWrapper

from core.console.output import cell, show

TITLES = {"name": "name", "count": "count"}
ROWS = [{"name": "Shop [red]Madrid[/red] :smile:", "count": 2, "hidden": "x"}, {"name": "京都", "count": 10}]


def shown(rows, *, tty):
    page = io.StringIO()
    page.isatty = lambda: tty
    show(OutputWrapper(page), rows, TITLES, empty="Nothing.")
    return page.getvalue()


def test_columns_in_a_pipe():
    assert shown(ROWS, tty=False).splitlines() == [
        "NAME                            COUNT",
        "Shop [red]Madrid[/red] :smile:  2",
        "京都                            10",
    ]


def test_a_table_on_a_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    page = shown(ROWS, tty=True)
    assert "┃" in page and "Shop [red]Madrid[/red] :smile:" in page and "hidden" not in page


@pytest.mark.parametrize("tty", [True, False])
def test_no_rows_are_a_sentence(tty):
    assert shown([], tty=tty) == "Nothing.\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        ("", "-"),
        (0, "0"),
        (False, "False"),
        ("a\nb\x1b[2Jc\td\x9b", "a b [2Jc d "),
        (datetime(2026, 11, 20, 23, 30, 5, 999, tzinfo=UTC), "2026-11-21 00:30:05"),
    ],
)
def test_one_value(settings, value, text):
    settings.TIME_ZONE = "Europe/Madrid"
    assert cell(value) == text
