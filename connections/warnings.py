"""Choices in a connection that work and are unsafe or dear: said when it is saved, and on its page."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from connections.models import SHARED_HOSTS_SUFFIX, Connection

OFTEN_SECONDS = 15
SHORT_LOOKBACK_SECONDS = 300


def unsafe_choices(row: Connection) -> list[str]:
    """One sentence each, with what to choose instead; [] is good."""
    found: list[str] = []
    odoo, receiver = urlsplit(row.odoo_url), urlsplit(row.webhook_url)
    if odoo.scheme == "http" and not _is_near(odoo.hostname):
        found.append(_("The API key travels to Odoo unencrypted: use an address with https://."))
    if receiver.scheme == "http" and not _is_near(receiver.hostname):
        found.append(_("Orders travel to the receiver unencrypted: use an address with https://."))
    if (odoo.hostname or "").endswith(SHARED_HOSTS_SUFFIX) and row.poll_interval_seconds < OFTEN_SECONDS:
        found.append(
            _("Odoo Online answers about one call per second: poll it every 60 seconds or less often.")
        )
    if row.lookback_seconds < SHORT_LOOKBACK_SECONDS:
        found.append(_("So short a look-back misses orders that Odoo stores late: 1200 seconds are usual."))
    return found


def _is_near(host: str | None) -> bool:
    """On this machine or in a network of our own, where others do not listen."""
    if host in ("localhost", None):
        return True
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host
