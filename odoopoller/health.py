"""What a load balancer, an orchestrator or a monitor asks: alive, ready, and in numbers."""

from __future__ import annotations

import hmac
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from sync import readiness
from sync.metrics import prometheus as numbers

PROXIED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_REAL_IP", "HTTP_FORWARDED")


def healthz(request: HttpRequest) -> JsonResponse:
    """200 while the process can answer at all; touches nothing else."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when everything works that orders need, else 503 with what does not.

    `?for=web` leaves the poller out: the admin is of use above all when that has stopped.
    """
    now = timezone.now()
    wrong = _database()
    if not wrong:
        looks = {"broker": readiness.broker} if request.GET.get("for") == "web" else readiness.PARTS
        try:
            wrong = {name: problem for name, look in looks.items() if (problem := look(now))}
        except DatabaseError as error:
            wrong = {"database": type(error).__name__}
    if wrong:
        return JsonResponse({"status": "not ready", "wrong": wrong}, status=503)
    return JsonResponse({"status": "ok"})


def _database() -> dict[str, str]:
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except (DatabaseError, ImproperlyConfigured) as error:
        return {"database": type(error).__name__}
    return {"migrations": f"{len(missing)} missing"} if missing else {}


def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format, for callers with the token or from an allowed network."""
    if not (_has_token(request) or _is_near(request)):
        return HttpResponse("Forbidden\n", status=403, content_type="text/plain")
    return HttpResponse(numbers.scrape(timezone.now()), content_type=numbers.CONTENT_TYPE)


def _has_token(request: HttpRequest) -> bool:
    given = request.META.get("HTTP_AUTHORIZATION", "")
    wanted = f"Bearer {settings.METRICS_TOKEN}"
    return bool(settings.METRICS_TOKEN) and hmac.compare_digest(given.encode(), wanted.encode())


def _is_near(request: HttpRequest) -> bool:
    """Behind a proxy everybody seems to come from the proxy: then only the token counts."""
    if any(name in request.META for name in PROXIED):
        return False
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return any(address in ip_network(network) for network in settings.METRICS_NETWORKS)
