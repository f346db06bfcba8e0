"""A coverage-guided fuzzer on what servers send: `python -m tests.fuzz [--target orders] [--seconds 60]`.

Needs `atheris` (pip install atheris; Linux), which nothing else here does. It changes recorded answers byte
by byte, watches which lines of our parsers run, and goes on from what reached new ones. Whatever is raised
besides the errors that a parser may raise ends the run with 77, and the input is kept.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

TARGETS = ("answers", "orders", "headers", "bodies")
LONGEST = 65_536  # bytes of one input
MISSING = "The fuzzer needs atheris: .venv/bin/python -m pip install atheris (nothing else here does)."
OURS = [
    "connections.http.charset",
    "connections.http.compression",
    "connections.errors",
    "connections.http.client",
    "connections.odoo",
    "sync.events.payload",
    "sync.sources",
]


def main() -> int:
    """Returns the exit code: that of the first target that found something."""
    wanted = _arguments()
    if not _has_atheris():
        print(MISSING, file=sys.stderr)
        return 2
    if wanted.inside:
        run(wanted.inside, wanted.seconds, Path(wanted.keep))
    codes = [_one(target, wanted) for target in ([wanted.target] if wanted.target else TARGETS)]
    return next((code for code in codes if code), 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--target", choices=TARGETS, help="one of them; without it each in turn")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--keep", default="var/fuzz", help="where inputs that broke something are kept")
    parser.add_argument("--inside", choices=TARGETS, help=argparse.SUPPRESS)
    return parser.parse_args()


def _has_atheris() -> bool:
    try:
        return importlib.util.find_spec("atheris") is not None
    except ValueError:
        return False


def _one(target: str, wanted: argparse.Namespace) -> int:
    """The fuzzer ends its process when it is done, so each target gets one of its own."""
    print(f"{target}: {wanted.seconds} s", flush=True)
    told = ["--inside", target, "--seconds", str(wanted.seconds), "--keep", wanted.keep]
    return subprocess.run([sys.executable, "-m", "tests.fuzz", *told], check=False).returncode


def run(target: str, seconds: int, keep: Path) -> None:
    """Does not return: libFuzzer ends the process."""
    import atheris  # noqa: PLC0415 - is not there unless somebody wants to fuzz

    targets = _prepared(atheris)
    keep.mkdir(parents=True, exist_ok=True)
    seeds = tempfile.mkdtemp(prefix="fuzz-")
    for number, seed in enumerate(targets.seeds(target)):
        Path(seeds, str(number)).write_bytes(seed)
    limits = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-timeout=10", "-verbosity=1"]
    arguments = [*limits, f"-artifact_prefix={keep}/{target}-", "-print_final_stats=1", seeds]
    atheris.Setup([sys.argv[0], *arguments], _tried(targets.TARGETS[target]))
    atheris.Fuzz()


def _prepared(atheris: ModuleType) -> ModuleType:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    with atheris.instrument_imports(include=OURS):
        import django  # noqa: PLC0415 - our modules have to be imported in here

        django.setup()
        return importlib.import_module("tests.fuzz.targets")


def _tried(target: Callable[[bytes], object]) -> Callable[[bytes], None]:
    return lambda data: (target(data), None)[1]


if __name__ == "__main__":
    sys.exit(main())
