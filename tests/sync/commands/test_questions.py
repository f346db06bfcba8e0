"""manage.py questions: what waits for a person's word, and giving it."""

import json

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from connections.models import Connection
from sync.models import PollState, Question


@pytest.fixture
def question(connection):
    PollState.objects.create_missing(timezone.now())

    def ask(kind="disappeared", **detail):
        return Question.objects.create(
            connection=connection,
            kind=kind,
            detail={"gone": 12, "covered": 12, "orders": [1], **detail},
            asked_at=timezone.now(),
        )

    return ask


def said(*words, capsys=None):
    call_command("questions", *words)
    return capsys.readouterr().out


def test_what_waits_is_listed_with_its_answers(question, capsys):
    asked = question()
    out = said(capsys=capsys)
    assert "12 / 12" in out and "gone" in out and asked.connection.name in out
    told = json.loads(said("--json", capsys=capsys))
    assert [(each["id"], each["kind"]) for each in told] == [(asked.pk, "disappeared")]


def test_nothing_waits(db, capsys):
    assert "No question" in said(capsys=capsys)


def test_an_answer_is_kept_with_who_gave_it_and_the_check_is_due(question, capsys):
    asked = question()
    said("--answer", str(asked.pk), "gone", capsys=capsys)
    asked.refresh_from_db()
    assert asked.answer == "gone" and "manage.py" in asked.answered_by
    assert PollState.objects.get().deep_check_at <= timezone.now()
    with pytest.raises(CommandError, match="answered already"):
        call_command("questions", "--answer", str(asked.pk), "gone")


@pytest.mark.parametrize(
    ("number", "word", "sentence"),
    [
        ("999", "gone", "There is no question"),
        ("x", "gone", "There is no question"),
        ("9" * 30, "gone", "There is no question"),
        (None, "send", "can be answered with: gone"),
        (None, "", "can be answered with: gone"),
    ],
)
def test_what_is_no_answer(question, number, word, sentence):
    asked = question()
    with pytest.raises(CommandError, match=sentence):
        call_command("questions", "--answer", number or str(asked.pk), word)
    assert Question.objects.open().get() == asked


def test_another_database_gets_a_connection_of_its_own(question, connection, capsys):
    asked = question("another_database")
    PollState.objects.update(hold="odoo_another_database")
    with pytest.raises(CommandError, match="--name"):
        call_command("questions", "--answer", str(asked.pk), "another")
    words = ("--answer", str(asked.pk), "another", "--name", "Second", "--connection-id", "second")
    assert "Second" in said(*words, capsys=capsys)
    copy, old = Connection.objects.get(name="Second"), Connection.objects.get(pk=connection.pk)
    assert (copy.enabled, old.enabled) == (True, False)
    assert copy.api_key.reveal() == old.api_key.reveal() and copy.database == old.database
    assert not PollState.objects.exclude(hold="").exists()
    assert PollState.objects.get(connection=copy).started_at is None


def test_the_same_database_goes_on(question, connection):
    asked = question("another_database", now={"place": "here", "database": "renamed"})
    PollState.objects.update(hold="odoo_another_database")
    call_command("questions", "--answer", str(asked.pk), "same")
    state = PollState.objects.get(connection=connection)
    assert (state.hold, state.database["database"]) == ("", "renamed")
