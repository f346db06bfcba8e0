"""The form of a connection, with the theme's inputs and with the words that say where to click."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldBooleanSwitchWidget,
)

from connections.forms import EVENT_CHOICES, LANGUAGE_CHANGES, NOT_VERIFIED, SECRETS, ConnectionForm

NOT_STANDARD = gettext_lazy("This is not “whsec_” and 24 to 64 bytes in base64.")


def warned_of(hint: Any) -> dict[str, str]:
    """For the input of a webhook secret: what admin.js says below it while a legacy one is typed."""
    return {"data-poller-secret": f"{NOT_STANDARD} {NOT_VERIFIED} {hint}"}


class ConnectionPageForm(ConnectionForm):
    """The form with the theme's inputs and with the words that say where to click."""

    legacy_hint = gettext_lazy("If the receiver knows no other, tick “Legacy secret”.")

    class Meta(ConnectionForm.Meta):
        help_texts = {
            "name": gettext_lazy("What you and your colleagues call this shop."),
            "odoo_url": gettext_lazy(
                "What the browser shows when you work in Odoo, without what follows the name: "
                "https://shop.odoo.com, not https://shop.odoo.com/odoo/sales."
            ),
            "database": gettext_lazy(
                "On Odoo Online it is the first part of the address: “shop” for https://shop.odoo.com. "
                "Elsewhere: in Odoo, Settings, at the bottom “Activate the developer mode”; "
                "then the name stands next to yours at the top right."
            ),
            "username": gettext_lazy(
                "What this user types to sign in to Odoo, mostly an e-mail address. "
                "A user of its own with rights to read sales, contacts and products is best."
            ),
            "webhook_url": gettext_lazy(
                "Where StockMaster takes orders. It is on the connection's page there."
            ),
            "protocol": gettext_lazy("Leave it on automatic unless an engineer says otherwise."),
            "language": gettext_lazy(
                "Products, units and countries are sent as they are called in it: es_MX or another code from "
                "Odoo, Settings, Translations, Languages. Empty: as they were first written in Odoo."
            ),
            "start": gettext_lazy(
                "What happens with orders that were confirmed before this connection was made."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in SECRETS:
            self._dress(name)
        self.fields["api_key"].help_text = _(
            "Sign in to Odoo as that user. Click your picture at the top right, Preferences (or My Profile), "
            "Account Security, New API Key. Odoo shows the key once: copy it here. "
            "On Odoo 18 and later choose the longest duration, and note when it ends."
        )
        self.fields["webhook_secret"].help_text = _(
            "From the connection's page in StockMaster. "
            "Left empty on a new connection, one is made and shown once."
        )
        self.fields["webhook_secret"].widget.attrs |= warned_of(self.legacy_hint)
        self.fields["legacy_secret"].widget = UnfoldBooleanSwitchWidget()
        hours = self.fields["overlap_hours"]
        hours.widget = UnfoldAdminIntegerFieldWidget(attrs={"placeholder": settings.SECRET_OVERLAP_HOURS})
        self.fields["language_change"].widget = UnfoldAdminSelectWidget(choices=LANGUAGE_CHANGES)
        self.fields["events"].widget = UnfoldAdminCheckboxSelectMultipleWidget(choices=EVENT_CHOICES)

    def _dress(self, name: str) -> None:
        kept = "" if self.is_new else _("stored – leave empty to keep it")
        widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password", "placeholder": kept})
        self.fields[name].widget = widget
