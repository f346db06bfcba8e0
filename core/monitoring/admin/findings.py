"""The pages of findings: what would otherwise go wrong in silence."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from core.admin.base import OfConnectionAdmin, cause, column, explained, link, moment, page
from core.admin.filters import ConnectionFilter
from core.models import Finding


@admin.register(Finding)
class FindingAdmin(OfConnectionAdmin):
    """They come and go by themselves, with their cause."""

    list_display = ["what", "of", "detail", "began"]
    list_filter = [("connection", ConnectionFilter)]
    fields = ["of", "error_explained", "since", "seen_at"]
    readonly_fields = ["error_explained"]

    @column(_("connection"), ordering="connection__name")
    def of(self, row: Finding) -> Any:
        return super().of(row) if row.connection else _("the poller itself")

    @column(_("cause"), ordering="code")
    def what(self, row: Finding) -> str:
        return cause(row.code)

    @column(_("cause"))
    def error_explained(self, row: Finding) -> SafeString | str:
        return explained(row.code, row.detail)

    @column(_("since"), ordering="since")
    def began(self, row: Finding) -> SafeString | str:
        return moment(row.since)


def finding_context(finding: Finding) -> dict[str, Any]:
    """A finding for the first page and for the page of its connection."""
    return {
        "explained": explained(finding.code, finding.detail),
        "since": moment(finding.since),
        "connection": link(page(finding.connection), finding.connection.name) if finding.connection else "",
    }
