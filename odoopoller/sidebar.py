"""The sidebar: who finds what where, and how many orders need a person."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from django.http import HttpRequest
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from core.admin.base import many
from sync.models import RetryItem, Status


def _may_view(model: str) -> Callable[[HttpRequest], bool]:
    app, name = model.split(".")
    return lambda request: request.user.has_perm(f"{app}.view_{name}")


def _item(title: Any, icon: str, model: str, **more: Any) -> dict[str, Any]:
    place = reverse_lazy(f"admin:{model.replace('.', '_')}_changelist")
    return {"title": title, "icon": icon, "link": place, "permission": _may_view(model), **more}


NAVIGATION: list[dict[str, Any]] = [
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
            _item(_("Retry items"), "pending_actions", "sync.retryitem", badge_variant="danger"),
            _item(_("Recoveries"), "published_with_changes", "sync.run"),
            _item(_("Delivery attempts"), "send", "sync.deliveryattempt"),
            _item(_("Sync logs"), "history", "sync.synclog"),
            _item(_("Questions"), "help", "sync.question"),
            _item(_("Findings"), "troubleshoot", "core.finding"),
            _item(_("Reconciliations"), "difference", "sync.reconciliation"),
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
            _item(_("Alerts"), "notifications_active", "core.alert"),
            _item(_("Alert channels"), "campaign", "core.alertchannel"),
            _item(_("Pollers"), "memory", "core.pollerheartbeat"),
            _item(_("Schedules"), "schedule", "django_q.schedule"),
            _item(_("Failed tasks"), "error", "django_q.failure"),
            _item(_("Finished tasks"), "task_alt", "django_q.success"),
        ],
    },
]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The theme calls it for every page."""
    groups = deepcopy(NAVIGATION)
    if request.user.has_perm("sync.view_retryitem"):
        retry_items = next(item for item in groups[1]["items"] if item["icon"] == "pending_actions")
        retry_items["badge"] = many(RetryItem.objects.filter(status=Status.FAILED)) or None
    return groups
