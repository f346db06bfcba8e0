"""MonitorCount: a number that only grows, for monitors; the rows it was made of may age out."""

from __future__ import annotations

from django.db import models

from connections.models import Connection


class MonitorCount(models.Model):
    """How often something happened on one connection. `label` tells kinds apart; `total` sums seconds."""

    name = models.CharField(max_length=40)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="counts")
    label = models.CharField(max_length=60, blank=True)
    number = models.BigIntegerField(default=0)
    total = models.FloatField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "connection", "label"], name="one_count_each")]

    def __str__(self) -> str:
        return f"{self.name} {self.label} of {self.connection_id}: {self.number}"


class MonitorMark(models.Model):
    """Up to which row of a table everything is counted."""

    table = models.CharField(max_length=40, primary_key=True)
    last_id = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.table} up to {self.last_id}"
