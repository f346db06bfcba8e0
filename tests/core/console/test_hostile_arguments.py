"""Every argument of every command of ours, fed with hostile values: a sentence, never a traceback."""

import functools
import io

import pytest
from django.core.management import CommandError, call_command, get_commands, load_command_class

from tests.factories import CANARY_KEY, CANARY_SECRET, logged, owed, polled

SECRET = "hunter2Zx7Lw"
APPS = ("core", "sync", "sync.legacy", "sandbox")
OURS = sorted(name for name, app in get_commands().items() if app in APPS and name != "migrate")
ENDLESS = ("runpoller", "runlocal", "sandbox")  # only their arguments are read
# What the arguments of Django's own base mean is Django's.
BASE = {"help", "version", "verbosity", "settings", "pythonpath", "traceback", "no_color", "force_color"}
BASE |= {"skip_checks"}
SECRETS = ("api_key", "webhook_secret", "key")
HOSTILE = [
    "",
    "-",
    "-1",
    "0",
    "9223372036854775808",
    "9" * 5000,
    "1e999",
    "nan",
    "²",
    "\u0663",
    SECRET,
    f"{SECRET}\x1b[31m\n",
    f"{SECRET} with blanks",
    "x" * 10_000,
    "%s {0} \\0 '; --",
    f"http://user:{SECRET}@[::1",
    f"http://user:{SECRET}@host",
    f"user:{SECRET}@host:port",
    "http://host:99999",
    "/",
    "/dev/null",
    "[1, {a: b}]",
    "0001-01-01",
    "9999-12-31",
    "2026-13-45",
    "9999w",
]


def parser_of(name):
    return load_command_class(get_commands()[name], name).create_parser("manage.py", name)


@functools.cache
def actions_of(name):
    return [action for action in parser_of(name)._actions if action.dest not in BASE]


@pytest.fixture
def sane(shop, settings):
    """A value that each required argument takes, by its name."""
    settings.ALLOWED_NETWORKS = ["127.0.0.0/8"]
    shop.odoo_url = shop.webhook_url = "http://127.0.0.1:9"  # nothing listens there
    shop.save()
    item = owed(shop, status="failed", next_retry_at=None)
    polled(shop)
    logged(shop, error_code="odoo_timeout")
    return {"connection": str(shop.pk), "ids": str(item.pk), "reason": "why", "file": "nowhere.yaml"}


def line_with(name, action, value, sane):
    """The command with this argument, and with sane values for the others that it needs."""
    words, last = [name], []
    for other in actions_of(name):
        is_it = other.option_strings == action.option_strings and other.dest == action.dest
        given = value if is_it else sane.get(other.dest)
        if not (other.required or is_it):
            continue
        if not other.option_strings:
            last.append(given)
        elif other.nargs == 0:
            words.append(other.option_strings[-1])
        else:
            words.append(f"{other.option_strings[-1]}={given}")
    return [*words, "--", *last] if last else words


def said_by(line):
    out = io.StringIO()
    try:
        call_command(*line, stdout=out, stderr=out)
    except CommandError as error:
        out.write(str(error))
    except SystemExit as error:
        out.write(str(error.code))
    return out.getvalue()


def cases():
    for name in OURS:
        for action in actions_of(name):
            yield pytest.param(name, action, id=f"{name} {(action.option_strings or [action.dest])[-1]}")


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "action"), list(cases()))
def test_no_argument_ends_in_a_traceback_or_shows_a_secret(name, action, sane, nobody, monkeypatch):
    if name in ENDLESS:
        command = type(load_command_class(get_commands()[name], name))
        monkeypatch.setattr(command, "handle", lambda self, *args, **options: None)
    for value in HOSTILE if action.nargs != 0 else [""]:
        said = said_by(line_with(name, action, value, sane))
        assert "Traceback" not in said, value
        assert CANARY_KEY not in said and CANARY_SECRET not in said
        assert action.dest not in SECRETS or SECRET not in said, value
        assert "\x1b" not in said, value


def test_every_command_is_fed():
    assert set(OURS) > {"addconnection", "resend", "retry", "synclogs", "sandbox", "runlocal", "runpoller"}
    assert sum(len(actions_of(name)) for name in OURS) > 80
