"""What docs/ names exists: commands, files, headings, variables, metrics."""

import gettext
import re

import pytest

from tests.conftest import ROOT
from tests.docs.test_readme import commands
from tests.odoopoller.test_settings import names_read

DOCS = sorted((ROOT / "docs").glob("*.md"))
DJANGO = {"changepassword", "check", "collectstatic", "createsuperuser", "migrate"}
NOT_OURS = {"Administrator", "Save", "Guardar"} | {  # a group, Django's words, and Odoo's
    "My Profile",
    "Mi perfil",
    "Account Security",
    "Seguridad de la cuenta",
    "New API Key",
    "Nueva clave de API",
}
OURS = re.compile(r"`((?:POLLER|ODOO)_[A-Z_]+)`")


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_each_command_exists(path):
    named = set(re.findall(r"(?:manage\.py|^# poller|&& poller) ([a-z]+)", path.read_text(), re.MULTILINE))
    assert named - DJANGO <= commands()


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_each_link_leads_somewhere(path):
    for link in re.findall(r"\]\(((?!http)[^)\s]+)\)", path.read_text()):
        file, _, heading = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), link
        if heading:
            headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
            assert heading in {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings}, link


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_each_variable_exists(path):
    named = {name.removesuffix("_") for name in OURS.findall(path.read_text())}
    known = set(names_read())
    assert [name for name in named if not any(each.startswith(name) for each in known)] == []


def _texts(language):
    """What the admin says in a language."""
    with (ROOT / "locale/es/LC_MESSAGES/django.mo").open("rb") as file:
        found = vars(gettext.GNUTranslations(file))["_catalog"]
    if language == "es":
        return list(found.values())
    return [key[0] if isinstance(key, tuple) else key for key in found]


@pytest.mark.parametrize(("name", "language"), [("support.md", "en"), ("support.es.md", "es")])
def test_the_support_guide_says_what_stands_on_the_page(name, language):
    guide = (ROOT / "docs" / name).read_text()
    said = {text.strip(" .") for text in re.findall(r"(?<!\*)\*([^*\n]+)\*(?!\*)", guide)}
    shown = _texts(language)
    assert [text for text in said - NOT_OURS if not any(text in each for each in shown)] == []


def test_the_support_guide_is_the_same_in_both_languages():
    english, spanish = ((ROOT / "docs" / name).read_text() for name in ("support.md", "support.es.md"))
    shape = re.compile(r"^(##|\d\.|\||!)", re.MULTILINE)
    assert shape.findall(english) == shape.findall(spanish)


def test_the_pictures_stay_small():
    assert sum(path.stat().st_size for path in (ROOT / "docs/img").glob("*.png")) < 1_500_000
