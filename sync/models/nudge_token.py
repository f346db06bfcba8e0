"""NudgeToken: the secret part of a connection's address for nudges."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from connections.models import Connection
from connections.secrets.fields import EncryptedTextField


class NudgeToken(models.Model):
    """Found by `digest`, its SHA-256 in hex; `token` is kept, encrypted, for the page that shows it."""

    connection = models.OneToOneField(
        Connection, on_delete=models.CASCADE, primary_key=True, related_name="nudge_token"
    )
    token = EncryptedTextField()
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("nudge address")
        verbose_name_plural = _("nudge addresses")

    def __str__(self) -> str:
        return f"nudge address of {self.connection_id}"
