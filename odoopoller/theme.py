"""How the desk looks: the theme's settings."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
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
    "ENVIRONMENT": "odoopoller.theme.environment",
    "DASHBOARD_CALLBACK": "sync.admin.home.dashboard",
    "SIDEBAR": {"navigation": "sync.admin.navigation.navigation", "show_all_applications": False},
}
