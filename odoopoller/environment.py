"""Variables by name, of the process and of one `.env`. Errors name the variable and never show a value."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from ipaddress import ip_network
from pathlib import Path

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from connections.encodings import Unreadable
from odoopoller import envfile

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
SURROGATES = re.compile("[\ud800-\udfff]")  # how Python hands on bytes that are not UTF-8
MOST_DIGITS = 18
OURS = "POLLER_"


class Environment:
    """Reads variables; `NAME_FILE` names a file that holds the value of `NAME`, and comes first."""

    def __init__(self, variables: MutableMapping[str, str]) -> None:
        self._variables = variables
        self._asked: set[str] = set()
        self._in_file: set[str] = set()

    def load(self, file: Path, *, must_exist: bool) -> None:
        """Add what `file` has and the process does not give."""
        try:
            for line in {line.name: line for line in envfile.lines(file)}.values():
                self._variables.setdefault(line.name, line.value)
                self._in_file.add(line.name)
        except Unreadable as error:
            raise ImproperlyConfigured(str(error)) from None
        except FileNotFoundError:
            if must_exist:
                raise ImproperlyConfigured(f"ENV_FILE names {file}, which does not exist.") from None
        except OSError as error:
            raise ImproperlyConfigured(f"ENV_FILE, {file}, cannot be read: {error.strerror}.") from None

    def unknown(self) -> list[str]:
        """Names in the file that look like ours and that nobody has asked for: misspelt, most likely."""
        known = self._asked | {f"{name}_FILE" for name in self._asked}
        return sorted(name for name in self._in_file - known if name.startswith(OURS))

    def raw(self, name: str) -> str:
        """The value without the blanks around it; one that is empty counts as not given."""
        self._asked.add(name)
        if self._variables.get(f"{name}_FILE"):
            return _from_file(f"{name}_FILE", self._variables[f"{name}_FILE"])
        value = self._variables.get(name, "").strip()
        if SURROGATES.search(value):
            raise ImproperlyConfigured(f"{name} is not UTF-8.")
        return value

    def text(self, name: str, default: str = "") -> str:
        return _one_line(name, self.raw(name)) or default

    def words(self, name: str, default: str = "") -> list[str]:
        given = [word.strip() for word in (self.raw(name) or default).split(",")]
        return [_one_line(name, word) for word in given if word]

    def networks(self, name: str, default: str = "") -> list[str]:
        found = []
        for number, word in enumerate(self.words(name, default), start=1):
            try:
                found.append(str(ip_network(word)))
            except ValueError:
                text = f"{name}: entry {number} is not a network. A network is written as 10.1.0.0/16."
                raise ImproperlyConfigured(text) from None
        return found

    def whole(self, name: str, default: int, *, least: int = 1, most: int = 10_000) -> int:
        given = self.text(name, str(default))
        digits = given.isascii() and given.isdecimal() and len(given) <= MOST_DIGITS
        if not digits or not least <= int(given) <= most:
            raise ImproperlyConfigured(f"{name} must be a whole number from {least} up to {most}.")
        return int(given)

    def choice(self, name: str, default: str, *others: str) -> str:
        given = self.text(name, default)
        if given.lower() not in {option.lower() for option in (default, *others)}:
            raise ImproperlyConfigured(f"{name} must be one of {', '.join((default, *others))}.")
        return given

    def switch(self, name: str) -> bool:
        given = self.choice(name, "off", "on", "no", "yes", "false", "true", "0", "1")
        return given.lower() in ("on", "yes", "true", "1")

    def address(self, name: str, *schemes: str) -> str:
        """A URL, or nothing. `odoopoller/servers.py` takes it apart."""
        given = self.text(name)
        if given and not given.startswith(tuple(f"{scheme}://" for scheme in schemes)):
            raise ImproperlyConfigured(f"{name} must begin with {' or '.join(f'{s}://' for s in schemes)}.")
        return given

    def key(self, name: str) -> str:
        given = self.raw(name)
        if not given:
            raise ImproperlyConfigured(
                f"{name} is missing. To write one to .env: python -m odoopoller.make_env"
            )
        return given

    def encryption_keys(self, name: str) -> list[str]:
        keys = self.words(name) or [self.key(name)]
        for number, given in enumerate(keys, start=1):
            try:
                Fernet(given)
            except ValueError:
                raise ImproperlyConfigured(
                    f"{name}, key {number} of {len(keys)}, is unusable: a key is 32 random bytes in URL-safe "
                    "base64, 44 characters. Give the key that the stored secrets were written with."
                ) from None
        return keys


def _from_file(name: str, path: str) -> str:
    # The path is not shown: some people write the secret itself where its file belongs.
    try:
        return envfile.value_of(Path(path))
    except OSError as error:
        reason = error.strerror or "it cannot be read"
    except Unreadable as error:
        reason = str(error)
    except ValueError:
        reason = "it is not a path"
    raise ImproperlyConfigured(f"The file that {name} names cannot be used: {reason}.")


def _one_line(name: str, value: str) -> str:
    if CONTROL.search(value):
        raise ImproperlyConfigured(f"{name} has a line break or another control character in it.")
    return value
