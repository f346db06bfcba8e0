"""Connection and its old secrets: what people configure. Circuit: health of a side. Lease: who works."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connections.fields import EncryptedTextField

EVENTS = ("order.confirmed", "order.updated", "order.cancelled")
SHARED_HOSTS_SUFFIX = ".odoo.com"  # Odoo Online: about one call per second and database


def default_events() -> list[str]:
    return list(EVENTS)


class Start(models.TextChoices):
    NOW = "now", _("From now on")
    DATE = "date", _("Everything confirmed since a date")
    ALL = "all", _("Everything open")


class Protocol(models.TextChoices):
    AUTO = "auto", _("Automatic")
    JSONRPC = "jsonrpc", "JSON-RPC"
    JSON2 = "json2", "JSON-2"


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def enabled(self) -> ConnectionQuerySet:
        return self.filter(enabled=True)

    def without_secrets(self) -> ConnectionQuerySet:
        """For lists: nothing is decrypted, and one unreadable row cannot break the page."""
        return self.defer("api_key", "webhook_secret")


class Connection(models.Model):
    """One Odoo company and the receiver of its orders. People write it, workers only read it."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    external_id = models.CharField(
        _("external id"),
        max_length=100,
        unique=True,
        help_text=_("The id StockMaster knows this connection by; sent in the header X-Odoo-Connection-Id."),
    )
    enabled = models.BooleanField(_("enabled"), default=True)

    odoo_url = models.CharField(_("Odoo address"), max_length=300)
    database = models.CharField(_("database"), max_length=100)
    username = models.CharField(_("user name"), max_length=200)
    api_key = EncryptedTextField(_("API key"))
    company_id = models.PositiveIntegerField(
        _("company"),
        null=True,
        blank=True,
        help_text=_("Odoo's number of one company. Empty: all."),
    )
    protocol = models.CharField(_("protocol"), max_length=10, choices=Protocol.choices, default=Protocol.AUTO)

    webhook_url = models.CharField(_("webhook address"), max_length=500)
    webhook_secret = EncryptedTextField(_("webhook secret"))
    send_secret_header = models.BooleanField(
        _("send the secret in clear"),
        default=True,
        help_text=_("The header X-Webhook-Secret, for receivers that cannot check signatures."),
    )
    events = models.JSONField(_("wanted events"), default=default_events)
    answer_pointer = models.CharField(
        _("required in the answer: where"),
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text=_(
            "For a receiver that answers 200 with an error inside: the JSON pointer to what says that the "
            "order was taken, such as /ok or /result/status. Empty, with no value either: every 2xx counts."
        ),
    )
    answer_value = models.CharField(
        _("required in the answer: what"),
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text=_(
            'What has to stand there: true, 0 or ok; “"0"” is a text. Any other answer counts as a refusal: '
            "after five attempts the order requires action."
        ),
    )

    poll_interval_seconds = models.PositiveIntegerField(
        _("seconds between polls"), default=60, validators=[MinValueValidator(5), MaxValueValidator(86_400)]
    )
    quiet_interval_seconds = models.PositiveIntegerField(
        _("seconds between polls of a quiet shop"),
        null=True,
        blank=True,
        validators=[MinValueValidator(5), MaxValueValidator(86_400)],
        help_text=_(
            "The longer a shop has no orders, the less often it is asked, down to this. "
            "Empty: always at the same pace."
        ),
    )
    lookback_seconds = models.PositiveIntegerField(
        _("look-back in seconds"),
        default=1200,
        validators=[MinValueValidator(60), MaxValueValidator(86_400)],
        help_text=_("How far behind the last poll each poll looks again, for transactions that ended late."),
    )
    start = models.CharField(_("first run"), max_length=10, choices=Start.choices, default=Start.NOW)
    start_at = models.DateTimeField(_("first run from"), null=True, blank=True)

    odoo_calls_per_second = models.FloatField(
        _("calls per second to Odoo"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0.01), MaxValueValidator(1000)],
        help_text=_("Empty: 1 for addresses under odoo.com, no limit for others."),
    )
    most_disappearances = models.PositiveIntegerField(
        _("orders that may disappear at once"),
        default=10,
        db_default=10,
        validators=[MaxValueValidator(1_000_000)],
        help_text=_(
            "Where a check finds more orders gone from Odoo than this, and than the share below, "
            "nothing is announced until a person confirms it."
        ),
    )
    most_disappearances_percent = models.PositiveSmallIntegerField(
        _("share of orders that may disappear at once, in percent"),
        default=20,
        db_default=20,
        validators=[MaxValueValidator(100)],
    )

    deliveries_at_once = models.PositiveSmallIntegerField(
        _("deliveries at once"), default=16, validators=[MinValueValidator(1), MaxValueValidator(64)]
    )
    deliveries_per_second = models.FloatField(
        _("deliveries per second"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0.01), MaxValueValidator(1000)],
        help_text=_("Empty: no limit."),
    )

    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed at"), auto_now=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("connection")
        verbose_name_plural = _("connections")
        ordering = ["name"]
        permissions = [
            ("test_connection", _("Can test connections")),
            ("poll_connection", _("Can poll connections now")),
            ("pause_connection", _("Can pause and resume connections")),
            ("reset_circuit", _("Can reset circuits")),
            ("rotate_secret", _("Can rotate webhook secrets")),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def calls_per_second(self) -> float | None:
        """The limit in force towards Odoo; None is no limit."""
        if self.odoo_calls_per_second:
            return self.odoo_calls_per_second
        host = (urlsplit(self.odoo_url).hostname or "").lower()
        return 1.0 if host.endswith(SHARED_HOSTS_SUFFIX) else None

    @property
    def odoo_lease_key(self) -> str:
        return odoo_lease_key(self.odoo_url, self.database)

    @property
    def webhook_lease_key(self) -> str:
        return f"webhook:{self.pk}"

    @property
    def place(self) -> str:
        """Changes with the address, the database's name and the user: then it has to be known again."""
        return "\n".join([self.odoo_url.rstrip("/").lower(), self.database, self.username])

    @property
    def identity(self) -> str:
        """Changes when what we learnt about the server may no longer hold: address, database, user, key."""
        key = str.__str__(self.api_key)  # of one that cannot be read the token: another than before
        text = "\n".join([self.odoo_url, self.database, self.username, key, self.protocol])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def wants(self, event: str) -> bool:
        return event in self.events


class RetiredSecret(models.Model):
    """A webhook secret that was replaced: it signs beside the new one until the receiver has changed over."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="retired_secrets")
    secret = EncryptedTextField(_("webhook secret"))
    valid_until = models.DateTimeField(_("signs until"), db_index=True)
    retired_at = models.DateTimeField(_("replaced at"))
    retired_by = models.CharField(_("replaced by"), max_length=150, blank=True)

    class Meta:
        verbose_name = _("old webhook secret")
        verbose_name_plural = _("old webhook secrets")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.connection_id} until {self.valid_until:%Y-%m-%d %H:%M}"


def odoo_lease_key(odoo_url: str, database: str) -> str:
    """One key per Odoo database: two connections to one database are never polled at once."""
    place = f"{odoo_url.rstrip('/').lower()}|{database}"
    return "odoo:" + hashlib.sha256(place.encode()).hexdigest()[:24]


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
            state=CircuitState.CLOSED, failures=0, successes=0, opened_at=None, wait_until=None, error_code=""
        )


class Circuit(models.Model):
    """One side of a connection. No row is a closed circuit. `sync/circuit.py` holds the rules."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="circuits")
    side = models.CharField(_("side"), max_length=10, choices=Side.choices)
    state = models.CharField(
        _("state"), max_length=10, choices=CircuitState.choices, default=CircuitState.CLOSED
    )
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    successes = models.PositiveIntegerField(_("successes while half open"), default=0)
    opened_at = models.DateTimeField(_("opened at"), null=True, blank=True)
    wait_until = models.DateTimeField(_("asked to wait until"), null=True, blank=True)
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
