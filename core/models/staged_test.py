"""Tests that people ask for and the poller does, stage by stage; of an alert channel."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from core.models.alert import AlertChannel

# A test that nobody began in this time is not begun any more: whoever asked for it has gone.
BEGUN_WITHIN = timedelta(hours=1)
DONE_WITHIN = timedelta(seconds=240)  # longer than its stages may take together


class StagedTestQuerySet(models.QuerySet[Any]):
    def waiting(self, now: datetime) -> StagedTestQuerySet:
        """Those that the poller has yet to begin; first the newest: somebody is looking at its page."""
        return self.filter(waits=True, started_at__gt=now - BEGUN_WITHIN).order_by("-started_at", "pk")

    def under_way(self, now: datetime) -> StagedTestQuerySet:
        return self.filter(_under_way(now))

    def over(self, now: datetime) -> StagedTestQuerySet:
        """Ended, or left by its worker."""
        return self.exclude(_under_way(now))

    def ask(self, key: dict[str, Any], *, by: str, now: datetime, **more: Any) -> bool:
        """Have this tested; the poller does it. Returns False where a test under way is joined."""
        fresh = more | {
            "asked_by": by,
            "language": translation.get_language() or "",
            "waits": True,
            "started_at": now,
            "finished_at": None,
            "stages": [],
        }
        if self.over(now).filter(**key).update(**fresh):
            return True
        __, is_new = self.get_or_create(**key, defaults=fresh)
        return bool(is_new)


def _under_way(now: datetime) -> Q:
    waits = Q(waits=True, started_at__gt=now - BEGUN_WITHIN)
    return Q(finished_at__isnull=True) & (waits | Q(waits=False, started_at__gt=now - DONE_WITHIN))


class StagedTest(models.Model):
    """`stages` are {"name", "ok", "code", "detail", "seconds"}; a name is the English text, to be translated.

    `started_at` is when it was asked for, and from its beginning on when it was begun. `language` is that of
    whoever asked.
    """

    asked_by = models.CharField(_("asked for by"), max_length=150, blank=True)
    # With defaults in the database: code of the version before knows nothing of these two columns.
    language = models.CharField(_("language"), max_length=10, blank=True, default="", db_default="")
    waits = models.BooleanField(_("not begun yet"), default=False, db_default=False)
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    stages: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = models.JSONField(
        _("stages"), default=list
    )

    objects = StagedTestQuerySet.as_manager()

    class Meta:
        abstract = True

    @property
    def lease_key(self) -> str:
        """One test at a time of what it tests; commands that test a connection hold the same."""
        return test_lease_key(self.pk)

    def is_under_way(self, now: datetime) -> bool:
        longest = BEGUN_WITHIN if self.waits else DONE_WITHIN
        return self.finished_at is None and self.started_at > now - longest

    @property
    def verdict(self) -> dict[str, Any]:
        """What the stages come to, in the words of the page."""
        if not self.stages or any(stage["ok"] is False for stage in self.stages):
            return {"kind": "bad", "icon": "error", "title": _("It does not work yet")}
        if any(stage["ok"] is None for stage in self.stages):
            return {"kind": "warn", "icon": "warning", "title": _("It works, but look at the warnings")}
        return {"kind": "good", "icon": "check_circle", "title": _("Everything works")}


class ChannelTest(StagedTest):
    """How the last test of an alert channel went; it has one stage."""

    channel = models.OneToOneField(
        AlertChannel, on_delete=models.CASCADE, primary_key=True, related_name="last_test"
    )

    class Meta:
        verbose_name = _("test of an alert channel")
        verbose_name_plural = _("tests of alert channels")

    def __str__(self) -> str:
        return f"{self.channel_id}, {self.started_at:%Y-%m-%d %H:%M:%S}"

    @property
    def lease_key(self) -> str:
        return f"channeltest:{self.channel_id}"


def test_lease_key(tested: int | str) -> str:
    """Of a connection by its number, or of what is typed by the key of its test."""
    return f"test:{tested}"
