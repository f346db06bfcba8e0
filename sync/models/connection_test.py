"""Tests of a connection: as it is stored, and of what is typed in its form."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from connections.models import Connection
from connections.secrets.fields import EncryptedTextField
from core.models.staged_test import StagedTest, test_lease_key


class ConnectionTest(StagedTest):
    """What the last test of a connection found.

    `preview` is what the newest order would send: personal data, so it is forgotten after a day.
    """

    connection = models.OneToOneField(
        Connection, on_delete=models.CASCADE, primary_key=True, related_name="last_test"
    )
    preview = models.BinaryField(null=True, blank=True)

    class Meta:
        verbose_name = _("test of a connection")
        verbose_name_plural = _("tests of connections")

    def __str__(self) -> str:
        return f"{self.connection_id}, {self.started_at:%Y-%m-%d %H:%M:%S}"


class UnsavedTest(StagedTest):
    """The test of what is typed in the form of a connection: one for each person and form.

    `typed` holds its secrets: it is emptied when the test begins.
    """

    key = models.CharField(max_length=60, primary_key=True)
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, null=True, blank=True, related_name="unsaved_tests"
    )
    typed = EncryptedTextField(_("typed"), null=True, blank=True)

    class Meta:
        verbose_name = _("test before saving")
        verbose_name_plural = _("tests before saving")

    def __str__(self) -> str:
        return f"{self.key}, {self.started_at:%Y-%m-%d %H:%M:%S}"

    @property
    def lease_key(self) -> str:
        return test_lease_key(self.connection_id or self.key)
