"""System checks on what surrounds the poller: debug pages, keys, plain HTTP, other hosts, the clock."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import timedelta
from ipaddress import ip_address
from socket import gethostname
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connections
from django.utils import timezone

from connections.http.networks import inside, parse_networks
from connections.models import Connection
from core.models import PollerHeartbeat

SHORTEST_KEY, FEWEST_CHARACTERS, FEWEST_BYTES = 32, 8, 6
NEIGHBOUR = timedelta(seconds=15)  # a poller writes its sign every ten
FAR_SECONDS, OFF_SECONDS = 60, 5
NAMED = 5
LOCAL = ("localhost", "127.0.0.1", "::1")


@register(Tags.security)
def check_debug(**_: Any) -> list[CheckMessage]:
    """Debug pages show settings and orders to anyone who makes a page fail."""
    if not settings.DEBUG or not _is_production():
        return []
    text = "DEBUG is on where others can reach the admin: its error pages show settings and orders."
    return [Error(text, hint="Set DEBUG=off.", id="sync.E015")]


def _is_production() -> bool:
    return settings.BEHIND_HTTPS or any(host not in LOCAL for host in settings.ALLOWED_HOSTS)


@register(Tags.security, deploy=True)
def check_proxies(**_: Any) -> list[CheckMessage]:
    """Behind a reverse proxy, failed logins are counted for each client, not for the reverse proxy."""
    if settings.PROXIES or not settings.BEHIND_HTTPS:
        return []
    text = (
        "POLLER_BEHIND_HTTPS is on and POLLER_PROXIES is 0: all people seem to log in from one address, that "
        "of the reverse proxy, so that anybody can lock out any user."
    )
    hint = "Set POLLER_PROXIES to how many reverse proxies append to X-Forwarded-For, which is mostly 1."
    return [Warning(text, hint=hint, id="sync.W030")]


@register(Tags.security)
def check_keys(**_: Any) -> list[CheckMessage]:
    """Keys are random, and each is for one thing."""
    try:
        secret = str(settings.SECRET_KEY)
    except ImproperlyConfigured:
        return []  # sync.E010 says so
    hint = "`python -m odoopoller.make_env` writes good ones to .env."
    found: list[CheckMessage] = []
    if secret and (len(secret) < SHORTEST_KEY or len(set(secret)) < FEWEST_CHARACTERS):
        text = "SECRET_KEY is short or hardly random: sessions and queued tasks could be forged."
        found.append(Error(text, hint=hint, id="sync.E016"))
    if any(len(set(base64.urlsafe_b64decode(key))) < FEWEST_BYTES for key in settings.ENCRYPTION_KEYS):
        text = "A key in POLLER_ENCRYPTION_KEY is hardly random: stored secrets could be read."
        found.append(Error(text, hint=f"{hint} Then manage.py rotatekeys.", id="sync.E017"))
    if secret in settings.ENCRYPTION_KEYS:
        text = "SECRET_KEY is in POLLER_ENCRYPTION_KEY as well: who learns one has both."
        found.append(Error(text, hint=hint, id="sync.E018"))
    return found


@register(Tags.security)
def check_names(**_: Any) -> list[CheckMessage]:
    """A misspelt name in .env sets nothing, and nobody would notice."""
    names: list[str] = settings.UNKNOWN_VARIABLES
    if not names:
        return []
    text = f"{settings.ENV_FILE} sets what nothing reads: {', '.join(names[:NAMED])}."
    hint = "Are the names misspelt? README, “Settings”, has all of them."
    return [Warning(text, hint=hint, id="sync.W031")]


@register(Tags.security)
def check_default_receiver(**_: Any) -> list[CheckMessage]:
    """New connections do not begin with a receiver that orders would reach in clear."""
    if not _is_plain(settings.DEFAULT_WEBHOOK_URL):
        return []
    text = "POLLER_DEFAULT_WEBHOOK_URL is plain HTTP outside the allowed networks: nothing would be sent."
    return [Error(text, hint="Write an https address.", id="sync.E019")]


def _is_plain(url: str) -> bool:
    """Over HTTP, and not surely inside the allowed networks."""
    try:
        parts = urlsplit(url)
        if parts.scheme != "http":
            return False
        return not inside(ip_address(parts.hostname or ""), parse_networks(settings.ALLOWED_NETWORKS))
    except ValueError:
        return True


@register(Tags.database)
def check_receivers(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """In production orders go to receivers by HTTPS. The door refuses the rest; this says so beforehand."""
    if not databases or not settings.BEHIND_HTTPS:
        return []
    try:
        rows = Connection.objects.enabled().filter(webhook_url__istartswith="http:")
        plain = [name for name, url in rows.values_list("name", "webhook_url") if _is_plain(url)]
    except DatabaseError:
        return []  # not set up yet, or away: somebody else's news
    if not plain:
        return []
    text = f"Receivers without HTTPS: {', '.join(plain[:NAMED])} ({len(plain)} in all)."
    hint = "Change their addresses to https, or allow their network in POLLER_ALLOWED_NETWORKS."
    return [Warning(text, hint=hint, id="sync.W020")]


@register(Tags.database)
def check_hosts(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """SQLite is for one host: over a network its locks do not hold."""
    if not databases or connections["default"].vendor != "sqlite":
        return []
    others = PollerHeartbeat.objects.exclude(host=gethostname()[:100])
    try:
        alive = sorted(
            set(others.filter(seen_at__gt=timezone.now() - NEIGHBOUR).values_list("host", flat=True))
        )
    except DatabaseError:
        return []
    if not alive:
        return []
    text = f"Pollers on other hosts use this SQLite file: {', '.join(alive[:NAMED])}. Orders could be lost."
    hint = "Stop them, or use PostgreSQL (DATABASE_URL). One that just stopped is forgotten in a minute."
    return [Error(text, hint=hint, id="sync.E021")]


@register(Tags.database)
def check_clock(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Leases and retries go by this host's clock, which has to agree with that of the others."""
    if not databases or connections["default"].vendor != "postgresql":
        return []
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
            ahead = timezone.now().timestamp() - cursor.fetchone()[0]
    except DatabaseError:
        return []
    return judge_clock(ahead)


def judge_clock(ahead: float) -> list[CheckMessage]:
    """`ahead`: seconds by which this host's clock is before the database's."""
    text = f"This host's clock is {ahead:+.0f} s off the database's."
    hint = "Let both follow a time server (chrony, systemd-timesyncd)."
    if abs(ahead) >= FAR_SECONDS:
        return [Error(f"{text} Leases would end too early or late.", hint=hint, id="sync.E022")]
    return [Warning(text, hint=hint, id="sync.W023")] if abs(ahead) >= OFF_SECONDS else []
