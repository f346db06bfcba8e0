"""Translations: the compiled files in git say what the readable ones say, and nothing is left half done."""

import ast
import gettext
import re
import shutil
import subprocess
import sys
from pathlib import Path

import axes
import django_q
import pytest
import unfold
from django.utils import translation as languages

from odoopoller import third_party_strings
from tests.conftest import ROOT

ENTRY = re.compile(r'^(msgctxt|msgid|msgid_plural|msgstr(?:\[\d\])?) +(".*")$')
# What a translation takes over as it is: placeholders, tags, flags, commands, settings.
KEPT = re.compile(
    r"%(?:\(\w+\))?[sd]|\{\w*\}|</?[a-z][^>]*>|--[a-z-]+|manage\.py [a-z]+|make run|\bPOLLER_[A-Z_]+|https?://[\w./:]+\w"
)


def entries(text):
    """Every entry of a .po file as {keyword: text}, with "flags"; obsolete ones are left out."""
    for block in re.split(r"\n\s*\n", text):
        entry, keyword = {"flags": " ".join(re.findall(r"^#,(.*)$", block, re.MULTILINE))}, None
        for line in block.splitlines():
            if found := ENTRY.match(line):
                keyword = found[1]
                entry[keyword] = ast.literal_eval(found[2])
            elif line.startswith('"') and keyword:
                entry[keyword] += ast.literal_eval(line)
        if "msgid" in entry:
            yield entry


def catalog(text):
    """What a compiled .po is made of: {key: text}, with (key, n) for plural forms."""
    made = {}
    for entry in entries(text):
        context = entry["msgctxt"] + "\x04" if "msgctxt" in entry else ""
        for keyword, translation in entry.items():
            if keyword.startswith("msgstr") and translation and "fuzzy" not in entry["flags"]:
                plural = re.search(r"\d", keyword)
                key = context + entry["msgid"]
                made[(key, int(plural[0])) if plural else key] = translation
    return made


def files():
    return sorted((ROOT / "locale").rglob("*.po"))


def test_compiled_translations_match_their_source():
    stale = []
    for po in files():
        with po.with_suffix(".mo").open("rb") as compiled:
            there = gettext.GNUTranslations(compiled)._catalog
        wanted = catalog(po.read_text(encoding="utf-8"))
        stale += [f"{po}: {key}" for key in {*wanted, *there} - {""} if wanted.get(key) != there.get(key)]
    assert stale == [], "run `make messages`"


def test_every_text_is_translated_with_all_that_is_no_word():
    wrong = []
    for po in files():
        for entry in entries(po.read_text(encoding="utf-8")):
            originals = [entry["msgid"], entry.get("msgid_plural", entry["msgid"])]
            known = [sorted(KEPT.findall(text)) for text in originals]
            texts = [text for keyword, text in entry.items() if keyword.startswith("msgstr")]
            good = all(text and sorted(KEPT.findall(text)) in known for text in texts)
            if entry["msgid"] and (not good or "fuzzy" in entry["flags"]):
                wrong.append(f"{po}: {entry['msgid']}")
    assert wrong == []


@pytest.fixture
def gnu_gettext():
    """The programs that collect texts from source."""
    if not shutil.which("xgettext") or not shutil.which("msgmerge"):
        pytest.skip("GNU gettext is not installed (Debian's package gettext)")


@pytest.fixture
def copy(tmp_path):
    """The texts' sources in a folder of their own, so that collecting writes nothing here."""
    for folder in ("connections", "core", "odoopoller", "sandbox", "sync", "templates", "locale"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "manage.py", tmp_path)
    return tmp_path


def keys(folder):
    [po] = (folder / "locale").rglob("*.po")
    found = entries(po.read_text(encoding="utf-8"))
    return {(entry.get("msgctxt"), entry["msgid"], entry.get("msgid_plural")) for entry in found}


def test_every_text_of_the_source_is_in_the_catalogue(gnu_gettext, copy, environment):
    before = keys(copy)
    collect = [
        sys.executable,
        "manage.py",
        "makemessages",
        "--locale",
        "es",
        "--no-obsolete",
        "--no-location",
    ]
    subprocess.run(collect, cwd=copy, env=environment, check=True, capture_output=True)
    assert keys(copy) == before, "run `make messages` and translate what is new"


@pytest.mark.parametrize(
    ("package", "texts"),
    [
        (unfold, third_party_strings.UNFOLD),
        (axes, third_party_strings.AXES),
        (django_q, third_party_strings.DJANGO_Q),
    ],
)
def test_borrowed_texts_are_still_those_of_their_packages(package, texts):
    sources = [path for path in Path(package.__file__).parent.rglob("*") if path.suffix in (".py", ".html")]
    words = plain(" ".join(path.read_text(encoding="utf-8") for path in sources))
    assert [text for text in texts if plain(re.sub(r"%\((\w+)\)s", r"{{ \1 }}", text)) not in words] == []


def plain(text):
    """Without the quotes and line ends between which source text is broken up."""
    return re.sub(r"[\s\"'\\]+", "", text)


def test_what_django_says_of_a_thing_suits_her_too():
    with languages.override("es"):
        for text in third_party_strings.DJANGO:
            told = languages.gettext(text)
            assert told != text and not re.search(r"\b(El|La|Los|Las)\b|\{name\} “.*(ado|ada)\b", told)
