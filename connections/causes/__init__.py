"""Every cause of failure we know, in words for people: what happened, and what to do next."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from connections.causes.cause import Cause

__all__ = ["CAUSES", "NEVER_SENT", "Cause", "explain", "register"]

# What stops an order before its receiver sees it, and needs a person.
NEVER_SENT = ("odoo_unreadable_order", "receiver_bad_secret", "legacy_gave_up", "legacy_gone")

ADD_THE_KEY = _(
    "Whoever runs the server adds the key it was written with to POLLER_ENCRYPTION_KEY, after the new one, "
    "and starts again. If that key is lost, type the secret anew."
)

CAUSES: dict[str, Cause] = {
    "unknown": Cause(
        _("Something went wrong that we do not know yet"),
        _("Show the technical detail below to an engineer."),
    ),
    "odoo_secret_unreadable": Cause(_("The stored API key cannot be read with our keys"), ADD_THE_KEY),
    "receiver_secret_unreadable": Cause(
        _("A stored webhook secret cannot be read with our keys"), ADD_THE_KEY
    ),
}


def register(words: Mapping[str, Cause]) -> None:
    """Add the words of an app; each does so as it is loaded."""
    CAUSES.update(words)


def explain(code: str) -> Cause:
    """The words for an error code; an unknown code gets the words for the unknown."""
    return CAUSES.get(code, CAUSES["unknown"])
