"""The fuzzer's targets on what they begin with; the fuzzer itself is not installed for the tests."""

import os
import subprocess
import sys

import pytest

from tests.fuzz import targets
from tests.fuzz.__main__ import MISSING, TARGETS


@pytest.mark.parametrize("target", TARGETS)
def test_real_answers_and_their_halves_break_no_parser(target):
    seeds = list(targets.seeds(target))
    assert seeds
    for seed in seeds:
        for data in (seed, seed[: len(seed) // 2], seed.replace(b":", b":-"), b"\xff" + seed, b""):
            targets.TARGETS[target](data)


def test_without_atheris_it_says_what_is_missing(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['atheris'] = None")
    ended = subprocess.run(
        [sys.executable, "-m", "tests.fuzz"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr.strip()) == (2, MISSING)
