"""Permission before anything else: who may not see rows learns nothing about which there are."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern
from unfold.admin import ModelAdmin

from core.admin.plain_values import holds_nul

View = Callable[..., HttpResponseBase]


class PermissionFirstAdmin(ModelAdmin):  # type: ignore[misc]
    """403 for who may not, whether or not there is such a row, before it is looked for."""

    @property
    def urls(self) -> list[URLPattern]:
        return [self._guarded(pattern) for pattern in self.get_urls()]

    def _guarded(self, pattern: URLPattern) -> URLPattern:
        """The pages of a list and of a new row ask for their own rights, and look nothing up before."""
        if "<" in str(pattern.pattern):
            pattern.callback = self._for_who_sees_rows(pattern.callback)
        return pattern

    def _for_who_sees_rows(self, view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if self.admin_site.has_permission(request):  # `view` sends all others to the login
                if not self.sees_rows(request):
                    raise PermissionDenied
                if holds_nul([unquote(kwargs.get("object_id", ""))]):
                    raise Http404
            return view(request, *args, **kwargs)

        return guarded

    def sees_rows(self, request: HttpRequest) -> bool:
        return bool(self.has_view_or_change_permission(request) or self.has_delete_permission(request))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        wanted = {name for name in request.POST.getlist("action") if name}
        if wanted and not wanted <= set(self.get_actions(request)):
            raise PermissionDenied
        return super().changelist_view(request, extra_context)  # type: ignore[no-any-return]
