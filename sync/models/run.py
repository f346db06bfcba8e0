"""Run: one act of a person on many orders, done in the background. RunRow: one of these orders."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from connections.models import Connection


class RunKind(models.TextChoices):
    RETRY = "retry", _("Deliver")
    RESEND = "resend", _("Send again")
    DISCARD = "discard", _("Discard")


class Wish(models.TextChoices):
    """What a person wants of a run."""

    GO = "go", _("Go on")
    PAUSE = "pause", _("Pause")
    CANCEL = "cancel", _("Stop for good")


class RunQuerySet(models.QuerySet["Run"]):
    def unfinished(self) -> RunQuerySet:
        return self.filter(finished_at__isnull=True).exclude(wish=Wish.CANCEL)

    def due(self, now: datetime) -> RunQuerySet:
        return self.filter(finished_at__isnull=True, wish=Wish.GO, next_at__lte=now).order_by("next_at")


class Run(models.Model):
    """The rows were frozen when it was asked for. People write `wish...`, workers the moments and errors.

    `scope` is what was chosen, to be told to people: {"connections": names, "from", "until": ISO moments,
    "cause": code, "state": word}, each only where it was given. `token` comes from the form: pressed twice,
    it is one run.
    """

    kind = models.CharField(_("what"), max_length=10, choices=RunKind.choices)
    token = models.CharField(max_length=32, unique=True)
    asked_by = models.CharField(_("asked for by"), max_length=150)
    asked_at = models.DateTimeField(_("asked for at"))
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    scope: models.JSONField[dict[str, object], dict[str, object]] = models.JSONField(
        _("chosen"), default=dict, blank=True
    )
    total = models.PositiveIntegerField(_("orders"), default=0)
    undoes = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="undone_by"
    )

    wish = models.CharField(_("wish"), max_length=10, choices=Wish.choices, default=Wish.GO)
    wished_by = models.CharField(_("wished by"), max_length=150, blank=True)
    wished_at = models.DateTimeField(_("wished at"), null=True, blank=True)

    next_at = models.DateTimeField(_("next step"))
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    error_code = models.CharField(_("error"), max_length=60, blank=True)
    error_detail = models.CharField(_("detail"), max_length=500, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        verbose_name = _("recovery")
        verbose_name_plural = _("recoveries")
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["next_at"], name="run_due", condition=models.Q(finished_at__isnull=True, wish="go")
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.total}"

    @property
    def lease_key(self) -> str:
        return f"run:{self.pk}"


class RowState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    DONE = "done", _("Done")
    LEFT = "left", _("Left alone")


class RunRow(models.Model):
    """`item_id` is the retry item that is acted on, none where an order is sent again.

    `before` and `after` are its statuses. `why` is a word of `sync/repair/recovery.py` where it was left
    alone.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="rows")
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="run_rows")
    order_id = models.BigIntegerField(_("Odoo id"))
    order_name = models.CharField(_("order"), max_length=100)
    version = models.PositiveIntegerField(_("version"))
    item_id = models.BigIntegerField(null=True, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=RowState.choices, default=RowState.WAITING)
    before = models.CharField(_("before"), max_length=12, blank=True)
    after = models.CharField(_("after"), max_length=12, blank=True)
    why = models.CharField(_("why"), max_length=60, blank=True)
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)

    class Meta:
        verbose_name = _("order of a recovery")
        verbose_name_plural = _("orders of a recovery")
        constraints = [
            models.UniqueConstraint(fields=["run", "connection", "order_id", "version"], name="once_per_run")
        ]
        indexes = [
            models.Index(fields=["run", "state", "connection", "id"], name="runrow_next"),
            models.Index(fields=["connection", "order_id"], name="runrow_order"),
        ]

    def __str__(self) -> str:
        return f"{self.order_name} v{self.version}"
