"""--language: set, asked about, saved with and without sending; out as YAML and in again."""

import pytest

from connections.models import Connection
from sync.events.decide import BY_STAMP
from sync.models import PollState, SeenOrder
from tests.conftest import NOON
from tests.factories import polled, seen
from tests.sync.commands.test_connection_commands import add

pytestmark = pytest.mark.django_db


@pytest.fixture
def spoken(shop, monkeypatch):
    """A shop whose receiver knows one open order."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOON)
    polled(shop, window_to=NOON)
    seen(shop, number=2, write_date=NOON, announced="confirmed")
    return shop


def stored():
    return Connection.objects.get().language, SeenOrder.objects.get().content_hash


def test_a_new_connection(run, nobody):
    assert run(*add(language="es-mx")).error == ""
    assert Connection.objects.get().language == "es_MX"
    assert "--language: " in run(*add(language="Spanish", name="B", connection_id="b")).error


def test_where_nobody_answers_it_says_how_many_and_how_to_go_on(run, nobody, spoken):
    printed = run("editconnection", "Shop Madrid", "--language", "es_MX")
    assert printed.code == 1 and "1 open order of the last 7 days is sent again" in printed.error
    assert "--send-again, --without-sending: " in printed.error
    assert stored() == ("", "h" * 64)


@pytest.mark.parametrize(("flag", "known_by"), [("--send-again", "h" * 64), ("--without-sending", BY_STAMP)])
def test_with_a_word(run, nobody, spoken, flag, known_by):
    assert "is changed" in run("editconnection", "Shop Madrid", "--language", "es_MX", flag).out
    assert stored() == ("es_MX", known_by)
    assert PollState.objects.get().deep_check_at == NOON


@pytest.mark.parametrize(
    ("answers", "kept"),
    [(["keep"], ("es_MX", BY_STAMP)), (["what?", "send"], ("es_MX", "h" * 64)), ([], ("", "h" * 64))],
)
def test_a_person_is_asked(run, person, spoken, answers, kept):
    asked = person(*answers)
    printed = run("editconnection", "Shop Madrid", "--language", "es_MX")
    assert "1 open order" in printed.out and "send/keep" in asked[0]
    assert stored() == kept


def test_both_at_once_are_a_mistake(run, spoken):
    printed = run("editconnection", "Shop Madrid", "--language", "es_MX", "--send-again", "--without-sending")
    assert printed.code == 1 and "not allowed with" in printed.error


def test_a_word_alone_changes_nothing(run, nobody, spoken):
    assert "Say what to change" in run("editconnection", "Shop Madrid", "--without-sending").error
    run("editconnection", "Shop Madrid", "--name", "Renamed", "--without-sending")
    assert stored() == ("", "h" * 64)


def test_yaml_that_names_another_language_asks_too(run, nobody, spoken, tmp_path):
    file = tmp_path / "shops.yaml"
    file.write_text(run("exportconnections").out.replace("language: ''", "language: es_MX"))
    refused = run("importconnections", str(file))
    assert "Shop Madrid" in refused.error and "1 open order" in refused.error
    assert stored() == ("", "h" * 64)
    assert "changed" in run("importconnections", str(file), "--without-sending", "--dry-run").out
    assert stored() == ("", "h" * 64)
    assert "changed" in run("importconnections", str(file), "--without-sending").out
    assert stored() == ("es_MX", BY_STAMP)
    assert "as it was" in run("importconnections", str(file)).out
