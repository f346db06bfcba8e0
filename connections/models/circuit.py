"""Circuit: how one side of a connection does, and whether it is paused."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connections.models.connection import Connection


class Side(models.TextChoices):
    ODOO = "odoo", "Odoo"
    WEBHOOK = "webhook", _("Receiver")


class CircuitState(models.TextChoices):
    CLOSED = "closed", _("Closed")
    OPEN = "open", _("Open")
    HALF_OPEN = "half_open", _("Half open")


class CircuitQuerySet(models.QuerySet["Circuit"]):
    def paused(self, now: datetime) -> CircuitQuerySet:
        return self.filter(paused_at__isnull=False).filter(
            Q(paused_until__isnull=True) | Q(paused_until__gt=now)
        )

    def reset(self) -> int:
        """A person's word that the side works again. The next call decides whether it is true."""
        return self.update(
            state=CircuitState.CLOSED,
            failures=0,
            successes=0,
            opened_at=None,
            wait_until=None,
            waits=0,
            error_code="",
        )


class Circuit(models.Model):
    """One side of a connection. No row is a closed circuit. `connections/circuit.py` holds the rules."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="circuits")
    side = models.CharField(_("side"), max_length=10, choices=Side.choices)
    state = models.CharField(
        _("state"), max_length=10, choices=CircuitState.choices, default=CircuitState.CLOSED
    )
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    successes = models.PositiveIntegerField(_("successes while half open"), default=0)
    opened_at = models.DateTimeField(_("opened at"), null=True, blank=True)
    wait_until = models.DateTimeField(_("asked to wait until"), null=True, blank=True)
    waits = models.PositiveIntegerField(_("waits in a row"), default=0, db_default=0)
    error_code = models.CharField(_("last error"), max_length=60, blank=True)
    paused_at = models.DateTimeField(_("paused at"), null=True, blank=True)
    paused_until = models.DateTimeField(_("paused until"), null=True, blank=True)
    paused_by = models.CharField(_("paused by"), max_length=150, blank=True)
    paused_reason = models.CharField(_("reason"), max_length=300, blank=True)

    objects = CircuitQuerySet.as_manager()

    class Meta:
        verbose_name = _("circuit")
        verbose_name_plural = _("circuits")
        constraints = [models.UniqueConstraint(fields=["connection", "side"], name="one_circuit_per_side")]

    def __str__(self) -> str:
        return f"{self.connection_id}/{self.side}: {self.state}"

    def is_paused(self, now: datetime) -> bool:
        return self.paused_at is not None and (self.paused_until is None or self.paused_until > now)


def pause(
    connections: Any,
    *,
    by: str,
    reason: str,
    sides: tuple[str, ...] = tuple(Side.values),
    until: datetime | None = None,
) -> int:
    """Stop work on the sides of these connections until then, or until somebody resumes them.

    Returns the number of rows.
    """
    now = timezone.now()
    rows = [
        Circuit(connection=c, side=s, paused_at=now, paused_until=until, paused_by=by, paused_reason=reason)
        for c in connections
        for s in sides
    ]
    Circuit.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["connection", "side"],
        update_fields=["paused_at", "paused_until", "paused_by", "paused_reason"],
    )
    return len(rows)


def resume(connections: Any, *, sides: tuple[str, ...] = tuple(Side.values)) -> int:
    circuits = Circuit.objects.filter(connection__in=connections, side__in=sides, paused_at__isnull=False)
    return circuits.update(paused_at=None, paused_until=None, paused_by="", paused_reason="")
