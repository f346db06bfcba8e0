"""URLs of servers in settings: database, Redis, mail, web. Errors tell what is wrong, never the value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from django.core.exceptions import ImproperlyConfigured

MOST_PORT = 65_535
Parser = Callable[[str], dict[str, Any]]
MOST_NUMBER = 100_000  # of any option
HOST = re.compile(r"(?:\[[\w:.%]+\]|[^:\[\]\s]*)(?::([0-9]*))?", re.ASCII)
SQLITE_OPTIONS = {"timeout", "transaction_mode", "init_command", "cached_statements"}
SQLITE_MODES = ("DEFERRED", "IMMEDIATE", "EXCLUSIVE")
POSTGRES_NUMBERS = (
    "connect_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
)
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}
REDIS_NUMBERS = (
    "db",
    "port",
    "protocol",
    "socket_timeout",
    "socket_connect_timeout",
    "max_connections",
    "health_check_interval",
    "timeout",
)
SPELLING = (
    "a port is a number from 1 to 65535, and in a name or password the signs / ? # [ ] @ : % are written as "
    "%2F %3F %23 %5B %5D %40 %3A %25"
)


def web(name: str, url: str) -> str:
    """`url` if a web server can be called by it, or nothing."""
    if url:
        parts = _parts(name, url)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise _unusable(name, "write https://host or http://host:port")
    return url


def proxy(name: str, url: str) -> str:
    """`url` if it is the address of a proxy, or nothing."""
    if web(name, url) and urlsplit(url).path.strip("/"):
        raise _unusable(name, f"nothing comes after its port, and {SPELLING}")
    return url


def origins(name: str, urls: list[str]) -> list[str]:
    """Addresses such as https://poller.example.com, from which forms may come."""
    for number, url in enumerate(urls, start=1):
        parts = _parts(name, url)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise _unusable(name, f"entry {number} is not an origin such as https://poller.example.com")
    return urls


def redis(name: str, url: str) -> str:
    """`url` if a Redis can be reached by it, or nothing."""
    if not url:
        return url
    parts = _parts(name, url)
    if parts.scheme != "unix" and not (
        parts.hostname and re.fullmatch(r"/?[0-9]{0,5}", parts.path, re.ASCII)
    ):
        raise _unusable(name, "write redis://host:6379/0, where 0 is the number of the database")
    for key, value in parse_qsl(parts.query):
        if key in REDIS_NUMBERS and not _is_number(value):
            raise _unusable(name, f"its {key} must be a number")
    return url


def database(name: str, url: str, parser: Parser) -> dict[str, Any]:
    """Django's settings of this database."""
    if url.startswith("sqlite:") and not url.startswith(("sqlite:///", "sqlite://:memory:")):
        raise _unusable(name, "the path of an SQLite file comes after three slashes: sqlite:///path")
    config = _taken_apart(name, url, parser)
    options = config.get("OPTIONS", {})
    if config["ENGINE"].endswith("sqlite3"):
        _check_sqlite(name, options)
    else:
        _check_postgres(name, url, config, options)
    age = config.get("CONN_MAX_AGE", 0)
    if age is not None and (type(age) is not int or not 0 <= age <= 86_400):
        raise _unusable(name, "its conn_max_age must be a whole number of seconds, up to 86400")
    for switch in ("ATOMIC_REQUESTS", "AUTOCOMMIT", "DISABLE_SERVER_SIDE_CURSORS", "CONN_HEALTH_CHECKS"):
        if type(config.get(switch, True)) is not bool:
            raise _unusable(name, f"its {switch.lower()} must be True or False")
    return config


def mail(name: str, url: str, parser: Parser) -> dict[str, Any]:
    """Django's settings of this mail server."""
    config = _taken_apart(name, url, parser)
    config.pop("OPTIONS", None)
    scheme = url.partition("://")[0]
    if scheme in MAIL_PORTS:
        if not config["EMAIL_HOST"]:
            raise _unusable(name, "it names no host")
        config["EMAIL_PORT"] = _port(name, config["EMAIL_PORT"]) or MAIL_PORTS[scheme]
    if config.get("EMAIL_USE_TLS") and config.get("EMAIL_USE_SSL"):
        raise _unusable(name, "smtp+tls and smtp+ssl exclude each other")
    return config


def _check_sqlite(name: str, options: Mapping[str, Any]) -> None:
    if set(options) - SQLITE_OPTIONS:
        raise _unusable(name, f"SQLite takes the options {', '.join(sorted(SQLITE_OPTIONS))}, and no others")
    if str(options.get("transaction_mode", "IMMEDIATE")).upper() not in SQLITE_MODES:
        raise _unusable(name, f"its transaction_mode must be one of {', '.join(SQLITE_MODES)}")
    _require_numbers(name, options, ("timeout", "cached_statements"))


def _check_postgres(name: str, url: str, config: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    """With several hosts, separated by commas, each has a port of its own."""
    place = url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    for host in place.split(","):
        found = HOST.fullmatch(host)
        if found is None:
            raise _unusable(name, SPELLING)
        _port(name, found[1])
    if not config["NAME"] and "service" not in options:
        raise _unusable(name, "it names no database: postgres://user:password@host:5432/name")
    if options.get("sslmode", "prefer") not in SSL_MODES:
        raise _unusable(name, f"its sslmode must be one of {', '.join(SSL_MODES)}")
    _require_numbers(name, options, POSTGRES_NUMBERS)


def _require_numbers(name: str, options: Mapping[str, Any], keys: Iterable[str]) -> None:
    for key in keys:
        if type(options.get(key, 1)) is not int or options.get(key, 1) > MOST_NUMBER:
            raise _unusable(name, f"its {key} must be a number up to {MOST_NUMBER}")


def _taken_apart(name: str, url: str, parser: Parser) -> dict[str, Any]:
    if "@" in url.partition("://")[2].partition("/")[2]:  # the rest of a password with a slash in it
        raise _unusable(name, SPELLING)
    try:
        return dict(parser(url))
    except (ValueError, TypeError, AttributeError, RecursionError, MemoryError, ImproperlyConfigured):
        raise _unusable(name, SPELLING) from None


def _parts(name: str, url: str) -> SplitResult:
    if " " in url:
        raise _unusable(name, "it has a blank in it")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _unusable(name, SPELLING) from None
    _port(name, port)
    return parts


def _port(name: str, port: Any) -> int | None:
    """None where none is given."""
    if port in (None, ""):
        return None
    if not _is_number(port) or not 1 <= float(port) <= MOST_PORT:
        raise _unusable(name, SPELLING)
    return int(port)


def _is_number(value: Any) -> bool:
    return bool(re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", str(value), re.ASCII))


def _unusable(name: str, reason: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} cannot be used: {reason}.")
