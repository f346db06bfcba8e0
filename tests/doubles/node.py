"""JavaScript in tests: node with the packages of tests/javascript, installed once into pytest's cache."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from hashlib import sha256
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "javascript"
INSTALL_SECONDS = 120


class Node:
    """`run(script, text)`: what the script prints when it gets `text` on standard input."""

    def __init__(self, modules):
        self.environment = {**os.environ, "NODE_PATH": str(modules)}

    def command(self, script):
        return ["node", str(script)]

    def run(self, script, text):
        done = subprocess.run(
            self.command(script), input=text, capture_output=True, text=True, timeout=60, env=self.environment
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def installed(cache):
    """The folder `node_modules`, made from the lock file once. Where that cannot be the test is skipped."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are not installed (Debian's packages nodejs and npm)")
    lock = (FOLDER / "package-lock.json").read_bytes()
    place = Path(cache.mkdir("javascript")) / sha256(lock).hexdigest()[:16] / "node_modules"
    if not place.exists():
        _install(place)
    return place


def _install(place):
    """Apart, then put in place: another process may do the same."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as apart:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(FOLDER / name, apart)
        line = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=0"]
        try:
            done = subprocess.run(line, cwd=apart, capture_output=True, text=True, timeout=INSTALL_SECONDS)
        except subprocess.TimeoutExpired:
            pytest.skip(f"npm did not answer in {INSTALL_SECONDS} seconds: standardwebhooks is not installed")
        if done.returncode:
            said = next((line for line in done.stderr.splitlines() if "error" in line), "no reason given")
            pytest.skip(f"npm cannot install standardwebhooks (tests/javascript): {said}")
        with contextlib.suppress(OSError):  # another one was faster
            Path(apart, "node_modules").rename(place)
