"""The README keeps its word: every command, make target and file it names is there, and none is left out."""

import re

from tests.conftest import ROOT

README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
NOT_FOR_PEOPLE = {"__init__", "runlocal", "migrate"}  # `make run` and Django's own


def commands():
    folders = ROOT.glob("*/**/management/commands/*.py")
    return {path.stem for path in folders if ".venv" not in path.parts} - NOT_FOR_PEOPLE


def test_each_command_is_in_the_table():
    table = README.split("## Every day")[1].split("## How it works")[0]
    named = {
        name
        for cell in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
        for name in re.findall(r"`(\w+)", cell)
    }
    assert named == commands()


def test_each_command_named_anywhere_exists():
    django = {"changepassword", "check", "collectstatic", "createsuperuser", "migrate"}
    assert set(re.findall(r"manage\.py ([a-z]+)", README)) - django <= commands()


def test_each_make_target_named_exists():
    targets = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
    assert set(re.findall(r"make ([a-z]+)\b(?![- ]believe)", README)) <= targets


def test_each_file_linked_is_there():
    linked = re.findall(r"\]\(((?!http)[^)#]+)\)", README)
    assert [path for path in linked if not (ROOT / path).exists()] == []
