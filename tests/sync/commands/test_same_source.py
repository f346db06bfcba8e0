"""The same source twice: said by whatever command saves it, and saved all the same."""

import pytest

from connections.models import Connection
from tests.factories import SECRET
from tests.sync.commands.test_connection_commands import WHOLE, add

pytestmark = pytest.mark.django_db
SAID = "sends the same orders to the same receiver as: Shop Madrid. Each arrives twice"
SECOND = {"name": "Second", "connection_id": "es-2"}


@pytest.fixture
def first(run, nobody):
    assert run(*add()).err == ""
    return Connection.objects.get()


def test_when_it_is_added(run, first):
    printed = run(*add(**SECOND))
    assert printed.code == 0 and SAID in printed.err and Connection.objects.count() == 2


def test_not_of_one_that_is_added_disabled_but_when_it_is_enabled(run, first):
    assert run(*add(**SECOND), "--disabled").err == ""
    assert SAID in run("editconnection", "Second", "--enabled").err


@pytest.mark.parametrize(
    "line",
    [
        ["--database", "shop"],
        ["--company", ""],
        ["--webhook-url", WHOLE["--webhook-url"], "--webhook-secret", SECRET],
        ["--url", f"{WHOLE['--url']}/", "--api-key", "k"],
    ],
)
def test_when_it_is_edited(run, first, line):
    apart = {
        "database": "else",
        "company": "7",
        "webhook_url": "https://b.example.com",
        "url": "https://a.example.com",
    }
    flag = line[0].removeprefix("--").replace("-", "_")
    if flag == "company":
        run("editconnection", "Shop Madrid", "--company", "3")
    assert run(*add(**SECOND, **{flag: apart[flag]})).err == ""
    assert SAID in run("editconnection", "Second", *line).err


def test_when_it_is_imported(run, first, tmp_path):
    run(*add(**SECOND, database="else"))
    file = tmp_path / "shops.yaml"
    file.write_text(run("exportconnections").out.replace("database: else", "database: shop"))
    assert run("importconnections", str(file), "--dry-run").err == ""
    assert SAID in run("importconnections", str(file)).err
