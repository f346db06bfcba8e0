"""Settings: each variable is explained where people look for it, and nonsense is refused with a sentence."""

import ast
import contextlib
import re
import sqlite3
import subprocess

import pytest

from tests.conftest import ROOT

READERS = {
    "address",
    "choice",
    "encryption_keys",
    "key",
    "networks",
    "path",
    "str",
    "switch",
    "text",
    "whole",
    "words",
}


def names_read():
    """Every name given to one of the readers in settings.py."""
    tree = ast.parse((ROOT / "odoopoller" / "settings.py").read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            reader = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
            if reader in READERS:
                yield node.args[0].value


def names_in_example():
    return re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)


def names_in_readme():
    return re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)


def test_each_variable_is_in_the_example_once():
    assert sorted(names_in_example()) == sorted(set(names_read()))


def test_each_variable_is_in_the_readme_once():
    assert sorted(names_in_readme()) == sorted(set(names_read()))


def test_nothing_else_reads_the_environment():
    folders = [ROOT / folder for folder in ("odoopoller", "connections", "core", "sandbox", "sync")]
    readers = {
        str(path.relative_to(ROOT))
        for folder in folders
        for path in folder.rglob("*.py")
        if re.search(r"\benviron\b|\bgetenv\b", path.read_text())
    }
    allowed = {"odoopoller/settings.py", "odoopoller/make_env.py", "odoopoller/wsgi.py"}
    assert {r for r in readers if not r.startswith("sandbox/local/")} <= allowed


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("SECRET_KEY=", "SECRET_KEY is missing"),
        ("POLLER_ENCRYPTION_KEY=", "POLLER_ENCRYPTION_KEY is missing"),
        ("POLLER_ENCRYPTION_KEY=hunter2", "key 1 of 1, is unusable"),
        ("POLLER_WORKERS=many", "POLLER_WORKERS must be a whole number from 1 up"),
        ("POLLER_THREADS=0", "POLLER_THREADS must be a whole number from 1 up"),
        ("DEBUG=maybe", "DEBUG must be one of off, on"),
        ("POLLER_LOG_LEVEL=loud", "POLLER_LOG_LEVEL must be one of INFO"),
        ("LANGUAGE_CODE=xx", "LANGUAGE_CODE must be one of en, es"),
        ("TIME_ZONE=Mars", "TIME_ZONE must be a name such as Europe/Madrid"),
        ("DATABASE_URL=user:hunter2@host", "DATABASE_URL must begin with postgres://"),
        ("REDIS_URL=hunter2", "REDIS_URL must begin with redis://"),
        ("ENV_FILE=/nowhere/.env", "ENV_FILE names /nowhere/.env, which does not exist"),
    ],
)
def test_nonsense_is_refused_with_a_sentence(variable, said, environment, manage):
    name, _, value = variable.partition("=")
    run = subprocess.run(
        [*manage, "check"], env=environment | {name: value}, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert said in run.stderr
    assert "Traceback" not in run.stderr
    assert "hunter2" not in run.stderr + run.stdout


def test_a_key_may_be_in_a_file_and_may_be_one_of_several(environment, manage, tmp_path):
    (tmp_path / "keys").write_text(environment["POLLER_ENCRYPTION_KEY"] + ", " + "A" * 43 + "=\n")
    del environment["POLLER_ENCRYPTION_KEY"]
    environment["POLLER_ENCRYPTION_KEY_FILE"] = str(tmp_path / "keys")
    question = "from django.conf import settings; print(len(settings.FERNET_KEYS))"
    run = subprocess.run(
        [*manage, "shell", "--no-imports", "-c", question], env=environment, capture_output=True, text=True
    )
    assert (run.stdout, run.stderr) == ("2\n", "")


def test_empty_variables_count_as_not_given(environment, manage):
    empty = dict.fromkeys(set(names_in_example()) - {"SECRET_KEY", "POLLER_ENCRYPTION_KEY", "ENV_FILE"}, "")
    keep = {"POLLER_DATA_DIR": environment["POLLER_DATA_DIR"]}
    run = subprocess.run(
        [*manage, "check"], env=environment | empty | keep, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def test_a_first_migrate_switches_the_sqlite_file_to_wal(environment, manage, tmp_path):
    folder = tmp_path / "100% mine, #1?"  # a folder may be called anything
    environment["POLLER_DATA_DIR"] = str(folder)
    run = subprocess.run([*manage, "migrate", "-v", "0"], env=environment, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    with contextlib.closing(sqlite3.connect(folder / "poller.sqlite3")) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def modes(folder):
    return {path.name: oct(path.stat().st_mode & 0o777) for path in folder.glob("poller.sqlite3*")}


@pytest.mark.parametrize("umask", [0o022, 0o000])
def test_only_its_owner_reads_a_sqlite_file_and_what_is_beside_it(environment, manage, tmp_path, umask):
    folder, run = tmp_path / "var", [*manage, "migrate", "-v", "0"]
    subprocess.run(run, env=environment, check=True, umask=umask)
    with contextlib.closing(sqlite3.connect(folder / "poller.sqlite3")) as database:
        database.execute("CREATE TABLE more (id)")
        database.commit()
        private = dict.fromkeys(["poller.sqlite3", "poller.sqlite3-shm", "poller.sqlite3-wal"], "0o600")
        assert modes(folder) == private
        for path in folder.glob("poller.sqlite3*"):
            path.chmod(0o644)  # as a former version, or a restored copy, left them
        subprocess.run(run, env=environment, check=True, umask=umask)
        assert modes(folder) == private
