"""The first .env: fresh keys where there are none, and never a new key beside data written with another."""

import os
import stat
import subprocess
import sys

import pytest
from cryptography.fernet import Fernet

from tests.conftest import ROOT


@pytest.fixture
def write_keys(tmp_path):
    def write(*arguments, **variables):
        own = {
            "ENV_FILE": str(tmp_path / ".env"),
            "POLLER_DATA_DIR": str(tmp_path / "var"),
            "PATH": os.environ["PATH"],
        }
        command = [sys.executable, "-m", "odoopoller.make_env", *arguments]
        return subprocess.run(command, cwd=ROOT, env=own | variables, capture_output=True, text=True)

    return write


def read(env):
    return dict(line.split("=", 1) for line in env.read_text().splitlines() if "=" in line)


def test_a_first_env_has_usable_keys_and_is_private(write_keys, tmp_path):
    run = write_keys("--sandbox")
    env = tmp_path / ".env"
    assert (run.returncode, run.stderr) == (0, "")
    assert list(read(env)) == ["SECRET_KEY", "POLLER_ENCRYPTION_KEY", "POLLER_ALLOWED_NETWORKS"]
    assert len(read(env)["SECRET_KEY"]) >= 50
    Fernet(read(env)["POLLER_ENCRYPTION_KEY"])
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    assert not any(value in run.stdout for name, value in read(env).items() if name.endswith("KEY"))


def test_without_the_sandbox_no_private_network_is_open(write_keys, tmp_path):
    write_keys()
    assert "POLLER_ALLOWED_NETWORKS" not in read(tmp_path / ".env")


def test_what_has_a_value_stays(write_keys, tmp_path):
    env = tmp_path / ".env"
    write_keys()
    before = env.read_text()
    run = write_keys()
    assert (env.read_text(), run.stdout) == (before, "")


def test_a_copied_example_is_filled_in_place(write_keys, tmp_path):
    env = tmp_path / ".env"
    env.write_text((ROOT / ".env.example").read_text())
    write_keys()
    assert env.read_text().count("\nSECRET_KEY=") == 1
    assert len(read(env)["SECRET_KEY"]) >= 50
    assert len(env.read_text().splitlines()) == len((ROOT / ".env.example").read_text().splitlines())


def test_keys_given_by_the_environment_are_not_written(write_keys, tmp_path):
    write_keys(SECRET_KEY="given", POLLER_ENCRYPTION_KEY_FILE="/run/secrets/key")
    assert not (tmp_path / ".env").exists()


def test_a_lost_key_is_not_replaced_beside_old_data(write_keys, tmp_path):
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "poller.sqlite3").touch()
    run = write_keys()
    assert run.returncode == 1
    assert "Put the old .env back" in run.stderr
    assert not (tmp_path / ".env").exists()
