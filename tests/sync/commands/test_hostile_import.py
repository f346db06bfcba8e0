"""importconnections with files that nobody meant: a sentence with the place, never a traceback or a value."""

import io

import pytest
import yaml

from connections.models import Connection
from tests.factories import CANARY_KEY, CANARY_SECRET

pytestmark = pytest.mark.django_db
SECRET = "hunter2Zx7Lw"
BEGINNING = """\
format: 1
connections:
- name: Shop Lugo
  external_id: lugo
  odoo_url: https://shop.odoo.com
  username: poller
  webhook_url: https://stockmaster.example.com/in
"""


@pytest.fixture
def said(run, tmp_path, shop):
    """What the command says of a file with this content; nothing of it may be stored."""

    def said(content):
        file = tmp_path / "shops.yaml"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        printed = run("importconnections", str(file))
        assert printed.code == 1 and Connection.objects.count() == 1
        assert (
            SECRET not in printed.all and CANARY_KEY not in printed.all and CANARY_SECRET not in printed.all
        )
        return printed.error

    return said


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f"odoo_url: [{SECRET}]", "“odoo_url” has a value that is not a text"),
        (f"database: {{a: {SECRET}}}", "“database” has a value that is not a text"),
        (f"database: [[[[{SECRET}]]]]", "“database” has a value that is not a text"),
        ("database: !!set {a, b}", "“database” has a value that is not a text"),
        ("database: !!binary aGk=", "“database” has a value that is not a text"),
        (f'database: "{SECRET}\\0"', "“database” has a value that is not a text"),
        (f'database: "{SECRET}\\ud800"', "“database” has a value that is not a text"),
        ("poll_interval_seconds: 0x" + "f" * 5000, "“poll_interval_seconds” has a value that is not"),
        ("poll_interval_seconds: [60]", "“poll_interval_seconds” has a value that is not"),
        ("poll_interval_seconds: 4", "Write a number of seconds from 5 to 86400"),
        ("company_id: 0", "company_id: Ensure this value is greater than or equal to 1"),
        ("company_id: 4294967296", "company_id: Ensure this value is less than or equal to 2147483647"),
        ("odoo_calls_per_second: .nan", "odoo_calls_per_second: Enter a number"),
        ("deliveries_per_second: .inf", "deliveries_per_second: Enter a number"),
        (f"events: {SECRET}", "“events” is a list of texts"),
        (f"events: [[{SECRET}]]", "“events” is a list of texts"),
        (f"events: {{{SECRET}: 1}}", "“events” is a list of texts"),
        ("enabled: 'no'", "“enabled” is true or false"),
        ("send_secret_header: 1", "“send_secret_header” is true or false"),
        (f"secrets: {SECRET}", "“secrets” has texts by name"),
        (f"secrets: {{api_key: [{SECRET}]}}", "“secrets” has texts by name"),
        ("start_at: 0001-01-01", "start_at: Write a moment from the year 2000 on"),
        ("start_at: 9999-12-31T23:59:59-12:00", "start_at: "),
        ("start_at: 2026-13-45", "This is not YAML, or it has a number, a date"),
        (f"protocol: {SECRET}", "protocol: It is not one of the available choices: auto, jsonrpc, json2."),
        (f"start: {SECRET}", "start: It is not one of the available choices: now, date, all."),
        (f"odoo_url: https://user:{SECRET}@[::1", "odoo_url: This is not an address"),
        (f"odoo_url: https://user:{SECRET}@host", "odoo_url: Leave out the user name and password"),
        (f"odoo_url: user:{SECRET}@host", "odoo_url: Leave out the user name and password"),
        (f"odoo_url: https://host:{SECRET}", "odoo_url: This is not an address"),
        (f"webhook_url: https://host:port/{SECRET}", "webhook_url: This is not an address"),
        (f"webhook_url: host/{SECRET}", "Try: https://host"),
        ("5: five", "“?” has a value"),
        ("? [a]\n  : b", "This is not YAML: see line "),
        (f"database: *{SECRET}", "Line 8: anchors and aliases"),
        (f"database: !{SECRET} x", "This is not YAML: see line 8, column 13"),
        (f"database: '{SECRET}", "This is not YAML: see line "),
        (f"\tdatabase: {SECRET}", "This is not YAML: see line "),
    ],
)
def test_a_value_of_another_kind_is_told_by_its_field(said, line, words):
    assert words in said(f"{BEGINNING}  {line}\n")


@pytest.mark.parametrize(
    "content",
    [
        "[" * 5000,
        "{a: " * 5000,
        "- " * 5000,
        "format: " + "9" * 5000,
        "\x00",
        f"format: 1 # {SECRET}ñ".encode("latin-1"),
        b"\x7fELF\x01\x02" + SECRET.encode(),
        b"\xff\xfe" + SECRET.encode() + b"x",
        "format: true\nconnections: !!pairs [a: b]",
        f"format: 1\nconnections: [{SECRET}]",
        "format: 1\nconnections: [{name: [a]}, {name: [a]}]",
    ],
)
def test_a_file_that_is_something_else_is_a_sentence(said, content):
    assert len(said(content)) < 300


def test_a_file_is_read_however_it_was_saved(run, tmp_path, shop):
    text = run("exportconnections").out
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        file = tmp_path / "shops.yaml"
        file.write_bytes(text.encode(encoding))
        assert "as it was" in run("importconnections", str(file)).out


def test_numbers_and_dates_stand_for_texts_as_before(run, tmp_path, shop):
    rows = yaml.safe_load(run("exportconnections").out)
    rows["connections"][0] |= {"name": 17, "database": 4.5, "start": "date", "start_at": "2026-11-01"}
    file = tmp_path / "shops.yaml"
    file.write_text(yaml.safe_dump(rows))
    assert run("importconnections", str(file)).error == ""
    changed = Connection.objects.get()
    assert (changed.name, changed.database, changed.start_at.day) == ("17", "4.5", 1)


@pytest.mark.parametrize("arguments", [["importconnections", "-"], ["editconnection", "1", "--api-key", "-"]])
def test_an_input_that_is_not_utf_8_or_not_there_is_a_sentence(run, shop, monkeypatch, arguments):
    arguments = [str(shop.pk) if word == "1" else word for word in arguments]
    for stdin in (io.TextIOWrapper(io.BytesIO(b"\xff\xfe\xff" + SECRET.encode()), "utf-8"), None):
        monkeypatch.setattr("sys.stdin", stdin)
        printed = run(*arguments)
        assert printed.code == 1 and SECRET not in printed.all
