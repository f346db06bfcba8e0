"""Why an alert could not be delivered by mail."""

from django.utils.translation import gettext_lazy as _

from connections.causes.cause import Cause

ALERTS: dict[str, Cause] = {
    "email_not_set_up": Cause(
        _("No mail server is set up"),
        _("Set EMAIL_URL and DEFAULT_FROM_EMAIL (README, “Settings”) and start web and poller again."),
    ),
    "email_refused": Cause(
        _("The mail server did not take the message"),
        _("See whether EMAIL_URL has the right server, user and password, and whether it takes the sender."),
    ),
}
