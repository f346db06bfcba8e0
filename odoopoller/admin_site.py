"""The admin as a whole: its pages that belong to no table."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import InvalidPage
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern
from unfold.sites import UnfoldAdminSite


class AdminSite(UnfoldAdminSite):  # type: ignore[misc]
    def get_urls(self) -> list[URLPattern]:
        """Without Django's “view on site”, which looks up any row of any table: none has a page elsewhere."""
        return [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        try:
            found: HttpResponse = super().search(request, extra_context)
        except InvalidPage:
            return HttpResponse()
        return found

    def app_index(
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            page: HttpResponse = super().app_index(request, app_label, extra_context)
        except Http404:  # as Django has it where none of its tables may be seen
            raise PermissionDenied from None
        return page
