"""What goes wrong on the side of the receiver."""

from django.utils.translation import gettext_lazy as _

from connections.causes.cause import Cause

_RECEIVER = {
    "receiver_redirect": Cause(
        _("The receiver's address sends us to another one"),
        _("Write the final address into the connection. We never follow, so as not to hand on a secret."),
    ),
    "receiver_unauthorized": Cause(
        _("The receiver does not accept our secret or signature"),
        _("Compare the webhook secret here with the one at the receiver, then retry what failed."),
    ),
    "receiver_accepts_wrong_signature": Cause(
        _("The receiver accepts events with a wrong signature"),
        _("Orders arrive, but anybody could send some. Ask the makers of the receiver to check signatures."),
    ),
    "receiver_bad_secret": Cause(
        _("The webhook secret has a form that cannot be used"),
        _("Type the secret anew. One that begins with “whsec_” goes on with letters and digits in base64."),
    ),
    "receiver_legacy_secret": Cause(
        _("The webhook secret is not a standard one, so libraries cannot verify our signature"),
        _(
            "Give the receiver a new one: “Rotate webhook secret”, or manage.py editconnection 1 "
            "--new-webhook-secret. One that only compares X-Webhook-Secret can stay as it is."
        ),
    ),
    "receiver_not_found": Cause(
        _("The receiver does not know this address"),
        _("Check the webhook address for typing errors, then retry what failed."),
    ),
    "receiver_method_refused": Cause(
        _("The receiver takes no events at this address"),
        _("Check the webhook address: it seems to be a page, not the place for events."),
    ),
    "receiver_gone": Cause(
        _("The receiver says that it is gone for good"),
        _("Deliveries are paused. Ask for the new webhook address, write it down here, and resume."),
    ),
    "receiver_refused": Cause(
        _("The receiver refuses this order"),
        _("Read its answer: it says what it does not like. Mend the order or the receiver, then retry."),
    ),
    "receiver_answer_differs": Cause(
        _("The receiver answers 2xx, but its answer does not say that it took the order"),
        _(
            "Read its answer: it says what is wrong. Correct the order or the receiver, then retry. If the "
            "order was taken, correct what the connection requires of an answer."
        ),
    ),
    "receiver_answer_not_json": Cause(
        _("The receiver answers 2xx, but not in the JSON that the connection requires"),
        _(
            "Read its answer: a page, an empty answer, or JSON that broke off? Have the receiver answer in "
            "JSON, or take what is required of an answer out of the connection, then retry."
        ),
    ),
    "receiver_answer_cut": Cause(
        _("The receiver's answer is so long that what is required of it cannot be read"),
        _(
            "Only the first 64 KB of an answer are read. Ask the makers of the receiver for shorter ones, or "
            "take what is required of an answer out of the connection, then retry."
        ),
    ),
    "receiver_too_large": Cause(
        _("The order is too large for the receiver"),
        _("Ask the makers of the receiver to allow larger events, then retry."),
    ),
    "receiver_rate_limited": Cause(
        _("The receiver asks us to send less often"),
        _(
            "Nothing to do: we wait as long as it asks. If it happens often, set fewer deliveries per second "
            "for this connection."
        ),
    ),
    "receiver_error": Cause(
        _("The receiver failed inside"),
        _("Nothing to do at first: what is owed is sent again by itself. If it stays so, tell its makers."),
    ),
}

_WAY_TO_RECEIVER = {
    "receiver_dns": Cause(
        _("The name of the receiver is not known"),
        _("Check the webhook address for typing errors. Was the domain moved or not paid for?"),
    ),
    "receiver_not_listening": Cause(
        _("Nothing answers at the receiver's address"),
        _("Check the address and the port; then ask whether the receiver is running. We go on trying."),
    ),
    "receiver_unreachable": Cause(
        _("There is no way to the receiver"),
        _("Ask whether its server is up, and whether a firewall lets us through. We go on trying."),
    ),
    "receiver_timeout": Cause(
        _("The receiver took too long"),
        _("We go on trying. A receiver should answer at once and work afterwards: tell its makers."),
    ),
    "receiver_tls": Cause(
        _("No secure connection to the receiver: its certificate does not hold"),
        _(
            "Open the address in a browser and look at the certificate: expired, for another name, or of an "
            "authority that we do not know? A private authority is made known by POLLER_CA_BUNDLE."
        ),
    ),
    "receiver_disconnected": Cause(
        _("The receiver broke the connection off"),
        _("We go on trying. If it stays so, the receiver stops while it answers: tell its makers."),
    ),
    "receiver_broken_answer": Cause(
        _("The answer of the receiver cannot be read"),
        _("Check that a web server answers at this address and port, and not some other program."),
    ),
    "receiver_blocked_address": Cause(
        _("The receiver is inside a private network, and calls there are blocked"),
        _("If it is meant, an operator adds the network to the setting POLLER_ALLOWED_NETWORKS."),
    ),
    "receiver_plain_http": Cause(
        _("The webhook address begins with http: and would send orders in clear"),
        _("Write the address with https://. Plain http is for networks in POLLER_ALLOWED_NETWORKS only."),
    ),
    "receiver_unsendable": Cause(
        _("The webhook address or its secret has a form that cannot be sent"),
        _("Type both anew: a line break or a strange letter is in one of them."),
    ),
    "receiver_proxy": Cause(
        _("Our own proxy does not let us through to the receiver"),
        _("An operator checks the setting POLLER_PROXY_URL and the proxy itself."),
    ),
}

RECEIVER: dict[str, Cause] = {**_RECEIVER, **_WAY_TO_RECEIVER}
