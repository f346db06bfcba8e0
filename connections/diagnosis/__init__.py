"""Every cause of failure we know, in words for people: what happened, and what to do next."""

from django.utils.translation import gettext_lazy as _

from connections.diagnosis.cause import Cause
from connections.diagnosis.odoo import ODOO
from connections.diagnosis.receiver import RECEIVER
from connections.diagnosis.watch import WATCH

__all__ = ["CAUSES", "Cause", "explain"]

CAUSES: dict[str, Cause] = {
    "unknown": Cause(
        _("Something went wrong that we do not know yet"),
        _("Show the technical detail below to an engineer."),
    ),
    **ODOO,
    **RECEIVER,
    **WATCH,
}


def explain(code: str) -> Cause:
    """The words for an error code; an unknown code gets the words for the unknown."""
    return CAUSES.get(code, CAUSES["unknown"])
