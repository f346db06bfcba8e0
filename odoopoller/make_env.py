"""Writes a first `.env` with fresh keys: `python -m odoopoller.make_env`. Needs only Python's own library."""

import base64
import os
import re
import secrets
import sys
from pathlib import Path

from connections.encodings import Unreadable
from odoopoller import envfile

BASE_DIR = Path(__file__).resolve().parent.parent
LOOPBACK = "127.0.0.0/8,::1/128"  # where the sandbox lives

LOST_KEY = """\
{env} has no POLLER_ENCRYPTION_KEY, but {database} exists: its secrets were written with a key that a new
one cannot replace. Put the old .env back, or move {folder} away to begin anew."""


def new_encryption_key() -> str:
    """A Fernet key: 32 random bytes in URL-safe base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def add_missing(text: str, values: dict[str, str]) -> str:
    """The text of an env file in which each of these names has a value; the rest of it stays as it is."""
    for name, value in values.items():
        line = f"{name}={value}"
        empty = rf"^[ \t]*(?:export[ \t]+)?{name}[ \t]*=[ \t\r]*$"
        text, filled = re.subn(empty, line, text, count=1, flags=re.MULTILINE)
        if not filled:
            text += ("" if not text or text.endswith("\n") else "\n") + line + "\n"
    return text


def names_in(env: Path) -> set[str]:
    """The names that have a value in this env file, or the name of a file with one."""
    if not env.exists():
        return set()
    return {line.name.removesuffix("_FILE") for line in envfile.lines(env) if line.value}


def write(env: Path, values: dict[str, str]) -> list[str]:
    """Fill what is missing into the env file, readable by its owner only; returns the names it wrote."""
    there = names_in(env)
    missing = {name: value for name, value in values.items() if name not in there}
    if missing:
        before = envfile.text_of(env) if env.exists() else ""
        env.touch(mode=0o600)
        env.chmod(0o600)
        env.write_text(add_missing(before, missing), encoding="utf-8", errors="surrogateescape")
    return list(missing)


def wanted(sandbox: bool) -> dict[str, str]:
    """Fresh values of what the process's own environment does not already give."""
    values = {"SECRET_KEY": secrets.token_urlsafe(50), "POLLER_ENCRYPTION_KEY": new_encryption_key()}
    if sandbox:
        values["POLLER_ALLOWED_NETWORKS"] = LOOPBACK
    return {n: v for n, v in values.items() if not (os.environ.get(n) or os.environ.get(f"{n}_FILE"))}


def refuse_lost_key(env: Path, values: dict[str, str]) -> None:
    """A new key beside old data would only fail later, and less clearly."""
    database = Path(os.environ.get("POLLER_DATA_DIR") or BASE_DIR / "var") / "poller.sqlite3"
    known = "POLLER_ENCRYPTION_KEY" in names_in(env)
    if "POLLER_ENCRYPTION_KEY" in values and not known and database.exists():
        sys.exit(LOST_KEY.format(env=env, database=database, folder=database.parent))


def main(arguments: list[str]) -> None:
    env = Path(os.environ.get("ENV_FILE") or BASE_DIR / ".env")
    if env.exists() and not env.is_file():
        sys.exit(f"No key was written: {env} is not a file.")
    values = wanted(sandbox="--sandbox" in arguments)
    refuse_lost_key(env, values)
    if written := write(env, values):
        sys.stdout.write(f"Wrote {', '.join(written)} to {env}. Keep a copy of it in a safe place.\n")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Unreadable as error:
        sys.exit(f"No key was written: {error}")
    except OSError as error:
        sys.exit(f"No key was written: {error.filename}: {error.strerror}")
    except KeyboardInterrupt:
        sys.exit(130)
