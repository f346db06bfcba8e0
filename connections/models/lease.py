"""Lease: who works on one thing, and until when."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Lease(models.Model):
    """The right to work on one thing until a moment: `connections/leases.py` takes, keeps and returns it."""

    key = models.CharField(max_length=80, primary_key=True)
    token = models.CharField(max_length=32)
    until = models.DateTimeField()

    class Meta:
        verbose_name = _("lease")
        verbose_name_plural = _("leases")

    def __str__(self) -> str:
        return f"{self.key} until {self.until:%H:%M:%S}"
