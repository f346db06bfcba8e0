"""Every code that is raised anywhere has words for people, and the words are of use."""

import ast
import re

import pytest
from django.utils.functional import Promise

from connections import errors
from connections.causes import CAUSES, explain
from sync.models.question import CAUSES as QUESTIONS
from tests.conftest import ROOT

APPS = [ROOT / "connections", ROOT / "core", ROOT / "sync"]
FILES = [p for app in APPS for p in sorted(app.rglob("*.py")) if "migrations" not in p.parts]
CODE = re.compile(r"^(odoo|receiver|legacy)_[a-z_0-9]+$")

# Words of the same form that are no codes: names of fields, keys and settings.
NOT_CODES = {
    "legacy_secret",
    "odoo_api_key",
    "odoo_calls_per_second",
    "odoo_circuit",
    "odoo_db",
    "odoo_lease_key",
    "odoo_order_id",
    "odoo_order_name",
    "odoo_product_id",
    "odoo_stages",
    "odoo_url",
    "odoo_username",
    "odoo_write_date",
}
# What can happen on the way to either side; the side goes before it.
ON_THE_WAY = {"client.py", "guard.py"}
KINDS = {"Temporary", "Permanent", "Access", "Contract", "RemoteError"}


def strings(tree):
    return [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]


def codes_of_sides():
    """Every string in the code that looks like a code."""
    found = {text for path in FILES for text in strings(ast.parse(path.read_text())) if CODE.match(text)}
    return sorted(found - NOT_CODES)


def codes_on_the_way():
    """The first argument of every error made in the modules that know no side."""
    calls = [
        node
        for name in ON_THE_WAY
        for node in ast.walk(ast.parse((ROOT / "connections" / "http" / name).read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in KINDS
    ]
    assert all(isinstance(call.args[0], ast.Constant | ast.Attribute) for call in calls)
    return sorted({call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)})


def test_the_scan_sees_what_it_is_meant_to_see():
    assert {"odoo_access_denied", "receiver_gone"} <= set(codes_of_sides())
    assert {"dns", "tls", "timeout", "not_listening", "blocked_address"} <= set(codes_on_the_way())


@pytest.mark.parametrize("code", codes_of_sides())
def test_every_code_has_words(code):
    assert code in CAUSES


@pytest.mark.parametrize("code", codes_on_the_way())
def test_every_code_of_the_way_has_words_for_both_sides(code):
    assert f"odoo_{code}" in CAUSES
    assert f"receiver_{code}" in CAUSES


@pytest.mark.parametrize("status", [*range(100, 200), *range(300, 600), 999])
def test_every_answer_of_a_receiver_has_words(status):
    assert errors.receiver_code(status) in CAUSES


def test_no_words_are_left_over():
    """A code that nobody raises any more is a text that somebody would translate for nothing."""
    raised = set(codes_of_sides())
    raised |= {f"{side}_{code}" for side in ("odoo", "receiver") for code in codes_on_the_way()}
    raised |= set(strings(ast.parse((ROOT / "sync" / "findings.py").read_text())))
    raised |= set(strings(ast.parse((ROOT / "core" / "monitoring" / "alerts" / "channels.py").read_text())))
    raised |= {f"{side}_circuit_open" for side in ("odoo", "webhook")}
    raised |= set(QUESTIONS.values())

    assert set(CAUSES) - raised - {"unknown"} == set()


@pytest.mark.parametrize("code", CAUSES)
def test_the_words_say_what_happened_and_what_to_do(code):
    cause = CAUSES[code]

    for text in (cause.title, cause.next_step):
        assert isinstance(text, Promise), "texts are translated when they are shown"
        assert text == str(text).strip()
        assert "%" not in text
    assert len(cause.title) <= 90
    assert not cause.title.endswith(".")
    assert 20 < len(cause.next_step) <= 450
    assert str(cause.next_step)[-1] in ".?"


def test_no_two_causes_have_the_same_title():
    titles = [str(cause.title) for cause in CAUSES.values()]

    assert len(set(titles)) == len(titles)


def test_a_code_of_another_version_gets_the_words_for_the_unknown():
    assert explain("odoo_never_heard_of") is CAUSES["unknown"]


@pytest.mark.parametrize("kind", [errors.Temporary, errors.Permanent, errors.Access, errors.Contract])
def test_an_error_is_told_by_side_and_keeps_what_it_knows(kind):
    error = kind("timeout", "slow", status=504, retry_at="later")

    told = errors.on_side("receiver", error)

    assert type(told) is kind
    assert (told.code, told.detail, told.status, told.retry_at) == ("receiver_timeout", "slow", 504, "later")
    assert errors.on_side("receiver", told) is told
    assert (str(told), str(kind("dns"))) == ("receiver_timeout: slow", "dns")
