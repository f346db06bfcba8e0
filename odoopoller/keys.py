"""Writes a first `.env` with fresh keys: `python -m odoopoller.keys`. Needs only Python's own library."""

import base64
import os
import re
import secrets
import sys
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
LOOPBACK = "127.0.0.0/8,::1/128"  # where the sandbox lives

LOST_KEY = """\
{env} has no POLLER_ENCRYPTION_KEY, but {database} exists: its secrets were written with a key that a new
one cannot replace. Put the old .env back, or move {folder} away to begin anew."""


def new_encryption_key() -> str:
    """A Fernet key: 32 random bytes in URL-safe base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def add_missing(text: str, values: dict[str, str]) -> str:
    """The text of an env file in which each name has a value; what has one already stays as it is."""
    for name, value in values.items():
        if has_value(text, name):
            continue
        line = f"{name}={value}"
        text, filled = re.subn(rf"^{name}=[ \t]*$", line, text, count=1, flags=re.MULTILINE)
        if not filled:
            text += ("" if not text or text.endswith("\n") else "\n") + line + "\n"
    return text


def has_value(text: str, name: str) -> bool:
    return bool(re.search(rf"^(export )?{name}(_FILE)?=[ \t]*\S", text, re.MULTILINE))


def write(env: Path, values: dict[str, str]) -> list[str]:
    """Fill what is missing into the env file, readable by its owner only; returns the names it wrote."""
    before = env.read_text() if env.exists() else ""
    after = add_missing(before, values)
    if after != before:
        env.touch(mode=0o600)
        env.chmod(0o600)
        env.write_text(after)
    return [name for name in values if not has_value(before, name)]


def wanted(sandbox: bool) -> dict[str, str]:
    """Fresh values of what the process's own environment does not already give."""
    values = {"SECRET_KEY": secrets.token_urlsafe(50), "POLLER_ENCRYPTION_KEY": new_encryption_key()}
    if sandbox:
        values["POLLER_ALLOWED_NETWORKS"] = LOOPBACK
    return {n: v for n, v in values.items() if not (os.environ.get(n) or os.environ.get(f"{n}_FILE"))}


def refuse_lost_key(env: Path, values: dict[str, str]) -> None:
    """A new key beside old data would only fail later, and less clearly."""
    database = Path(os.environ.get("POLLER_DATA_DIR") or BASE_DIR / "var") / "poller.sqlite3"
    known = env.exists() and has_value(env.read_text(), "POLLER_ENCRYPTION_KEY")
    if "POLLER_ENCRYPTION_KEY" in values and not known and database.exists():
        sys.exit(LOST_KEY.format(env=env, database=database, folder=database.parent))


def main(arguments: list[str]) -> None:
    env = Path(os.environ.get("ENV_FILE") or BASE_DIR / ".env")
    values = wanted(sandbox="--sandbox" in arguments)
    refuse_lost_key(env, values)
    if written := write(env, values):
        sys.stdout.write(f"Wrote {', '.join(written)} to {env}. Keep a copy of it in a safe place.\n")


if __name__ == "__main__":
    main(sys.argv[1:])
