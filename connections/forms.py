"""What may be typed into a connection and what is refused, for the admin and the commands."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from connections.limits import MOST_ID, plausible
from connections.models import EVENTS, Connection, Start
from connections.plain_text import HIDDEN, require_plain
from connections.receiver.required_answer import is_pointer
from connections.secrets.fields import Secret
from connections.secrets.webhook_secret import form_problem
from connections.url_fields import odoo_address, webhook_address
from connections.webhook_rotation import MOST_HOURS, retire, usual_overlap

if TYPE_CHECKING:
    ConnectionModelForm = forms.ModelForm[Connection]
else:
    ConnectionModelForm = forms.ModelForm

SECRETS = ("api_key", "webhook_secret")
PLAIN = ("name", "database", "username")
HEADER_SAFE = re.compile(r"[\x21-\x7e]*")
LANGUAGE = re.compile(r"^([a-z]{2,3})(?:[_-]([a-z]{2}|[0-9]{3}))?(@[a-z]+)?$", re.IGNORECASE)

CLEANERS: dict[str, Callable[[str], str]] = {"odoo_url": odoo_address, "webhook_url": webhook_address}
# The address, the secret that is sent there, and what to say where only the address was typed.
ADDRESSES = {
    "odoo_url": (
        "api_key",
        gettext_lazy(
            "The address of Odoo is another one: type the API key again. A stored key is never sent to a "
            "newly typed address."
        ),
    ),
    "webhook_url": (
        "webhook_secret",
        gettext_lazy(
            "The webhook address is another one: type the webhook secret again. A stored secret is never "
            "sent to a newly typed address."
        ),
    ),
}

UPDATED = "order.updated"
# Of columns that have none in their model: there they would want a migration that changes no table.
BOUNDS: dict[str, list[Callable[[Any], None]]] = {
    "company_id": [MinValueValidator(1), MaxValueValidator(MOST_ID)],
    "start_at": [plausible],
}
EVENT_CHOICES = [
    ("order.confirmed", gettext_lazy("Order confirmed")),
    (UPDATED, gettext_lazy("Order changed after it was confirmed")),
    ("order.cancelled", gettext_lazy("Order cancelled")),
]

MALFORMED = "malformed"  # the code of an error: a webhook secret that needs the tick
NOT_VERIFIED = gettext_lazy(
    "A receiver with a Standard Webhooks library cannot verify what is signed with it."
)
SEND, KEEP = "send", "keep"
LANGUAGE_CHANGES = [
    ("", "---------"),
    (SEND, gettext_lazy("Send them again in the new language")),
    (KEEP, gettext_lazy("Leave them as they are until they change in Odoo")),
]

INTERVAL_HELP = gettext_lazy("Write a number of seconds from 5 to 86400 (24 hours).")


class ConnectionForm(ConnectionModelForm):
    """One connection as people write it.

    A secret left empty keeps the stored one, unless the address it is sent to changes: then it is asked for.
    A new connection without a webhook secret gets a generated one, which `generated_secret` holds after
    validation: it is the only chance to tell it to the receiver's owner.
    """

    api_key = forms.CharField(label=gettext_lazy("API key"), required=False, widget=forms.PasswordInput)
    webhook_secret = forms.CharField(
        label=gettext_lazy("Webhook secret"), required=False, widget=forms.PasswordInput
    )
    legacy_secret = forms.BooleanField(
        label=gettext_lazy("Legacy secret"),
        required=False,
        initial=False,
        help_text=gettext_lazy(
            "Takes a webhook secret that is not “whsec_” and 24 to 64 bytes in base64, as it is. Only for a "
            "receiver that compares X-Webhook-Secret, or that uses the text itself as its key."
        ),
    )
    overlap_hours = forms.IntegerField(
        label=gettext_lazy("Hours the old secret signs on"),
        required=False,
        min_value=0,
        max_value=MOST_HOURS,
        help_text=gettext_lazy(
            "Only when a webhook secret takes the place of another: for so long both sign, so that the "
            "receiver can change over. 0 ends the old one at once."
        ),
    )
    same_database = forms.BooleanField(
        label=gettext_lazy("It is the same database, moved or renamed"),
        required=False,
        help_text=gettext_lazy(
            "Only when the address or the name of a database changes whose orders are known already. What is "
            "known stays then. For another database add a connection of its own: its orders would be taken "
            "for those of this one."
        ),
    )
    language_change = forms.ChoiceField(
        label=gettext_lazy("Orders that the receiver has in the former language"),
        required=False,
        choices=LANGUAGE_CHANGES,
        help_text=gettext_lazy("Only when the language changes."),
    )
    events = forms.MultipleChoiceField(
        label=gettext_lazy("Wanted events"),
        choices=EVENT_CHOICES,
        initial=list(EVENTS),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": gettext_lazy("Choose at least one event, or nothing would ever be sent."),
            "invalid_choice": gettext_lazy(
                "There is no event “%(value)s”. Choose from: order.confirmed, order.updated, order.cancelled."
            ),
        },
    )

    # How to have such a secret taken all the same: said to operators here, to the admin's people there.
    legacy_hint: Any = gettext_lazy("If the receiver knows no other, add --legacy-secret.")

    class Meta:
        model = Connection
        # Secrets are not model fields of this form: nothing here reads, decrypts or renders a stored one.
        exclude = ["api_key", "webhook_secret", "created_at", "updated_at"]
        error_messages = {
            "name": {"required": gettext_lazy("Give it a name that your colleagues will recognise.")},
            "odoo_url": {"required": gettext_lazy("Write the address of the Odoo server.")},
            "database": {
                "required": gettext_lazy(
                    "Write the name of the database. On Odoo Online it is the first part of the address: "
                    "“shop” for https://shop.odoo.com."
                )
            },
            # Django's own sentence quotes what was given, which may be a key in the wrong place.
            "protocol": {
                "invalid_choice": gettext_lazy(
                    "It is not one of the available choices: auto, jsonrpc, json2."
                )
            },
            "start": {
                "invalid_choice": gettext_lazy("It is not one of the available choices: now, date, all.")
            },
            "poll_interval_seconds": {
                "required": INTERVAL_HELP,
                "invalid": INTERVAL_HELP,
                "min_value": INTERVAL_HELP,
                "max_value": INTERVAL_HELP,
            },
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in PLAIN:
            if name in self.fields and require_plain not in self.fields[name].validators:
                self.fields[name].validators.append(require_plain)
        self.generated_secret = ""
        self.moved: list[str] = []  # addresses that differ from the stored ones
        self.language_changes = False  # of a connection that is there already
        for name, validators in BOUNDS.items():  # an admin may have left fields out
            if name in self.fields:
                self.fields[name].validators.extend(validators)
        if self.is_new:
            self.initial.setdefault("webhook_url", settings.DEFAULT_WEBHOOK_URL)

    @property
    def is_new(self) -> bool:
        return self.instance.pk is None

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if self._others().filter(name__iexact=name).exists():
            raise ValidationError(_("There is another connection of this name. Choose one that differs."))
        return name

    def clean_external_id(self) -> str:
        external_id: str = self.cleaned_data["external_id"]
        if not HEADER_SAFE.fullmatch(external_id):
            raise ValidationError(
                _("It travels in a header: only letters without accents, digits and signs, no spaces.")
            )
        other = self._others().filter(external_id=external_id).values_list("name", flat=True).first()
        if other is not None:
            raise ValidationError(
                _("The connection “%(name)s” has this id already: StockMaster could not tell them apart."),
                params={"name": other},
            )
        return external_id

    def clean_odoo_url(self) -> str:
        return odoo_address(self.cleaned_data["odoo_url"])

    def clean_language(self) -> str:
        """As Odoo writes it: es-mx is es_MX."""
        text: str = self.cleaned_data["language"]
        parts = LANGUAGE.match(text)
        if text and not parts:
            raise ValidationError(_("Write Odoo's code of a language, such as es_MX, or nothing."))
        return odoo_language(*parts.groups("")) if parts else ""

    def clean_webhook_url(self) -> str:
        return webhook_address(self.cleaned_data["webhook_url"])

    def clean_answer_pointer(self) -> str:
        pointer: str = self.cleaned_data["answer_pointer"]
        if not is_pointer(pointer):
            raise ValidationError(
                _(
                    "This is not a JSON pointer: it begins with “/”, such as /ok or /result/status. Inside a "
                    "name “~” is written ~0 and “/” is written ~1."
                )
            )
        return pointer

    def clean_api_key(self) -> str:
        key: str = self.cleaned_data["api_key"]
        if not key and self.is_new:
            raise ValidationError(
                _("Paste an API key. In Odoo: your picture at the top right, Preferences, Account Security.")
            )
        if HIDDEN.search(key):
            raise ValidationError(_("There is a line break or a tab in it: copy only the key itself."))
        return key

    def clean_webhook_secret(self) -> str:
        secret: str = self.cleaned_data["webhook_secret"]
        if not HEADER_SAFE.fullmatch(secret):
            raise ValidationError(
                _("It travels in a header: only letters without accents, digits and signs, no spaces.")
            )
        if not secret and self.is_new:
            secret = self.generated_secret = new_secret()
        return secret

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        self._want_secrets_for_new_addresses(values)
        self._want_word_on_database(values)
        if (problem := self.secret_problem) and not values.get("legacy_secret"):
            sentence = f"{problem} {NOT_VERIFIED} {self.legacy_hint}"
            self.add_error("webhook_secret", ValidationError(sentence, code=MALFORMED))
        if values.get("answer_pointer") and values.get("answer_value") == "":
            self.add_error("answer_value", _("Say what has to stand there, such as true."))
        self._want_word_on_language(values)
        if values.get("start") == Start.DATE and not values.get("start_at") and "start_at" not in self.errors:
            self.add_error("start_at", _("Say from which day and time on, or choose another first run."))
        if not encryption_works():
            raise ValidationError(
                _(
                    "Secrets cannot be stored: the setting POLLER_ENCRYPTION_KEY is empty or is not a key. "
                    "Ask the person who runs this server to set it (README, “Settings”)."
                ),
                code="encryption_key",
            )
        return values

    @property
    def secret_problem(self) -> str:
        """The fault of the webhook secret that was typed; "" for none typed and for a standard one."""
        typed = self.cleaned_data.get("webhook_secret")
        return form_problem(typed) if typed else ""

    @property
    def keeps_language(self) -> bool:
        """Leave orders that the receiver has in the former language as they are."""
        return self.language_changes and self.cleaned_data.get("language_change") == KEEP

    @property
    def overlap(self) -> timedelta:
        """How long the old webhook secret signs on. It is nothing to a receiver at another address."""
        hours = self.cleaned_data.get("overlap_hours")
        if "webhook_url" in self.moved:
            return timedelta(0)
        return usual_overlap() if hours is None else timedelta(hours=hours)

    def retire_old_secret(self, *, by: str, now: datetime) -> datetime | None:
        """Before saving, in the same transaction. Returns until when the old webhook secret signs on."""
        secret = self.cleaned_data.get("webhook_secret")
        if self.is_new or not secret:
            return None
        retire(self.instance, secret, overlap=self.overlap, by=by, now=now)
        return now + self.overlap if self.overlap else None

    def save(self, commit: bool = True) -> Connection:
        for name in SECRETS:
            if not self.errors and (text := self.cleaned_data.get(name)):
                setattr(self.instance, name, Secret(text))
        return super().save(commit)

    def _want_secrets_for_new_addresses(self, values: dict[str, Any]) -> None:
        """Who may edit but never saw a secret could otherwise have it sent to a server of their own."""
        # Not from the instance: a form that was refused before has written into it.
        stored = Connection.objects.filter(pk=self.instance.pk).values(*ADDRESSES).first() or {}
        self.moved = [name for name, text in stored.items() if _is_moved(name, text, values)]
        for name in self.moved:
            secret, sentence = ADDRESSES[name]
            if not values.get(secret) and secret not in self.errors:
                self.add_error(secret, ValidationError(sentence, code="moved"))

    def _want_word_on_database(self, values: dict[str, Any]) -> None:
        """The ledger belongs to one database: before it is kept for a new place, a person says so."""
        place = ("odoo_url", "database")
        stored: Any = Connection.objects.filter(pk=self.instance.pk).values(*place).first() or {}
        changed = any(values.get(name, text) != text for name, text in stored.items())
        if not changed or values.get("same_database") or not self.instance.seen_orders.exists():
            return
        self.add_error(
            "same_database",
            ValidationError(
                _(
                    "%(orders)s orders of “%(database)s” are known here. If this is the same database, moved "
                    "or renamed, say so: they stay, and the next poll checks it. If it is another one, add a "
                    "new connection for it instead."
                )
                % {"orders": self.instance.seen_orders.count(), "database": stored["database"]},
                code="another_database",
            ),
        )

    def _want_word_on_language(self, values: dict[str, Any]) -> None:
        """Ask before a new language makes a new version of every order."""
        # Not from the instance: a form that was refused before has written into it.
        stored = Connection.objects.filter(pk=self.instance.pk).values_list("language", flat=True).first()
        self.language_changes = stored is not None and values.get("language", stored) != stored
        answered = values.get("language_change") or "language_change" in self.errors
        if not self.language_changes or answered or UPDATED not in values.get("events", []):
            return
        orders = self.instance.orders_told(timezone.now() - timedelta(days=settings.DEEP_CHECK_DAYS))
        if orders:
            sentence = ngettext(
                "%(orders)s open order of the last %(days)s days is sent again if it is called otherwise in "
                "the new language. Say whether to send it, or to leave it.",
                "%(orders)s open orders of the last %(days)s days are sent again where they are called "
                "otherwise in the new language. Say whether to send them, or to leave them.",
                orders,
            )
            words = {"orders": orders, "days": settings.DEEP_CHECK_DAYS}
            self.add_error("language_change", ValidationError(sentence % words, code="language"))

    def _others(self) -> Any:
        return Connection.objects.exclude(pk=self.instance.pk)


def odoo_language(language: str, region: str, variant: str) -> str:
    return language.lower() + (f"_{region.upper()}" if region else "") + variant


def _is_moved(name: str, stored: str, values: Mapping[str, Any]) -> bool:
    try:
        return name in values and values[name] not in (stored, CLEANERS[name](stored))
    except ValidationError:
        return True


def filled(connection: Connection | None, values: Mapping[str, Any]) -> ConnectionForm:
    """The bound form of a connection (None: a new one) as it is, with these values in place of its own."""
    shown = ConnectionForm(instance=connection)
    stored = {name: shown.get_initial_for_field(field, name) for name, field in shown.fields.items()}
    return ConnectionForm(data=stored | dict(values), instance=connection)


def new_secret() -> str:
    """A Standard Webhooks secret: 32 random bytes."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def encryption_works() -> bool:
    """Whether secrets can be stored: there is a key, and every key in the list is a Fernet key."""
    try:
        return bool([Fernet(key) for key in settings.ENCRYPTION_KEYS])
    except ValueError:  # also binascii.Error
        return False
