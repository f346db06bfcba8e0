"""A login that failed too often: who counts as one client, and what a person reads meanwhile."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _


def client_ip(request: HttpRequest) -> str:
    """The address of who asks. Of X-Forwarded-For only what our own proxies wrote counts: the end of it."""
    direct = str(request.META.get("REMOTE_ADDR", ""))
    told = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    if not settings.PROXIES or len(told) < settings.PROXIES:
        return direct
    return told[-settings.PROXIES][:45]


def locked(request: HttpRequest, response: HttpResponse | None, credentials: Any) -> HttpResponse:
    """The page instead of the login, the same whether or not there is such a user."""
    minutes = round(timedelta(hours=settings.AXES_COOLOFF_TIME).total_seconds() / 60)
    context = {**admin.site.each_context(request), "title": _("Too many attempts"), "minutes": minutes}
    return render(request, "admin/desk/locked.html", context, status=429)
