"""What a load balancer or an orchestrator asks: alive, ready."""

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse


def healthz(request: HttpRequest) -> JsonResponse:
    """200 while the process can answer at all; touches nothing else."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers and has every migration, else 503 with the reason."""
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except (DatabaseError, ImproperlyConfigured) as error:
        return JsonResponse({"status": "database", "error": type(error).__name__}, status=503)
    if missing:
        return JsonResponse({"status": "migrations", "missing": len(missing)}, status=503)
    return JsonResponse({"status": "ok"})
