"""Translations: the compiled files in git say what the readable ones say, and nothing is left half done."""

import ast
import gettext
import re

from tests.conftest import ROOT

ENTRY = re.compile(r'^(msgctxt|msgid|msgid_plural|msgstr(?:\[\d\])?) +(".*")$')
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[sd]|\{\w*\}")


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


def test_every_text_is_translated_with_its_placeholders():
    wrong = []
    for po in files():
        for entry in entries(po.read_text(encoding="utf-8")):
            originals = [entry["msgid"], entry.get("msgid_plural", entry["msgid"])]
            known = [sorted(PLACEHOLDER.findall(text)) for text in originals]
            texts = [text for keyword, text in entry.items() if keyword.startswith("msgstr")]
            good = all(text and sorted(PLACEHOLDER.findall(text)) in known for text in texts)
            if entry["msgid"] and (not good or "fuzzy" in entry["flags"]):
                wrong.append(f"{po}: {entry['msgid']}")
    assert wrong == []
