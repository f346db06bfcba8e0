"""What would go wrong in silence if nobody watched."""

from django.utils.translation import gettext_lazy as _

from connections.causes.cause import Cause

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
    "same_source_twice": Cause(
        _("Another connection sends the same orders to the same receiver"),
        _(
            "Each order arrives twice, under two connection ids. Switch one of the two off, or give each a "
            "company or a receiver of its own."
        ),
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
    "question_another_database": Cause(
        _("This looks like another database than the one read so far"),
        _(
            "Nothing is read or sent until you answer. Open the question and say whether it is the same "
            "database under a new name or address, or another one: then a new connection with a start and "
            "ids of its own is made for it. Numbers: known orders that differ / that are the same."
        ),
    ),
    "question_disappeared": Cause(
        _("Implausibly many orders are gone from Odoo"),
        _(
            "Nothing was announced as cancelled. See in Odoo whether they were really deleted. If so, answer "
            "the question; if not, have Odoo put right: the question ends when the orders are back. "
            "Numbers: orders gone / orders checked."
        ),
    ),
    "question_old_orders": Cause(
        _("Implausibly many old orders appeared in Odoo"),
        _(
            "They are held, newer orders go on. See in Odoo where they come from, then answer the question: "
            "send them, or leave them as from before the start. Numbers: old orders / open orders we know."
        ),
    ),
    "odoo_went_back": Cause(
        _("Odoo went back in time: a backup seems to have been restored"),
        _(
            "Every order we know is compared with Odoo and the receiver is told what changed. Orders that "
            "were confirmed after the moment shown are no longer in Odoo: enter them there again."
        ),
    ),
    "odoo_orders_hidden": Cause(
        _("The user in Odoo no longer sees some orders that it saw before"),
        _(
            "They are left alone: nothing is announced and changes of them are not seen. In Odoo, give the "
            "user access to the company and the documents again, or ignore this if it was meant."
        ),
    ),
    "odoo_orders_seen_late": Cause(
        _("Polls did not see orders that a check found later"),
        _(
            "They were delivered, but late. Polls look further back for some days by themselves. Shown: how "
            "many; Odoo's newest stamp / the clock of its web server. Where the two differ by minutes while "
            "orders come in, have the clock of the database server set right; else set a longer look-back."
        ),
    ),
    "odoo_neutralized": Cause(
        _("This Odoo database is a neutralised copy, made for testing"),
        _("Put the address and the name of the real database into the connection, or switch it off."),
    ),
    "deep_check_failed": Cause(
        _("The hourly check of open orders did not come to its end"),
        _(
            "Read the error and have it mended. Changes that move no stamp in Odoo, and deleted orders, are "
            "not seen meanwhile. It is tried again by itself."
        ),
    ),
    "foreign_schedule": Cause(
        _("Somebody wrote a schedule into the database"),
        _(
            "It never runs. Find out who can write to the database, and have the row deleted from the table "
            "django_q_schedule."
        ),
    ),
    "alert_channel_fails": Cause(
        _("Alerts cannot be delivered"),
        _("Open the alert channel, read the error, mend its address, and press “Send a test”."),
    ),
}
