"""The ledger: orders seen, versions owed, versions sent, and every try. Only `sync/ledger/` writes it."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from connections.models import Connection

models.CharField.register_lookup(Upper)  # order_name__upper, by the index below


class SeenOrderQuerySet(models.QuerySet["SeenOrder"]):
    def known_as_open(self, connection: Connection) -> SeenOrderQuerySet:
        """Orders that the receiver was told of and that are not cancelled."""
        return self.filter(connection=connection, version__gt=0, seeded=False).exclude(state="cancel")


class SeenOrder(models.Model):
    """One order as we saw it last. `version` counts the versions made of it; 0 when none was wanted.

    `hash_rules` is the number of the rules in `sync/events/payload.py` that `content_hash` was made by; what
    code before the rules wrote says 0. `notes` has a line for each value that could not be read.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="seen_orders")
    order_id = models.BigIntegerField(_("Odoo id"))
    order_name = models.CharField(_("order"), max_length=100)
    reference = models.CharField(_("customer reference"), max_length=200, blank=True)
    state = models.CharField(_("state"), max_length=20)
    write_date = models.DateTimeField(_("written in Odoo"))
    content_hash = models.CharField(max_length=64)
    hash_rules = models.PositiveSmallIntegerField(default=1, db_default=0)
    version = models.PositiveIntegerField(_("version"), default=0)
    announced = models.CharField(
        _("what the receiver knows"), max_length=20, blank=True, help_text="'', 'confirmed' or 'cancelled'"
    )
    seeded = models.BooleanField(
        _("from before the start"), default=False, help_text=_("Its changes are recorded, not sent.")
    )
    # The number and this moment together are the order: a restored database gives numbers again.
    created_in_odoo = models.DateTimeField(_("created in Odoo"), null=True, blank=True)
    company_id = models.BigIntegerField(_("company in Odoo"), null=True, blank=True)
    held = models.BooleanField(
        _("held"),
        default=False,
        db_default=False,
        help_text=_("Not sent until a person has answered a question about it."),
    )
    # Read again with the next poll, whether or not Odoo lists it as changed.
    reread = models.BooleanField(default=False, db_default=False)
    notes = models.TextField(_("notes"), blank=True, default="", db_default="")
    seen_at = models.DateTimeField(_("seen at"))

    objects = SeenOrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("order seen")
        verbose_name_plural = _("orders seen")
        constraints = [models.UniqueConstraint(fields=["connection", "order_id"], name="one_row_per_order")]
        indexes = [
            models.Index(fields=["order_name"], name="seenorder_name"),
            models.Index(fields=["reference"], name="seenorder_reference", condition=~Q(reference="")),
            # People type names as they come: the search box asks in capitals.
            models.Index(Upper("order_name"), name="seenorder_name_upper"),
            models.Index(Upper("reference"), name="seenorder_reference_upper", condition=~Q(reference="")),
            models.Index(fields=["order_id"], name="seenorder_order"),
            models.Index(fields=["connection"], name="seenorder_reread", condition=Q(reread=True)),
            models.Index(fields=["connection"], name="seenorder_held", condition=Q(held=True)),
        ]

    def __str__(self) -> str:
        return f"{self.order_name} v{self.version}"

    @property
    def is_known_as_open(self) -> bool:
        """The receiver was told of it and not of its end; the same as `known_as_open`."""
        return self.version > 0 and not self.seeded and self.state != "cancel"

    @property
    def left_empty(self) -> list[str]:
        """Values that could not be read, each as "path: problem" (`sync/sources/odoo/notes.py`)."""
        return self.notes.splitlines()


class Version(models.Model):
    """What one version of one order is called, wherever it is kept."""

    order_id = models.BigIntegerField(_("Odoo id"))
    order_name = models.CharField(_("order"), max_length=100)
    version = models.PositiveIntegerField(_("version"))
    event = models.CharField(_("event"), max_length=30)
    event_id = models.CharField(_("event id"), max_length=64)
    write_date = models.DateTimeField(_("written in Odoo"))
    content_hash = models.CharField(max_length=64)
    replay = models.BooleanField(_("sent again by a person"), default=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.order_name} v{self.version}"


class SentOrder(Version):
    """A version that the receiver has, or that was seeded: known before the start and not sent."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="sent_orders")
    seeded = models.BooleanField(_("seeded"), default=False)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)

    class Meta:
        verbose_name = _("sent order")
        verbose_name_plural = _("sent orders")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "order_id", "version"], name="sent_once_per_version"
            )
        ]
        indexes = [
            models.Index(fields=["connection", "-id"], name="sentorder_connection"),
            models.Index(fields=["order_name"], name="sentorder_name"),
            models.Index(fields=["event_id"], name="sentorder_event"),
            models.Index(fields=["sent_at"], name="sentorder_sent_at"),
        ]
        permissions = [("resend_order", _("Can send orders again"))]


class Status(models.TextChoices):
    PENDING = "pending", _("Waiting")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Needs a person")
    DISCARDED = "discarded", _("Discarded")
    SUPERSEDED = "superseded", _("Replaced by a newer version")


OPEN = (Status.PENDING, Status.FAILED)


class RetryItemQuerySet(models.QuerySet["RetryItem"]):
    def open(self) -> RetryItemQuerySet:
        return self.filter(status__in=OPEN)

    def pending(self) -> RetryItemQuerySet:
        return self.filter(status=Status.PENDING)

    def due(self, now: datetime) -> RetryItemQuerySet:
        return self.pending().filter(next_retry_at__lte=now)


class RetryItem(Version):
    """A version owed to the receiver, with the exact bytes of every try.

    It is written before the first try, so that a crash can only repeat the same event with the same bytes.
    `body` is null once it has aged out.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="retry_items")
    body = models.BinaryField(null=True, blank=True)
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.PENDING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    refusals = models.PositiveIntegerField(_("refusals"), default=0)
    next_retry_at = models.DateTimeField(_("next try"), null=True, blank=True)
    error_code = models.CharField(_("error"), max_length=60, blank=True)
    error_detail = models.CharField(_("detail"), max_length=500, blank=True)
    discarded_by = models.CharField(_("discarded by"), max_length=150, blank=True)
    discard_reason = models.CharField(_("reason"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("created at"))
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    objects = RetryItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("retry item")
        verbose_name_plural = _("retry items")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "order_id", "version"], name="owed_once_per_version"
            ),
            models.UniqueConstraint(
                fields=["connection", "order_id"],
                condition=Q(status__in=["pending", "failed"]),
                name="one_open_item_per_order",
            ),
        ]
        indexes = [
            models.Index(
                fields=["connection", "next_retry_at"], name="retryitem_due", condition=Q(status="pending")
            ),
            # Whole, not for the open ones only: SQLite cannot tell that what we ask for lies within them.
            models.Index(fields=["status", "-id"], name="retryitem_status"),
            models.Index(fields=["order_name"], name="retryitem_name"),
            models.Index(fields=["event_id"], name="retryitem_event"),
            models.Index(fields=["closed_at"], name="retryitem_age", condition=Q(closed_at__isnull=False)),
        ]
        permissions = [
            ("retry_item", _("Can retry items now")),
            ("discard_item", _("Can discard items")),
            ("view_payload", _("Can see payloads")),
        ]


class DeliveryAttempt(models.Model):
    """One HTTP call to a receiver and its answer; `answer` is the first kilobytes as text."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="delivery_attempts")
    item = models.ForeignKey(RetryItem, on_delete=models.CASCADE, related_name="tries", null=True)
    order_id = models.BigIntegerField(_("Odoo id"))
    order_name = models.CharField(_("order"), max_length=100)
    version = models.PositiveIntegerField(_("version"))
    event_id = models.CharField(_("event id"), max_length=64)
    number = models.PositiveIntegerField(_("attempt"))
    started_at = models.DateTimeField(_("started at"))
    duration_ms = models.PositiveIntegerField(_("duration in ms"))
    delivered = models.BooleanField(_("delivered"))
    status = models.PositiveSmallIntegerField(_("HTTP status"), null=True, blank=True)
    error_code = models.CharField(_("error"), max_length=60, blank=True)
    error_detail = models.CharField(_("detail"), max_length=500, blank=True)
    answer = models.TextField(_("answer"), blank=True)

    class Meta:
        verbose_name = _("delivery attempt")
        verbose_name_plural = _("delivery attempts")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["connection", "order_id"], name="attempt_order"),
            models.Index(fields=["started_at"], name="attempt_age"),
        ]

    def __str__(self) -> str:
        words = {"order": self.order_name, "version": self.version, "number": self.number}
        return _("%(order)s v%(version)s, attempt %(number)s") % words
