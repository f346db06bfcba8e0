"""How often a login may fail: for a user at one address, for one address, and for a user from everywhere.

All of it is counted in django-axes' table, so that every process knows the same.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import QuerySet, Sum
from django.http import HttpRequest
from django.utils import timezone

from core.login.lockout import NO_ADDRESS

ADDRESS_LIMIT = 30  # failures of one address over all users: an office behind one address has several people
# A user at one address is locked after 10. So one address alone never slows down anybody elsewhere.
SLOW_FROM = 20
LONGEST_PAUSE = timedelta(seconds=60)
PAUSED = "(waits for its turn)"  # stands where the browser's name does, in the row that keeps the turn


class LoginLimits(AxesDatabaseHandler):  # type: ignore[misc]
    """django-axes' limit for a user at an address; a looser one for an address; a pause for a user.

    The pause is no lock. Once many failed as one user, each address waits before its next attempt, and then
    has it, whatever others do meanwhile.
    """

    def get_failures(self, request: HttpRequest, credentials: Any = None) -> int:
        """Of this user at this address; at the limit, too, when the address is."""
        failures = int(super().get_failures(request, credentials))
        is_full = _tells_clients_apart(request) and _of_address(request) >= ADDRESS_LIMIT
        request.login_address_is_full = is_full  # type: ignore[attr-defined]
        return max(failures, settings.AXES_FAILURE_LIMIT) if is_full else failures

    def is_locked(self, request: HttpRequest, credentials: Any = None) -> bool:
        if super().is_locked(request, credentials):
            return True
        seconds = seconds_to_wait(request, get_client_username(request, credentials), timezone.now())
        request.login_pause_seconds = seconds  # type: ignore[attr-defined]
        return seconds > 0


def seconds_to_wait(request: HttpRequest, username: str, now: datetime) -> int:
    """Before this address may try this user; 0 takes its turn, which no other request of it has then."""
    pause = _pause(_recent(request).filter(username=username))
    if not pause:
        return 0
    key = {"username": username, "ip_address": _address(request), "user_agent": PAUSED}
    if AccessAttempt.objects.filter(**key, attempt_time__lte=now - pause).update(attempt_time=now):
        return 0
    turn, is_new = AccessAttempt.objects.get_or_create(**key, defaults={"failures_since_start": 0})
    left = pause if is_new else turn.attempt_time + pause - now
    return max(1, math.ceil(left.total_seconds()))


def _pause(attempts: QuerySet[Any]) -> timedelta:
    failures = _failures(attempts)
    return min(timedelta(seconds=failures), LONGEST_PAUSE) if failures >= SLOW_FROM else timedelta(0)


def _tells_clients_apart(request: HttpRequest) -> bool:
    """Not where everybody seems to be the reverse proxy (sync.W030 says so): one would lock out all."""
    return bool(settings.PROXIES or not settings.BEHIND_HTTPS) and _address(request) != NO_ADDRESS


def _of_address(request: HttpRequest) -> int:
    return _failures(_recent(request).filter(ip_address=_address(request)))


def _recent(request: HttpRequest) -> QuerySet[Any]:
    rows: QuerySet[Any] = AccessAttempt.objects.filter(attempt_time__gte=get_cool_off_threshold(request))
    return rows


def _failures(attempts: QuerySet[Any]) -> int:
    return attempts.aggregate(total=Sum("failures_since_start"))["total"] or 0


def _address(request: HttpRequest) -> str:
    return str(request.axes_ip_address)  # type: ignore[attr-defined]  # django-axes puts it there
