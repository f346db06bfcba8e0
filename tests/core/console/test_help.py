"""Every command teaches: an example in its --help that its own parser accepts, and no traceback."""

import io
import shlex
import subprocess
from types import SimpleNamespace

import pytest
from django.core.management import call_command, get_commands, load_command_class
from django.db import OperationalError
from django.db import connection as database

from connections.errors import Temporary
from connections.models import Connection
from core.console.base import TeachingCommand

COMMANDS = (
    "addconnection",
    "checkledger",
    "checkreceiver",
    "connections",
    "deleteconnection",
    "discard",
    "editconnection",
    "eraseperson",
    "exportconnections",
    "importconnections",
    "importlegacy",
    "nudgeaddress",
    "reconcile",
    "resend",
    "resetcircuit",
    "retries",
    "retry",
    "rotatekeys",
    "runpoller",
    "status",
    "synclogs",
    "testalert",
    "testconnection",
)


def parser_of(name):
    return load_command_class(get_commands()[name], name).create_parser("manage.py", name)


def test_every_command_of_ours_is_here():
    ours = {
        name
        for name, app in get_commands().items()
        if app in ("core", "sync", "sync.legacy")
        and isinstance(load_command_class(app, name), TeachingCommand)
    }
    assert set(COMMANDS) <= ours


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_examples_that_parse(name):
    command, page = load_command_class(get_commands()[name], name), parser_of(name).format_help()
    assert "Examples:" in page and command.help
    for line, what in command.examples:
        assert f"manage.py {line}" in page and str(what) in page
        first, *words = shlex.split(line)
        assert first == name
        parser_of(name).parse_args(words)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_explains_every_argument_of_ours(name):
    for action in parser_of(name)._actions:
        assert action.help, (name, action.dest)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_a_terminal(name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    described = parser_of(name).format_help().split("Examples:")[0]
    assert max(map(len, described.splitlines())) <= 110


@pytest.mark.parametrize(
    ("failure", "code", "words"),
    [
        (Temporary("odoo_timeout", "no answer in 30 s"), 1, "no answer in 30 s"),
        (OperationalError("no such table: connections_connection"), 1, "manage.py migrate"),
        (KeyboardInterrupt(), 130, "Stopped."),
    ],
)
@pytest.mark.django_db
def test_what_can_go_wrong_is_a_sentence(run, monkeypatch, failure, code, words):
    def fail(*args):
        raise failure

    monkeypatch.setattr("sync.management.commands.connections.connection_rows", fail)
    printed = run("connections")
    assert printed.code == code and words in printed.error


@pytest.mark.django_db
def test_a_secret_that_no_key_can_read(run, shop):
    """What does not need the secret works, what needs it ends in good order, and a new one can be given."""
    with database.cursor() as cursor:
        cursor.execute("UPDATE connections_connection SET api_key = %s", [b"written with a lost key"])
    pk = str(shop.pk)
    for line in (["connections"], ["synclogs", "-c", pk], ["editconnection", pk, "--interval", "30"]):
        assert run(*line).error == ""
    assert run("testconnection", pk).code == 1
    assert run("editconnection", pk, "--api-key", "a-new-key").error == ""
    assert Connection.objects.get().api_key.reveal() == "a-new-key"


@pytest.mark.django_db
def test_a_reader_who_leaves_early_is_no_fault(monkeypatch):
    page, closed = io.StringIO(), []

    def broken(text):
        raise BrokenPipeError

    page.write = broken
    monkeypatch.setattr("sys.stdout", SimpleNamespace(fileno=lambda: 1))
    monkeypatch.setattr("os.dup2", lambda source, target: closed.append(target))
    call_command("connections", stdout=page)
    assert closed == [1]


@pytest.mark.slow
def test_a_shell_sees_a_sentence_and_a_code(manage, environment):
    def shell(*line):
        return subprocess.run(
            [*manage, *line], env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )

    before = shell("connections")
    assert before.returncode == 1 and "manage.py migrate" in before.stderr
    assert "Traceback" not in before.stderr
    assert shell("migrate", "-v0").returncode == 0
    assert shell("connections").returncode == 0
    wrong = shell("resend", "-c", "Lisbon", "--last", "3")
    assert wrong.returncode == 1 and "addconnection" in wrong.stderr and "Traceback" not in wrong.stderr


def test_the_modules_beside_the_commands_are_not_commands():
    assert not {"choosing", "showing", "asking", "filling", "sending", "standing", "teaching"} & set(
        get_commands()
    )
