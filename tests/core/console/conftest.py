"""How tests of commands run them and read what they print."""

import io
import json
from dataclasses import dataclass

import pytest
import responses
from django.core.management import CommandError, call_command
from django.utils import timezone

from sandbox.http.answer import json_answer
from sandbox.odoo.access import ApiKey
from sandbox.odoo.server import Odoo
from sandbox.odoo.shop import Shop
from sandbox.receiver.receiver import Receiver
from tests.doubles import http as http_doubles
from tests.factories import CANARY_KEY, CANARY_SECRET


@dataclass
class Printed:
    """What a command wrote; `error` is the sentence it ended with, and `code` what the shell would get."""

    out: str
    err: str
    error: str = ""
    code: int = 0

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def all(self):
        return "\n".join([self.out, self.err, self.error])


@pytest.fixture
def run():
    """Run a command line as a person types it: run("retry", "3")."""

    def run(*line, tty=False):
        out, err = io.StringIO(), io.StringIO()
        if tty:
            out.isatty = lambda: True
        try:
            call_command(*line, stdout=out, stderr=err)
        except CommandError as error:
            return Printed(out.getvalue(), err.getvalue(), str(error), error.returncode)
        return Printed(out.getvalue(), err.getvalue())

    return run


@pytest.fixture
def shop(make_connection):
    """A connection whose secrets must never be printed."""
    return make_connection(name="Shop Madrid", api_key=CANARY_KEY, webhook_secret=CANARY_SECRET)


@pytest.fixture
def nobody(monkeypatch):
    """Nobody sits at the terminal."""
    monkeypatch.setattr("sys.stdin", io.StringIO())


@pytest.fixture
def person(monkeypatch):
    """Somebody answers questions, in this order; hidden answers apart."""

    def sit_down(*answers, hidden=()):
        lines, secrets = iter(answers), iter(hidden)
        asked = []

        def answer(source):
            def read(prompt=""):
                asked.append(prompt)
                try:
                    return next(source)
                except StopIteration:
                    raise EOFError from None

            return read

        terminal = io.StringIO()
        terminal.isatty = lambda: True
        monkeypatch.setattr("sys.stdin", terminal)
        monkeypatch.setattr("builtins.input", answer(lines))
        monkeypatch.setattr("getpass.getpass", answer(secrets))
        return asked

    return sit_down


@pytest.fixture
def web():
    """Every HTTP call ends here; what nobody answers is an error."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def odoo(web, shop):
    """The Odoo of `shop`: a database in memory."""
    shop.odoo_url = "http://127.0.0.1:8069"
    shop.save()
    sandbox = Shop(17, shop.database, timezone.now)
    sandbox.poller.keys.append(ApiKey(CANARY_KEY))
    http_doubles.install(web, Odoo(sandbox), shop.odoo_url)
    return sandbox


class Strict(Receiver):
    """What it answers to a wrong signature is `refusal`: 401 by itself, 200 for one that takes anything."""

    refusal = 401

    def handle(self, method, path, headers, body):
        answer = super().handle(method, path, headers, body)
        return json_answer({"error": "signature"}, self.refusal) if answer.status == 401 else answer

    @property
    def orders(self):
        """(order, version, replay, event id) of what came with a good signature."""
        came = [d for d in self.hook("odoo").deliveries if d.signature == "ok" and "order" in d.body]
        return [(d.body["order"]["name"], d.version, d.body["replay"], d.event_id) for d in came]


@pytest.fixture
def receiver(web, shop):
    """The receiver of `shop`."""
    sandbox = Strict(timezone.now)
    sandbox.set_secrets("odoo", CANARY_SECRET)
    http_doubles.install_receiver(web, sandbox, "https://stockmaster.example.com")
    shop.webhook_url = "https://stockmaster.example.com/hook/odoo"
    shop.save()
    return sandbox
