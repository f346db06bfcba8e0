"""Users, groups and their logins, under the admin's theme."""

from __future__ import annotations

from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from core.admin.base import PollerAdmin, ReadOnlyAdmin, column, moment

for model in (User, Group, AccessAttempt, AccessLog, AccessFailureLog):
    admin.site.unregister(model)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, PollerAdmin):  # type: ignore[type-arg,misc]
    """Who is no superuser cannot become one, and cannot touch one."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        rights = [] if request.user.is_superuser else ["is_superuser", "groups", "user_permissions"]
        return [*super().get_readonly_fields(request, obj), *rights]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_touch(request, obj)


def _may_touch(request: HttpRequest, user: Any) -> bool:
    return bool(request.user.is_superuser or not getattr(user, "is_superuser", False))


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, PollerAdmin):  # type: ignore[misc]
    """Groups give rights, so only superusers write them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)


@admin.register(AccessAttempt)
class LockedLoginAdmin(ReadOnlyAdmin):
    """Failed logins that count. Deleting a row lets its owner try again at once."""

    list_display = ["username", "ip_address", "failures_since_start", "at"]
    fields = ["username", "ip_address", "user_agent", "path_info", "failures_since_start", "attempt_time"]
    search_fields = ["username", "ip_address"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("axes.delete_accessattempt"))

    @column(_("last try"), ordering="attempt_time")
    def at(self, row: Any) -> Any:
        return moment(row.attempt_time)


@admin.register(AccessLog, AccessFailureLog)
class LoginAdmin(ReadOnlyAdmin):
    list_display = ["username", "ip_address", "at"]
    fields = ["username", "ip_address", "user_agent", "path_info", "attempt_time"]
    search_fields = ["username", "ip_address"]

    @column(_("when"), ordering="attempt_time")
    def at(self, row: Any) -> Any:
        return moment(row.attempt_time)
