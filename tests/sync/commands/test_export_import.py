"""exportconnections and importconnections: out and in again, secrets only with a key."""

import io

import pytest
import yaml
from cryptography.fernet import Fernet
from django.utils import timezone

from connections.export import LONGEST
from connections.models import Connection
from tests.factories import CANARY_KEY, CANARY_SECRET

pytestmark = pytest.mark.django_db
KEY = Fernet.generate_key().decode()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "shops.yaml"


def facts():
    left_out = ("id", "created_at", "updated_at", "api_key", "webhook_secret")
    return [
        {name: value for name, value in row.items() if name not in left_out}
        for row in Connection.objects.order_by("pk").values()
    ]


def test_out_and_in_again_with_secrets(run, shop, make_connection, file):
    make_connection(name="Tienda Ñandú", start="date", start_at=timezone.now(), events=["order.confirmed"])
    before = facts()
    file.write_text(run("exportconnections", "--with-secrets", f"--key={KEY}").out)
    assert CANARY_KEY not in file.read_text() and "Ñandú" in file.read_text()
    Connection.objects.all().delete()
    assert run("importconnections", str(file), f"--key={KEY}").error == ""
    assert facts() == before
    back = Connection.objects.get(name=shop.name)
    assert (back.api_key.reveal(), back.webhook_secret.reveal()) == (CANARY_KEY, CANARY_SECRET)


def test_without_both_words_no_secret_leaves(run, shop):
    assert "secrets" not in run("exportconnections").out
    assert "--with-secrets and --key" in run("exportconnections", f"--key={KEY}").error
    assert "--with-secrets and --key" in run("exportconnections", "--with-secrets").error
    assert "unusable" in run("exportconnections", "--with-secrets", "--key=short").error


def test_one_connection_only(run, shop, make_connection):
    make_connection(name="Another")
    rows = yaml.safe_load(run("exportconnections", "-c", shop.name).out)["connections"]
    assert [row["name"] for row in rows] == [shop.name]


@pytest.mark.parametrize(
    ("written", "value"), [("true", "true"), ("'true'", "true"), ("0", "0"), ("ok", "ok"), ("'\"0\"'", '"0"')]
)
def test_a_required_answer_comes_in_as_it_is_typed(run, shop, file, written, value):
    """What is written by hand may be true or 0 to YAML."""
    text = run("exportconnections").out.replace("answer_pointer: ''", "answer_pointer: /ok")
    file.write_text(text.replace("answer_value: ''", f"answer_value: {written}"))
    assert "changed" in run("importconnections", str(file)).out
    assert "as it was" in run("importconnections", str(file)).out
    again = run("exportconnections").out
    shop.refresh_from_db()
    assert (shop.answer_pointer, shop.answer_value) == ("/ok", value)
    file.write_text(again)
    assert "as it was" in run("importconnections", str(file)).out


def test_a_file_of_before_leaves_a_required_answer_alone(run, shop, file):
    Connection.objects.update(answer_pointer="/ok", answer_value="true")
    lines = run("exportconnections").out.splitlines()
    file.write_text("\n".join(line for line in lines if "answer_" not in line))
    assert "as it was" in run("importconnections", str(file)).out


def test_a_legacy_secret_comes_in_without_a_question_and_is_told(run, shop, file):
    Connection.objects.update(webhook_secret="plain-words")
    file.write_text(run("exportconnections", "--with-secrets", f"--key={KEY}").out)
    assert "legacy" not in run("importconnections", str(file), f"--key={KEY}").out, "nothing is new"
    Connection.objects.all().delete()
    for more in (["--dry-run"], []):
        printed = run("importconnections", str(file), f"--key={KEY}", *more)
        assert printed.error == "" and "Shop Madrid: its webhook secret is a legacy one" in printed.out
        assert "plain-words" not in printed.all
    assert Connection.objects.get().webhook_secret.reveal() == "plain-words"


def test_a_known_connection_is_changed_and_keeps_its_secrets(run, shop, file):
    text = run("exportconnections").out
    file.write_text(text.replace("poll_interval_seconds: 60", "poll_interval_seconds: 30"))
    assert "changed" in run("importconnections", str(file), "--dry-run").out
    assert Connection.objects.get().poll_interval_seconds == 60
    assert "changed" in run("importconnections", str(file)).out
    assert "as it was" in run("importconnections", str(file)).out
    shop = Connection.objects.get()
    assert (shop.poll_interval_seconds, shop.api_key.reveal()) == (30, CANARY_KEY)


def test_a_secret_is_not_sent_to_another_address_without_being_given_anew(run, shop, file):
    text = run("exportconnections").out
    file.write_text(text.replace(shop.odoo_url, "https://evil.example.com"))
    assert "api_key" in run("importconnections", str(file)).error


def test_a_new_connection_needs_its_secrets(run, shop, file):
    file.write_text(run("exportconnections").out)
    Connection.objects.all().delete()
    assert "api_key" in run("importconnections", str(file)).error
    assert not Connection.objects.exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("format: 2", "newer version"),
        ("just words", "newer version"),
        ("{", "This is not YAML"),
        ("!!python/object/apply:os.system ['true']", "This is not YAML"),
        ("format: 1\nconnections: 5", "not a list"),
        ("format: 1\nconnections: [{name: x, colour: red}]", "colour"),
        ("format: 1\nconnections: [{name: x, external_id: a}, {name: X, external_id: b}]", "one name"),
        ("format: 1\nconnections: [{name: x, external_id: a, start_at: soon}]", "start_at"),
        ("format: 1\nconnections: [{name: &a x, external_id: a}]", "Line 2: anchors and aliases"),
        ("format: 1\nconnections: &a\n- *a", "Line 2: anchors and aliases"),
        ("format: 1\nconnections:\n- &a {name: x}\n- <<: *a", "Line 3: anchors and aliases"),
        ("&a format: 1", "Line 1: anchors and aliases"),
        ('format: 1\nconnections: [{name: "x\\ny", external_id: a}]', "“x y”, name: There is a line break"),
        ('format: 1\nconnections: [{name: "x\\u202Ey", external_id: a}]', "(U+202E)"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(run, file, text, words):
    file.write_text(text)
    assert words in run("importconnections", str(file)).error


def test_aliases_that_multiply_are_not_opened(run, file):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    file.write_text("\n".join(lines))
    assert "anchors and aliases" in run("importconnections", str(file)).error


def test_a_text_that_is_too_long_is_not_read(run, file, monkeypatch):
    text = "# " + "x" * LONGEST
    file.write_text(text)
    assert "at most 5 million characters" in run("importconnections", str(file)).error
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert "at most 5 million characters" in run("importconnections", "-").error
    assert "at most 5 million characters" in run("importconnections", "/dev/zero").error


def test_what_was_exported_is_read_whatever_is_in_it(run, shop, file):
    Connection.objects.update(name="&a *b <<: Niño 🚚", database="*x")
    file.write_text(run("exportconnections").out)
    assert "as it was" in run("importconnections", str(file)).out


def test_a_wrong_key_and_a_missing_file_are_sentences(run, shop, file):
    file.write_text(run("exportconnections", "--with-secrets", f"--key={KEY}").out)
    other = Fernet.generate_key().decode()
    assert "does not fit" in run("importconnections", str(file), f"--key={other}").error
    assert "nowhere.yaml" in run("importconnections", "nowhere.yaml").error
