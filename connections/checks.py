"""System checks on secrets, and on what may leave this machine: networks, authorities, proxy."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured

from connections.http.networks import parse_networks, refusal
from connections.http.transport import trusted_authorities
from connections.secrets.keyring import require_readable_secrets

METADATA = ("169.254.169.254", "fd00:ec2::254")


@register(Tags.database)
def check_stored_secrets(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Every stored secret opens with the keys we have. Asked with `check --database default`."""
    if not databases:
        return []
    try:
        require_readable_secrets()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="connections.E001")]
    return []


@register(Tags.security)
def check_allowed_networks(**_: Any) -> list[CheckMessage]:
    """The networks can be read, and do not open the door to the cloud's own secrets."""
    try:
        networks = parse_networks(settings.ALLOWED_NETWORKS)
    except ValueError:
        text = "POLLER_ALLOWED_NETWORKS cannot be read."
        hint = "Write networks separated by commas, for example 10.0.0.0/8,192.168.7.0/24."
        return [Error(text, hint=hint, id="connections.E002")]
    if any(refusal(address, networks) is None for address in METADATA):
        text = "POLLER_ALLOWED_NETWORKS opens the address where a cloud hands out its credentials."
        hint = "Name the networks of your own servers only."
        return [Warning(text, hint=hint, id="connections.W003")]
    return []


@register(Tags.security)
def check_ca_bundle(**_: Any) -> list[CheckMessage]:
    """A private authority that cannot be loaded would break every call."""
    try:
        trusted_authorities(settings.CA_BUNDLE)
    except OSError as error:  # ssl.SSLError is one
        text = f"POLLER_CA_BUNDLE cannot be used: {error.strerror or 'no certificates in it'}."
        return [Error(text, hint="It is the path of a file with PEM certificates.", id="connections.E004")]
    return []


@register(Tags.security)
def check_proxy(**_: Any) -> list[CheckMessage]:
    """The address of the proxy is whole."""
    if not settings.PROXY_URL or _is_proxy(settings.PROXY_URL):
        return []
    text = "POLLER_PROXY_URL is no address of a proxy."
    return [
        Error(text, hint="Write http://host:port or http://user:password@host:port.", id="connections.E005")
    ]


def _is_proxy(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
