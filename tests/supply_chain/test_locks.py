"""What is installed: hashes, licences, known vulnerabilities and how long one may be allowed, the image."""

import importlib.util
import re
import sys
from datetime import date

import pytest
import yaml

from tests.supply_chain import licences
from tests.supply_chain.licences import ROOT

SPEC = importlib.util.spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
audit = sys.modules["audit"] = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(audit)

TODAY = date(2026, 11, 20)
HOLE = {"id": "GHSA-1", "aliases": ["CVE-2026-1"], "fix_versions": ["2.0"]}


def report(*vulns, **more):
    return {"dependencies": [{"name": "requests", "version": "1.0", "vulns": list(vulns)} | more]}


def entry(until, name="GHSA-1"):
    return {name: {"id": name, "reason": "never called", "until": until}}


@pytest.mark.parametrize(
    ("found", "entries", "code", "words"),
    [
        (report(), {}, 0, "1 packages checked"),
        (report(HOLE), {}, 1, "VULNERABLE  requests 1.0: GHSA-1, mended in 2.0"),
        (
            report(HOLE),
            entry(date(2026, 12, 1)),
            0,
            "allowed     requests 1.0: GHSA-1 until 2026-12-01: never called",
        ),
        (report(HOLE), entry(date(2026, 12, 1), "CVE-2026-1"), 0, "never called"),
        (report(HOLE), entry(TODAY), 0, "never called"),
        (report(HOLE), entry(date(2026, 11, 19)), 1, "EXPIRED"),
        (report(), entry(date(2026, 12, 1)), 0, "no longer needed in audit-allowed.toml: GHSA-1"),
        (report(skip_reason="Dependency not found"), {}, 2, "COULD NOT CHECK 1 of 1 packages: requests"),
        (report(HOLE, skip_reason="?"), {}, 1, "COULD NOT CHECK"),
        ({"dependencies": []}, {}, 2, "COULD NOT CHECK any"),
    ],
)
def test_what_an_audit_ends_with(found, entries, code, words):
    verdict = audit.judge(found, entries, TODAY)
    assert verdict.code == code
    assert words in "\n".join(verdict.lines)


def test_an_audit_that_cannot_ask_says_so(capsys):
    assert audit.main("/nowhere/pip-audit", "requirements.txt") == 2
    assert capsys.readouterr().out.startswith("COULD NOT CHECK")


@pytest.mark.parametrize(
    "lines", ['id = "x"', 'id = "x"\nreason = "y"', 'id = "x"\nreason = " "\nuntil = 2026-01-01']
)
def test_what_is_allowed_has_a_reason_and_an_end(tmp_path, lines):
    file = tmp_path / "allowed.toml"
    file.write_text(f"[[allowed]]\n{lines}\n")
    with pytest.raises(ValueError, match="needs id, reason and until"):
        audit.allowed(file)


def test_the_list_of_what_is_allowed_can_be_read():
    assert isinstance(audit.allowed(), dict)


def test_the_page_of_licences_is_up_to_date():
    assert licences.PAGE.read_text() == licences.page(), "python -m tests.supply_chain.licences"


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "requirements-audit.txt"])
def test_every_package_is_pinned_with_hashes_and_from_nowhere_in_particular(name):
    text = (ROOT / name).read_text()
    pinned = re.split(r"\n(?=[a-z])", text)
    assert all("--hash=sha256:" in block for block in pinned if re.match(r"[a-z0-9-]+", block))
    assert not re.search(r"https?://|--index-url|--find-links|file:", re.sub(r"(?m)^ *#.*$", "", text))


def test_the_image_has_no_compilers_and_runs_as_nobody_in_particular():
    text = (ROOT / "Dockerfile").read_text()
    *_, last = text.split("\nFROM ")
    assert "slim" in re.search(r"^ARG PYTHON_IMAGE=(.*)$", text, re.MULTILINE)[1]
    assert not re.search(r"apt-get|apk|gcc|build-essential|pip install", last)
    assert re.search(r"^USER (?!root|0\b)", last, re.MULTILINE)
    assert "--require-hashes" in text


def images():
    """{variable: name} of every image of others that we build on or run, from every place that names it."""
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)) == {"${PYTHON_IMAGE}"}
    found = re.findall(r"^ARG (\w+_IMAGE)=(\S+)$", dockerfile, re.MULTILINE)
    for path in (ROOT / "compose.yaml", ROOT / "docs" / "deploy" / "compose.pollers.yaml"):
        for service in yaml.safe_load(path.read_text())["services"].values():
            arguments = service.get("build", {}).get("args", {})
            named = [*arguments.values(), *([] if "build" in service else [service["image"]])]
            found += [re.fullmatch(r"\$\{(\w+_IMAGE):-(\S+)\}", each).groups() for each in named]
    return found


def test_every_image_of_others_can_be_pinned_by_its_digest_and_the_guide_says_how():
    named = dict(images())
    assert set(named) == {"PYTHON_IMAGE", "POSTGRES_IMAGE", "REDIS_IMAGE"}
    assert set(images()) == set(named.items()), "the same default everywhere"
    assert not [name for name in named.values() if name.endswith(":latest") or ":" not in name]
    guide = (ROOT / "docs" / "operating.md").read_text()
    assert all(f"{variable}={name}" in guide for variable, name in named.items())
