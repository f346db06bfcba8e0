"""What goes wrong on the side of Odoo."""

from django.utils.translation import gettext_lazy as _

from connections.causes.cause import Cause

_ACCESS = {
    "odoo_access_denied": Cause(
        _("Odoo does not accept the user name and the key"),
        _(
            "Check the user name letter by letter. Then make a new API key in Odoo, as that user: "
            "Preferences, Account Security, New API Key. A key may have expired (90 days on Odoo 18 and "
            "later, unless an administrator made it) or have been removed, and a user with two-factor "
            "authentication needs a key instead of a password. Odoo Online has an API in plan Custom only."
        ),
    ),
    "odoo_plan_without_api": Cause(
        _("Odoo Online refuses the use of its API"),
        _(
            "Ask the customer for the plan of this database: One App Free and Standard have no API, only "
            "Custom has. If it is Custom, check the address of the database."
        ),
    ),
    "odoo_forbidden": Cause(
        _("Something in front of Odoo refuses us"),
        _(
            "Ask whoever runs this Odoo whether a firewall, a password page or a filter by address stands "
            "before it, and have the paths /jsonrpc and /json/2 opened for us."
        ),
    ),
    "odoo_no_rights": Cause(
        _("The user in Odoo may not read what we need"),
        _(
            "In Odoo, give the user the right “Sales: User: All Documents”. It needs to read orders with "
            "their lines, customers and products, in every company whose orders it should see."
        ),
    ),
    "odoo_own_documents_only": Cause(
        _("The user sees only its own orders"),
        _(
            "In Odoo, change the user's Sales right from “Own Documents Only” to “All Documents”. Odoo gives "
            "no error: orders of other salespersons are simply missing."
        ),
    ),
    "odoo_another_database": Cause(
        _("Nothing is read until a person has said which database this is"),
        _("Open the question about this connection, or run manage.py questions, and answer it."),
    ),
    "odoo_no_sales_rights": Cause(
        _("The user has no right in Odoo's sales app"),
        _(
            "It may be a portal user, or an internal user without sales: Odoo hides orders from it without "
            "an error. In Odoo, make an internal user with the right “Sales: User: All Documents” and a key "
            "of that user, and put both into the connection."
        ),
    ),
    "odoo_other_user": Cause(
        _("The key belongs to another user"),
        _("Write that user's name into the connection, or make a key as the user that is named there."),
    ),
    "odoo_key_expires_soon": Cause(
        _("A key of this user expires soon"),
        _(
            "Make a new key in Odoo before that day and put it into the connection. A key made by an "
            "administrator can be without an end."
        ),
    ),
    "odoo_company_not_visible": Cause(
        _("The user does not see the company of this connection"),
        _(
            "In Odoo, add the company to the user's allowed companies, or correct the number of the company "
            "in the connection."
        ),
    ),
    "odoo_several_companies": Cause(
        _("The user sees several companies, and the orders of all of them will be sent"),
        _("If only one company is meant, write its number into the connection."),
    ),
}

_DATABASE = {
    "odoo_wrong_database": Cause(
        _("There is no Odoo database of this name"),
        _(
            "Check the name in the connection; capitals count. On Odoo Online it is the first part of the "
            "address. We go on trying, for the case that the database is being restored or moved."
        ),
    ),
    "odoo_database_down": Cause(
        _("Odoo cannot reach its database"),
        _(
            "Wait a few minutes: the database behind this Odoo is down, or being restarted. If it stays so, "
            "check the name of the database in the connection; not every Odoo tells the two apart."
        ),
    ),
}

_SERVER = {
    "odoo_server_error": Cause(
        _("Odoo failed inside"),
        _(
            "Wait for the next tries. If it stays so, show the technical detail to whoever runs this Odoo: "
            "the full error is in the log of the server at that time."
        ),
    ),
    "odoo_unavailable": Cause(
        _("Odoo is down, or restarting"),
        _("Wait a few minutes. If it stays so, tell whoever runs this Odoo: the web server is up, Odoo not."),
    ),
    "odoo_web_page": Cause(
        _("Something in front of Odoo answered with a web page"),
        _(
            "Wait a few minutes: it may be a maintenance page, or a check for browsers like Cloudflare's. We "
            "go on trying. Its title is in the technical detail. If it stays so, ask whoever runs this Odoo "
            "to let our calls to /jsonrpc and /json/2 pass without a page or a filter by address."
        ),
    ),
    "odoo_rate_limited": Cause(
        _("Odoo asks us to call less often"),
        _(
            "Nothing to do: we wait as long as it asks. If it happens often, set a longer time between polls "
            "or fewer calls per second for this connection."
        ),
    ),
    "odoo_redirect": Cause(
        _("This address of Odoo sends us to another one"),
        _("Open the address in a browser and write the address it ends at into the connection."),
    ),
    "odoo_not_odoo": Cause(
        _("What answers at this address is not Odoo's API"),
        _(
            "Open the address in a browser: it should show the login page of Odoo. Write it without anything "
            "after the name of the host. If it is right, something in front of Odoo answers in its place."
        ),
    ),
    "odoo_busy": Cause(
        _("Another reading of this Odoo database was still under way"),
        _("Ask again in a few minutes: one database is read by one worker at a time."),
    ),
    "odoo_first_run": Cause(
        _("The first run of this connection is not over yet"),
        _(
            "Wait until it has been polled to the end, then ask again. Before that nobody knows which orders "
            "are new."
        ),
    ),
    "odoo_clock_skew": Cause(
        _("The clock of the Odoo server is wrong, or ours is"),
        _("Nothing is lost by it: we go by the server's clock. Have both clocks set by NTP all the same."),
    ),
}

_CALLS = {
    "odoo_unknown_field": Cause(
        _("A field that we need is not in this Odoo"),
        _(
            "Was Odoo upgraded, a module removed, or a field hidden from the user? The fields are asked for "
            "again by themselves. If it stays so, show the technical detail to an engineer."
        ),
    ),
    "odoo_language_missing": Cause(
        _("The language of this connection is not installed in Odoo"),
        _(
            "In Odoo, install it: Settings, Languages, Add languages. Or choose one of those in the "
            "technical detail, or none, in the connection. No order is sent in another language meanwhile."
        ),
    ),
    "odoo_unknown_model": Cause(
        _("This Odoo has no such records"),
        _("Install the app Sales in this Odoo, or check that address and database are the right ones."),
    ),
    "odoo_unknown_method": Cause(
        _("This Odoo does not know a function that we call"),
        _("Show the technical detail and the version of this Odoo to an engineer."),
    ),
    "odoo_bad_call": Cause(
        _("Odoo did not understand our call"),
        _("Show the technical detail and the version of this Odoo to an engineer."),
    ),
    "odoo_refused_call": Cause(
        _("Odoo refused the call, with a reason of its own"),
        _("The reason is in the technical detail. A module made for this Odoo may be behind it."),
    ),
    "odoo_record_gone": Cause(
        _("A record was deleted while we were reading"),
        _("Nothing to do: the next poll reads again."),
    ),
    "odoo_unreadable_order": Cause(
        _("An order could not be read"),
        _(
            "Open the order in Odoo and look for what is odd about it, as the technical detail says; when it "
            "is saved again, it is read again. The other orders go their way."
        ),
    ),
    "odoo_no_orders": Cause(
        _("The user sees no confirmed order"),
        _(
            "Right for a new shop. If there are confirmed orders, check the company of the connection and "
            "the user's rights in Odoo."
        ),
    ),
}

_WAY_TO_ODOO = {
    "odoo_dns": Cause(
        _("The name of the Odoo server is not known"),
        _("Check the address in the connection for typing errors. Was the domain moved or not paid for?"),
    ),
    "odoo_not_listening": Cause(
        _("Nothing answers at the address of Odoo"),
        _("Check the address and the port in the connection; then ask whether this Odoo is running."),
    ),
    "odoo_unreachable": Cause(
        _("There is no way to the Odoo server"),
        _("Ask whether the server is up, and whether a firewall lets us through."),
    ),
    "odoo_timeout": Cause(
        _("Odoo took too long"),
        _("Wait for the next tries. If it stays so, Odoo is overloaded or a firewall swallows our calls."),
    ),
    "odoo_tls": Cause(
        _("No secure connection to Odoo: its certificate does not hold"),
        _(
            "Open the address in a browser and look at the certificate: expired, for another name, or of an "
            "authority that we do not know? Whoever runs this Odoo has to mend it. A private authority is "
            "made known by the setting POLLER_CA_BUNDLE."
        ),
    ),
    "odoo_disconnected": Cause(
        _("Odoo broke the connection off"),
        _("Wait for the next tries. If it stays so, Odoo stops while it answers: ask whoever runs it."),
    ),
    "odoo_broken_answer": Cause(
        _("The answer of Odoo cannot be read"),
        _("If it stays so, something between us and Odoo damages answers. Show the detail to an engineer."),
    ),
    "odoo_too_large": Cause(
        _("The answer of Odoo is too large"),
        _("Look for an order with a huge number of lines. If there is none, show this to an engineer."),
    ),
    "odoo_blocked_address": Cause(
        _("The address of Odoo is inside a private network, and calls there are blocked"),
        _("If it is meant, an operator adds the network to the setting POLLER_ALLOWED_NETWORKS."),
    ),
    "odoo_plain_http": Cause(
        _("The address of Odoo begins with http: and would send the key in clear"),
        _("Write the address with https://. Plain http is for networks in POLLER_ALLOWED_NETWORKS only."),
    ),
    "odoo_unsendable": Cause(
        _("The address or the key of Odoo has a form that cannot be sent"),
        _("Type the address and paste the key anew: a line break or a strange letter is in one of them."),
    ),
    "odoo_proxy": Cause(
        _("Our own proxy does not let us through to Odoo"),
        _("An operator checks the setting POLLER_PROXY_URL and the proxy itself."),
    ),
}

ODOO: dict[str, Cause] = {**_ACCESS, **_DATABASE, **_SERVER, **_CALLS, **_WAY_TO_ODOO}
