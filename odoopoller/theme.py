"""How the desk looks: the theme's settings, and who finds what in the sidebar."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _


def environment(request: HttpRequest) -> list[str] | None:
    """The label at the top right: which installation this is."""
    if settings.ENVIRONMENT:
        return [settings.ENVIRONMENT, "info"]
    return [str(_("Development")), "warning"] if settings.DEBUG else None


def _may_view(model: str) -> Callable[[HttpRequest], bool]:
    app, name = model.split(".")
    return lambda request: request.user.has_perm(f"{app}.view_{name}")


def _item(title: Any, icon: str, model: str, **more: Any) -> dict[str, Any]:
    place = reverse_lazy(f"admin:{model.replace('.', '_')}_changelist")
    return {"title": title, "icon": icon, "link": place, "permission": _may_view(model), **more}


NAVIGATION = [
    {
        "items": [
            {"title": _("Overview"), "icon": "home", "link": reverse_lazy("admin:index")},
            _item(_("Connections"), "storefront", "connections.connection"),
        ]
    },
    {
        "title": _("Orders"),
        "separator": True,
        "items": [
            _item(_("Orders seen"), "receipt_long", "sync.seenorder"),
            _item(_("Sent orders"), "outbox", "sync.sentorder"),
            _item(
                _("Retry items"),
                "pending_actions",
                "sync.retryitem",
                badge="sync.admin.home.needs_person",
                badge_variant="danger",
            ),
            _item(_("Delivery attempts"), "send", "sync.deliveryattempt"),
            _item(_("Sync logs"), "history", "sync.synclog"),
        ],
    },
    {
        "title": _("People"),
        "separator": True,
        "collapsible": True,
        "items": [
            _item(_("Users"), "person", "auth.user"),
            _item(_("Groups"), "group", "auth.group"),
            _item(_("Failed logins"), "lock", "axes.accessattempt"),
        ],
    },
    {
        "title": _("Engine room"),
        "separator": True,
        "collapsible": True,
        "items": [
            _item(_("Schedules"), "schedule", "django_q.schedule"),
            _item(_("Failed tasks"), "error", "django_q.failure"),
            _item(_("Finished tasks"), "task_alt", "django_q.success"),
        ],
    },
]

ICON = (
    "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 100 100'>"
    "<text y='.9em' font-size='90'>🚚</text></svg>"
)

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Odoo Poller",
    "SITE_HEADER": "Odoo Poller",
    "SITE_SUBHEADER": _("Orders from Odoo to StockMaster"),
    "SITE_SYMBOL": "local_shipping",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: ICON}],
    "SITE_URL": None,
    "SHOW_LANGUAGES": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "ENVIRONMENT": "odoopoller.theme.environment",
    "DASHBOARD_CALLBACK": "sync.admin.home.dashboard",
    "SIDEBAR": {"navigation": NAVIGATION, "show_all_applications": False},
}
