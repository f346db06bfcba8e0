"""A login that failed too often: who counts as one client, and what a person reads meanwhile."""

import re
from datetime import timedelta
from ipaddress import IPv6Address, ip_address
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

NO_ADDRESS = "0.0.0.0"  # noqa: S104 - stands for none: a Unix socket's other end has no address
# What reverse proxies write besides a plain address: 1.2.3.4:99, [2001:db8::1], [2001:db8::1]:443
WITH_PORT = re.compile(r"\[(?P<six>[^\]]*)\](?::\d*)?|(?P<four>[\d.]+):\d*")
SITE_BITS = 64  # of an IPv6 address: whoever has one address has all that begin alike


def client_ip(request: HttpRequest) -> str:
    """The client that failed logins are counted for.

    Of X-Forwarded-For only what our own reverse proxies wrote counts: the end of it. What is no address
    there counts as the reverse proxy's own.
    """
    told = [part for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    forwarded = told[-settings.PROXIES] if 0 < settings.PROXIES <= len(told) else ""
    return client_of(forwarded) or client_of(request.META.get("REMOTE_ADDR", "")) or NO_ADDRESS


def client_of(text: str) -> str:
    """IPv4 as it is, IPv6 by its /64; "" of what is no address."""
    text = text.strip().strip('"')
    if ported := WITH_PORT.fullmatch(text):
        text = ported["six"] or ported["four"] or ""
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    if not isinstance(address, IPv6Address):
        return str(address)
    mapped = address.ipv4_mapped
    return str(mapped or IPv6Address(int(address) >> SITE_BITS << SITE_BITS))


def locked(request: HttpRequest, response: HttpResponse | None, credentials: Any) -> HttpResponse:
    """The page instead of the login, the same whether or not there is such a user."""
    cool_off = timedelta(hours=settings.AXES_COOLOFF_TIME)
    seconds = getattr(request, "login_pause_seconds", 0)
    context = {
        **admin.site.each_context(request),
        "title": _("Too many attempts"),
        "minutes": round(cool_off.total_seconds() / 60),
        "seconds": seconds,
        "address_is_full": getattr(request, "login_address_is_full", False),
    }
    page = render(request, "admin/locked.html", context, status=429)
    page["Retry-After"] = str(seconds or round(cool_off.total_seconds()))
    return page
