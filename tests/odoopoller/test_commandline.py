"""What `manage.py` does around every command: Ctrl-C, encodings, missing packages, no database."""

import os
import signal
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, OperationalError

from odoopoller import commandline
from tests.conftest import ROOT

SECRET = "hunter2Zx7Lw"


def test_an_argument_that_is_not_utf_8_is_a_sentence(environment, manage):
    line = [*(word.encode() for word in manage), b"connections", b"\xff" + SECRET.encode()]
    run = subprocess.run(line, env=environment, capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == "Argument 2 is not UTF-8. Type it in a terminal that uses UTF-8.\n"


def test_a_python_without_the_packages_is_told_what_to_do(environment):
    bare = [sys.executable, "-S", "-E", str(ROOT / "manage.py"), "check"]  # -S: no site-packages
    run = subprocess.run(bare, env=environment, capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (1, "")
    assert "lacks the package django" in run.stderr and "make run" in run.stderr
    assert ".venv/bin/python manage.py" in run.stderr and len(run.stderr.splitlines()) == 1


def test_a_port_beyond_all_ports_is_a_sentence(environment, manage):
    run = subprocess.run(
        [*manage, "runlocal", "--port", "80000"], env=environment, capture_output=True, text=True
    )
    assert run.returncode == 2 and "“80000” is too large: 65530 at most" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("command", ["migrate", "connections", "createsuperuser"])
def test_a_database_that_is_unreachable_is_a_sentence(environment, manage, command):
    environment["DATABASE_URL"] = f"postgres://user:{SECRET}@127.0.0.1:9/name"
    run = subprocess.run([*manage, *command.split()], env=environment, capture_output=True, text=True)
    assert run.returncode == 1
    assert "Traceback" not in run.stderr and SECRET not in run.stderr + run.stdout
    assert "The database refused" in run.stderr


@pytest.mark.slow
@pytest.mark.parametrize("command", ["connections", "runpoller", "runlocal --no-sandbox --port 18765"])
@pytest.mark.parametrize("seconds", [0.15, 0.4, 0.8])
def test_ctrl_c_in_the_first_second_ends_without_a_word_too_many(environment, manage, command, seconds):
    process = subprocess.Popen(
        [*manage, *command.split()],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert "Traceback" not in said and "KeyboardInterrupt" not in said
    assert process.returncode in (0, 1, 130, -signal.SIGINT)  # a shell says 130 of the last two


@pytest.fixture
def run(monkeypatch):
    """Run a command that raises; returns what is said at the end."""

    def run(error, *arguments):
        def raises(line):
            raise error

        monkeypatch.setattr(commandline, "execute_from_command_line", raises)
        monkeypatch.setattr("django.setup", lambda: None)
        before = signal.getsignal(signal.SIGINT)
        try:
            commandline.run(["manage.py", *(arguments or ["status"])])
        except SystemExit as end:
            return end.code
        finally:
            signal.signal(signal.SIGINT, before)
        raise AssertionError("it ended as if nothing had happened")

    return run


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ImproperlyConfigured("SECRET_KEY is missing."), "Not configured: SECRET_KEY is missing."),
        (OperationalError("no such table: x"), "The database refused: no such table: x. If it was never"),
        (IntegrityError(f"Failing row contains ({SECRET})"), "The database refused: IntegrityError."),
        (OverflowError(SECRET), "A fault in our own code: OverflowError in test_commandline.py, line "),
        (KeyboardInterrupt(), 130),
    ],
)
def test_whatever_goes_wrong_is_a_sentence_without_values(run, caplog, error, said):
    told = run(error)
    assert (told if said == 130 else told[: len(said)]) == said
    assert SECRET not in str(told)
    assert (type(error) is OverflowError) == ("failed in our own code" in caplog.text)


def test_the_whole_error_is_shown_to_who_asks_for_it(run):
    with pytest.raises(OverflowError):
        run(OverflowError("huge"), "status", "--traceback")


def test_a_reader_who_leaves_early_is_no_fault(monkeypatch):
    closed = []
    monkeypatch.setattr(os, "dup2", lambda source, target: closed.append(target))
    monkeypatch.setattr(sys, "stdout", type("Out", (), {"fileno": lambda self: 1})())

    def breaks(line):
        raise BrokenPipeError

    monkeypatch.setattr(commandline, "execute_from_command_line", breaks)
    before = signal.getsignal(signal.SIGINT)
    commandline.run(["manage.py", "showmigrations"])
    signal.signal(signal.SIGINT, before)
    assert closed == [1]
