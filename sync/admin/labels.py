"""The words and colours of an order's states and events."""

from django.utils.translation import gettext_lazy as _

from sync.models import Status

EVENT_COLOURS = {"order.confirmed": "success", "order.updated": "info", "order.cancelled": "warning"}
EVENT_WORDS = {
    "order.confirmed": _("confirmed"),
    "order.updated": _("updated"),
    "order.cancelled": _("cancelled"),
}
ORDER_STATES = {"sale": _("Confirmed"), "done": _("Confirmed, locked"), "cancel": _("Cancelled")}
STATUS_COLOURS = {
    Status.PENDING: "warning",
    Status.SENT: "success",
    Status.FAILED: "danger",
    Status.DISCARDED: "",
    Status.SUPERSEDED: "info",
}
# What was wrong with a value that was left empty (`sync/sources/odoo/values.py`).
PROBLEM_WORDS = {
    "missing": _("not given"),
    "out of range": _("out of range"),
    "not one of the known values": _("not one of the known values"),
    "not a text": _("not a text"),
    "not a number": _("not a number"),
    "not a whole number": _("not a whole number"),
    "not true or false": _("not true or false"),
    "not a date with time": _("not a date with time"),
    "not a record": _("not a record"),
    "not a list": _("not a list"),
}
