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
