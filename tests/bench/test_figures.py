"""The sums of the bench: what processes used, what a figure says, how two runs compare. Never a time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from bench import cpu_memory, figures
from bench.count_statements import letter
from bench.cpu_memory import Account
from bench.environment import Setting
from bench.load.client import Told, begins, lateness, quantile, shop_of
from bench.report import Figure, as_json, as_markdown, table, values_of
from bench.rows import ROWS, calls
from tests.system.waiting import until

BURN = "sum(i * i for i in range(3_000_000))"
# A child that computes and ends, then a process that goes on.
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{BURN}']); input()"


@pytest.fixture
def family():
    """A process whose only child has computed and ended."""
    process = subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE)
    yield process
    process.communicate(b"\n", timeout=30)


def test_an_account_holds_what_a_child_that_ended_has_used(family):
    def children_ended_with():
        return cpu_memory.cpu_of(family.pid)[1] - own_seconds(family.pid)

    with Account(lambda: [family.pid]) as account:
        until(lambda: children_ended_with() > 0.05, 30, "the child has ended")
    assert account.cpu_seconds > 0.05
    assert account.peak_resident_megabytes >= account.peak_megabytes > 1


def own_seconds(pid):
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, parts[11:13])) / os.sysconf("SC_CLK_TCK")


def test_an_account_keeps_what_a_killed_tree_had_used(monkeypatch):
    looks = iter([{7: {7: 1.0, 8: 2.0}}, {7: {7: 2.0, 8: 4.0}}, {7: {7: 2.5}}, {7: {7: 3.0}}, {7: {}}])
    monkeypatch.setattr(cpu_memory, "families_of", lambda roots: next(looks))
    account = Account(lambda: [7])
    for _ in range(5):
        account.look()
    assert account.cpu_seconds == 3.5  # 3 in the second look, half a second after the child was killed


def test_memory_that_grows_has_a_slope():
    assert cpu_memory.slope([(0, 100), (10, 110), (20, 120)]) == 1
    assert cpu_memory.slope([(0, 100)]) == 0


# --- What a figure says -----------------------------------------------------------------------------

FIGURES = [
    Figure("idle", "CPU per poll", 0.97, "ms", 1.0, 1.94),
    Figure("hosts", "two as against one", 0.5, "", 0.85, more_is_better=True),
    Figure("lag", "p50", 3.0, "s"),
]


def test_a_verdict_follows_the_target():
    assert [figure.verdict for figure in FIGURES] == ["reached", "MISSED", ""]
    assert FIGURES[0].times_better == pytest.approx(2)


def test_a_later_run_is_compared_by_row_and_figure():
    earlier = values_of(as_json(FIGURES[:1], {}))
    assert earlier == {"idle: CPU per poll": 0.97}
    now = [Figure("idle", "CPU per poll", 0.485, "ms"), FIGURES[2]]
    console = Console(width=150, record=True, quiet=True)
    console.print(table(now, earlier))
    text = "\n".join(map(str, list(table(now, earlier).columns[-1].cells)))
    assert text.split() == ["0.50", "new"]


def test_the_table_comes_in_markdown():
    head, line, first, *_ = as_markdown(FIGURES).splitlines()
    assert head.count("|") == line.count("|") == first.count("|") == 9
    assert first == "| idle | CPU per poll | 0.97 | ms | <= 1 | 1.94 | 2.00 | reached |"


@pytest.mark.parametrize("text", [b"", b"[]", b'{"figures": [{"row": "idle"}]}'])
def test_what_is_no_run_is_refused(text):
    with pytest.raises(ValueError, match="no JSON of bench"):
        values_of(text)


def test_every_row_is_listed(capsys):
    assert figures.main(["--list"]) == 0
    listed = capsys.readouterr().out
    assert [line.split()[0] for line in listed.splitlines()] == list(ROWS)


def test_an_unknown_row_and_a_missing_file_are_refused(capsys, tmp_path):
    for words in (["nonsense"], ["idle", "--compare", str(tmp_path / "none.json")]):
        with pytest.raises(SystemExit):
            figures.main(words)
    assert "none.json" in capsys.readouterr().err


# --- What the load saw ------------------------------------------------------------------------------


def test_calls_close_to_each_other_are_one_poll():
    assert begins([1.0, 1.2, 2.9, 10.0, 10.1], 2.0) == [1.0, 10.0]


def test_lateness_is_from_due_to_the_next_call():
    due, calls = {"a": {60, 120}, "b": {65}, "c": {90}}, {"a": [1, 61, 123], "b": [5, 65.5]}
    assert lateness(due, calls, end=100) == [0.5, 1, 3, 10]
    assert quantile([0, 0, 3], 0.95) == 3
    assert quantile([], 0.95) == 0


def test_lags_and_repeats_come_from_the_receivers():
    def request(order, at, event, accepted=True):
        return {"order": order, "at": at, "event_id": event, "accepted": accepted}

    told = Told(
        calls={},
        confirmed={"odoo_shop17-2_5": 10.0, "odoo_shop17_6": 10.0, "odoo_shop17_7": 11.0},
        requests=[
            request("odoo_shop17-2_5", 12.0, "e1", accepted=False),
            request("odoo_shop17-2_5", 13.0, "e1"),
            request("odoo_shop17-2_5", 14.0, "e1"),
            request("odoo_shop17_6", 11.0, "e2"),
        ],
        waiting=0,
        most_at_once=1,
    )
    assert told.lags() == [1.0, 3.0]
    assert told.lags(["shop17"]) == [1.0]
    assert (told.missing, told.repeated_events) == (1, 1)
    assert shop_of("odoo_shop17-2_5") == "shop17-2"


@pytest.mark.parametrize(
    ("sql", "kind"),
    [("BEGIN IMMEDIATE", b"c"), ('SELECT 1 FROM "django_q_ormq"', b"q"), ("INSERT INTO a VALUES (1)", b"s")],
)
def test_statements_are_told_apart(sql, kind):
    assert letter(sql) == kind


# --- The real poller --------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_row_measures_the_real_poller():
    found = {figure.name: figure.value for figure in calls.measure(Setting(connections=2))}
    assert found["Odoo 17, nothing new"] == 1
    assert found["Odoo 17, 5 orders"] == 2
    assert found["Odoo 16, 5 orders"] <= found["Odoo 16, the first 60 orders"]
    assert len(found) >= 8
