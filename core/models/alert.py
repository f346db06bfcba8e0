"""Who is told of what goes wrong, what there was to tell, and what was told to whom."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from connections.models import Connection
from connections.secrets.fields import EncryptedTextField


class AlertKind(models.TextChoices):
    SLACK = "slack", "Slack"
    EMAIL = "email", _("E-mail")
    WEBHOOK = "webhook", _("Webhook")


class AlertChannel(models.Model):
    """A place that alerts go to. People write it; how telling went is in `AlertChannelState`."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    kind = models.CharField(_("kind"), max_length=10, choices=AlertKind.choices)
    target = EncryptedTextField(_("address"))
    secret = EncryptedTextField(_("signing secret"), null=True, blank=True)
    language = models.CharField(_("language"), max_length=5, default="en")
    causes: models.JSONField[list[str], list[str]] = models.JSONField(
        _("only these causes"), default=list, blank=True
    )
    window_minutes = models.PositiveIntegerField(
        _("minutes between alerts"),
        default=60,
        validators=[MinValueValidator(1), MaxValueValidator(10_080)],
        help_text=_("The same cause on the same connection is told at most once in so many minutes."),
    )
    remind_hours = models.PositiveIntegerField(
        _("hours between reminders"),
        default=24,
        validators=[MaxValueValidator(720)],
        help_text=_("What lasts is told again after so many hours. 0: never."),
    )
    digest_minutes = models.PositiveIntegerField(
        _("minutes between messages"),
        default=0,
        validators=[MaxValueValidator(10_080)],
        help_text=_("0: within a minute. Else everything is collected into one message in so many minutes."),
    )
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_to = models.TimeField(
        _("quiet until"),
        null=True,
        blank=True,
        help_text=_("What is still wrong when the quiet hours end is told then."),
    )

    class Meta:
        verbose_name = _("alert channel")
        verbose_name_plural = _("alert channels")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class AlertChannelState(models.Model):
    """Written by workers only: when this channel was told something last, and what went wrong."""

    channel = models.OneToOneField(
        AlertChannel, on_delete=models.CASCADE, primary_key=True, related_name="state"
    )
    told_at = models.DateTimeField(_("told at"), null=True, blank=True)
    next_try_at = models.DateTimeField(_("next try"), null=True, blank=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    error_code = models.CharField(_("error"), max_length=60, blank=True)
    error_detail = models.CharField(_("detail"), max_length=300, blank=True)

    def __str__(self) -> str:
        return f"state of alert channel {self.channel_id}"


class Alert(models.Model):
    """One cause on one connection (or on none: the poller itself), from its beginning to its end.

    `stage` tells the steps of one cause apart, such as 14, 7 and 1 days before a key ends; `number` is how
    many (orders, mostly) it was about at most; `caught_up` how many orders went out between since and end.
    """

    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="alerts", null=True, blank=True
    )
    code = models.CharField(_("cause"), max_length=60)
    stage = models.CharField(max_length=10, blank=True)
    detail = models.CharField(_("detail"), max_length=300, blank=True)
    number = models.PositiveIntegerField(_("how many"), default=0)
    since = models.DateTimeField(_("since"))
    seen_at = models.DateTimeField(_("last seen"))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    caught_up = models.PositiveIntegerField(_("caught up"), null=True, blank=True)

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "code", "stage"],
                condition=Q(ended_at__isnull=True, connection__isnull=False),
                name="one_open_alert_per_cause",
            ),
            models.UniqueConstraint(
                fields=["code", "stage"],
                condition=Q(ended_at__isnull=True, connection__isnull=True),
                name="one_open_alert_of_the_poller",
            ),
        ]
        indexes = [
            models.Index(
                fields=["connection", "code"], name="alert_open", condition=Q(ended_at__isnull=True)
            ),
            models.Index(fields=["ended_at"], name="alert_age", condition=Q(ended_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.code} since {self.since:%Y-%m-%d %H:%M}"


class NoticeKind(models.TextChoices):
    PROBLEM = "problem", _("Problem")
    RECOVERED = "recovered", _("Recovered")


class AlertNotice(models.Model):
    """What a channel was told. Written after the message left: a crash may repeat one, and loses none."""

    channel = models.ForeignKey(AlertChannel, on_delete=models.CASCADE, related_name="notices")
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(_("kind"), max_length=10, choices=NoticeKind.choices)
    told_at = models.DateTimeField(_("told at"))

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        indexes = [models.Index(fields=["channel", "alert"], name="notice_alert")]

    def __str__(self) -> str:
        return f"{self.kind} of alert {self.alert_id} to {self.channel_id}"
