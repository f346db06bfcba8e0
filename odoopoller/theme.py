"""Settings of the admin's theme."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _


def environment(request: HttpRequest) -> list[str] | None:
    """The label at the top right: which installation this is."""
    if settings.ENVIRONMENT:
        return [settings.ENVIRONMENT, "info"]
    return [str(_("Development")), "warning"] if settings.DEBUG else None


ICON = (
    "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 100 100'>"
    "<text y='.9em' font-size='90'>🚚</text></svg>"
)

# A calm indigo. 500 is what links have on a dark page: light enough to be read there.
PRIMARY = {
    "50": "oklch(96.2% .018 272.3)",
    "100": "oklch(93% .034 272.8)",
    "200": "oklch(87% .065 274)",
    "300": "oklch(78.5% .115 274.7)",
    "400": "oklch(74% .13 275.5)",
    "500": "oklch(70% .15 276.2)",
    "600": "oklch(51.1% .23 277)",
    "700": "oklch(45.7% .22 277)",
    "800": "oklch(39.8% .195 277.4)",
    "900": "oklch(35.9% .144 278.7)",
    "950": "oklch(25.7% .09 281.3)",
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Odoo Poller",
    "SITE_HEADER": "Odoo Poller",
    "SITE_SUBHEADER": _("From Odoo to StockMaster"),
    "SITE_SYMBOL": "local_shipping",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: ICON}],
    "SITE_URL": None,
    "SHOW_LANGUAGES": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "LOGIN": {"form": "core.login.form.LoginForm"},
    "ENVIRONMENT": "odoopoller.theme.environment",
    "COLORS": {"primary": PRIMARY},
    "STYLES": [lambda request: static("poller/admin.css")],
    "SCRIPTS": [lambda request: static("poller/admin.js")],
    "DASHBOARD_CALLBACK": "sync.admin.overview.dashboard",
    "SIDEBAR": {"navigation": "odoopoller.sidebar.navigation", "show_all_applications": False},
}
