"""What the import from the old poller leaves for a person, or for the next reading."""

from django.utils.translation import gettext_lazy as _

from connections.causes.cause import Cause

LEGACY: dict[str, Cause] = {
    "legacy_owed": Cause(
        _("The old poller still owed this order"),
        _(
            "Nothing to do: once the connection is enabled and its first run is over, the order is read "
            "again from Odoo and sent as a new version."
        ),
    ),
    "legacy_gave_up": Cause(
        _("The old poller tried in vain until its tries ran out"),
        _(
            "Find out whether the receiver got the order some other way. If not, send it again: manage.py "
            "resend, or “Send again” in the admin. Else discard it."
        ),
    ),
    "legacy_gone": Cause(
        _("The old poller owed this order, and Odoo no longer shows it"),
        _("Look for it in Odoo. If it was deleted, discard this item."),
    ),
}
