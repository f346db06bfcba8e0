"""ConnectionTest: what the last test of a connection found, stage by stage."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from connections.models import Connection


class ConnectionTest(models.Model):
    """`stages` are {"name", "ok", "code", "detail", "seconds"}; a name is the English text, to be translated.

    `preview` is what the newest order would send: personal data, so it is forgotten after a day.
    """

    connection = models.OneToOneField(
        Connection, on_delete=models.CASCADE, primary_key=True, related_name="last_test"
    )
    asked_by = models.CharField(_("asked for by"), max_length=150, blank=True)
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    stages: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = models.JSONField(
        _("stages"), default=list
    )
    preview = models.BinaryField(null=True, blank=True)

    class Meta:
        verbose_name = _("test of a connection")
        verbose_name_plural = _("tests of connections")

    def __str__(self) -> str:
        return f"{self.connection_id}, {self.started_at:%Y-%m-%d %H:%M:%S}"
