"""Connection and its old secrets: what people configure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from connections.secrets.fields import EncryptedTextField

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

    def with_ids_of(self, database: str) -> ConnectionQuerySet:
        """Those whose ids are made of this name of a database, whatever it is called today."""
        return self.filter(Q(ids_database=database) | Q(ids_database="", database=database))

    def without_secrets(self) -> ConnectionQuerySet:
        """For lists: nothing is decrypted, and one unreadable row cannot break the page."""
        return self.defer("api_key", "webhook_secret")

    def unmoved(self, loaded: Iterable[Connection]) -> set[int]:
        """Of connections as somebody loaded them: those that nobody has pointed elsewhere since."""
        then = {each.pk: each.place for each in loaded}
        today = self.filter(pk__in=then).only("odoo_url", "database", "username")
        return {each.pk for each in today if each.place == then[each.pk]}


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
    language = models.CharField(
        _("language of names"),
        max_length=16,
        blank=True,
        default="",
        db_default="",
        help_text=_(
            "Odoo's code of an installed language, such as es_MX: products, units, states and countries are "
            "sent in it. Empty: as they were first written in Odoo."
        ),
    )
    ids_database = models.CharField(
        _("database in ids"), max_length=100, blank=True, default="", db_default="", editable=False
    )

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

    def save(self, *args: Any, **kwargs: Any) -> None:
        """With the database's name that ids are made of: today's until the first run, then that one."""
        only = kwargs.get("update_fields")
        if only is None or "database" in only:
            self.settle_ids()
            kwargs["update_fields"] = None if only is None else {*only, "ids_database"}
        super().save(*args, **kwargs)

    def settle_ids(self) -> None:
        """Follow the name of the database until something was read of it."""
        stored = Connection.objects.without_secrets().filter(pk=self.pk).first() if self.pk else None
        has_begun = stored is not None and stored.has_begun
        if not self.ids_database:
            self.ids_database = stored.database_in_ids if stored and has_begun else self.database
        elif stored and not has_begun and self.ids_database == stored.ids_database == stored.database:
            self.ids_database = self.database

    @property
    def has_begun(self) -> bool:
        """Its first run has begun, or a person or another poller sent an order before it."""
        begun = Connection.objects.filter(pk=self.pk, poll_state__started_at__isnull=False)
        return begun.exists() or self.seen_orders.exists()

    def take_own_ids(self) -> None:
        """For a connection that reads another database: its orders are nobody's yet. Save it after."""
        self.ids_database = self.database

    @property
    def database_in_ids(self) -> str:
        """The database's name in `external_id`, made-up SKUs and `odoo_db`: that of the first run."""
        return self.ids_database or self.database

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
        """Changes when what we learnt about the server may no longer hold.

        That is with address, database, user, key and company, and with the language names are kept in.
        """
        key = str.__str__(self.api_key)  # of one that cannot be read the token: another than before
        parts = [self.odoo_url, self.database, self.username, key, self.protocol]
        company = [] if self.company_id is None else [str(self.company_id)]
        text = "\n".join([*parts, *company, *([self.language] if self.language else [])])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def orders_told(self, since: datetime) -> int:
        """How many open orders, written since then, the receiver knows."""
        told = self.seen_orders.filter(announced="confirmed", write_date__gte=since)
        return told.exclude(state="cancel").count()

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
