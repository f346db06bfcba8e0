"""Health of connections, computed by the database: for the admin, the commands and the monitors alike."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextChoices,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from connections.models import Circuit, CircuitState
from sync.models import RetryItem, Status

LATE_AFTER = timedelta(minutes=5)


class HealthState(TextChoices):
    """One word for a connection: the worst that can be said of it."""

    FAILING = "failing", _("Failing")
    OPEN = "open", _("Circuit open")
    LATE = "late", _("Late")
    NEEDS_PERSON = "needs_person", _("Needs a person")
    PAUSED = "paused", _("Paused")
    DISABLED = "disabled", _("Disabled")
    NEW = "new", _("Not polled yet")
    OK = "ok", _("OK")


WRONG = (HealthState.FAILING, HealthState.OPEN, HealthState.LATE)


def with_health_state(connections: QuerySet[Any], now: datetime) -> QuerySet[Any]:
    """Adds `health_state`, a word of `HealthState`."""
    circuits = Circuit.objects.filter(connection=OuterRef("pk"))
    paused = Circuit.objects.paused(now).filter(connection=OuterRef("pk"))
    # Found once for all of them, by the index of statuses: asked one by one it reads every item there is.
    failed = RetryItem.objects.filter(status=Status.FAILED).order_by().values("connection")
    overdue = Q(poll_state__next_poll_at__lt=now - LATE_AFTER)
    forgotten = Q(poll_state__isnull=True, created_at__lt=now - LATE_AFTER)
    annotated: QuerySet[Any] = connections.annotate(
        health_state=Case(
            When(enabled=False, then=Value(HealthState.DISABLED.value)),
            When(Exists(paused), then=Value(HealthState.PAUSED.value)),
            When(Exists(circuits.exclude(state=CircuitState.CLOSED)), then=Value(HealthState.OPEN.value)),
            When(poll_state__error_code__gt="", then=Value(HealthState.FAILING.value)),
            When(overdue | forgotten, then=Value(HealthState.LATE.value)),
            When(pk__in=failed, then=Value(HealthState.NEEDS_PERSON.value)),
            When(poll_state__last_polled_at__isnull=True, then=Value(HealthState.NEW.value)),
            default=Value(HealthState.OK.value),
            output_field=CharField(),
        )
    )
    return annotated


def with_backlog(connections: QuerySet[Any]) -> QuerySet[Any]:
    """Adds `waiting` and `needs_person`, numbers of orders owed."""
    annotated: QuerySet[Any] = connections.annotate(
        waiting=_owed(Status.PENDING), needs_person=_owed(Status.FAILED)
    )
    return annotated


def _owed(status: Status) -> Coalesce:
    items = RetryItem.objects.filter(connection=OuterRef("pk"), status=status).order_by()
    counted = items.values("connection").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted), 0)


def counts(connections: QuerySet[Any], now: datetime) -> dict[str, int]:
    """Number of connections by health: {word of `HealthState`: number}."""
    rows = with_health_state(connections, now).order_by().values("health_state").annotate(n=Count("pk"))
    return dict(rows.values_list("health_state", "n"))
