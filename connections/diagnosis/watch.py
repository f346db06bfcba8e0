"""What would go wrong in silence if nobody watched."""

from django.utils.translation import gettext_lazy as _

from connections.diagnosis.cause import Cause

WATCH: dict[str, Cause] = {
    "poll_overdue": Cause(
        _("Nobody has polled this connection although it is due"),
        _(
            "See whether runpoller is running (manage.py runpoller, or the service on the server) and "
            "whether its log complains. Nothing is lost meanwhile: the next poll catches up."
        ),
    ),
    "delivery_overdue": Cause(
        _("Orders should have been delivered by now and were not tried"),
        _("See whether runpoller is running. If it is, show its log to an engineer. The orders are kept."),
    ),
    "items_need_a_person": Cause(
        _("The receiver refused orders five times"),
        _(
            "Open the retry items that need a person, read the receiver's answer, have the cause mended, and "
            "press “retry now”. Discard what must not be sent."
        ),
    ),
    "odoo_circuit_open": Cause(
        _("Odoo failed several times in a row and is left alone for a while"),
        _(
            "Read the error of the connection and have it mended. We try again every two minutes by "
            "ourselves; “reset circuit” tries at once."
        ),
    ),
    "webhook_circuit_open": Cause(
        _("The receiver failed several times in a row and is left alone for a while"),
        _(
            "Ask whoever runs the receiver. We try one order every two minutes; when it is taken, everything "
            "that waits goes out by itself."
        ),
    ),
    "polls_fail": Cause(
        _("The last polls of this connection failed"),
        _("Open the connection: its error says what happened and what to do. “Test connection” shows where."),
    ),
    "leases_not_returned": Cause(
        _("A worker died without giving its work back"),
        _(
            "Others have taken over its work. If this comes back often, show the log of runpoller to an "
            "engineer."
        ),
    ),
    "reconciliation_found": Cause(
        _("A comparison found orders on which Odoo and we differ"),
        _("Look at the differences and start the reconciliation again with repair."),
    ),
    "reconciliation_failed": Cause(
        _("A comparison with Odoo did not come to its end"),
        _("Read its error, have it mended, and start it again. The next one comes by itself within a day."),
    ),
    "reconciliation_repaired": Cause(
        _("A comparison with Odoo had to put orders right"),
        _(
            "Nothing to do now: they were sent. If it happens again, show the comparison's orders to an "
            "engineer, since polling should have seen them first."
        ),
    ),
    "scheduled_work_fails": Cause(
        _("Scheduled work fails repeatedly"),
        _(
            "The detail names the work, its error and how often it failed in a row. Show it to an engineer "
            "with the log of runpoller, which says where. It is tried again by itself, and this goes away "
            "when it succeeds."
        ),
    ),
    "poller_silent": Cause(
        _("No poller is running"),
        _(
            "Start it (manage.py runpoller, or the service on the server) and see why it ended in its log. "
            "Nothing is lost meanwhile."
        ),
    ),
    "disk_full_soon": Cause(
        _("The disk of the poller's data is nearly full"),
        _("Make room or enlarge the disk: without it nothing can be recorded, so nothing is sent."),
    ),
    "alert_channel_fails": Cause(
        _("Alerts cannot be delivered"),
        _("Open the alert channel, read the error, mend its address, and press “Send a test”."),
    ),
}
