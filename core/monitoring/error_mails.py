"""What a mail of Django about an error may tell: where it broke, never with which values."""

import re
from collections.abc import ItemsView
from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from core.monitoring.log_format import error_in_words


class Filter(SafeExceptionReporterFilter):
    """Forms hold keys, variables hold orders, and addresses among the settings hold passwords."""

    hidden_settings = re.compile(
        SafeExceptionReporterFilter.hidden_settings.pattern + "|URL|DATABASES|CACHES|Q_CLUSTER|QUERY_STRING",
        flags=re.IGNORECASE,
    )

    def is_active(self, request: HttpRequest | None) -> bool:
        return True  # whatever DEBUG says

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        return dict.fromkeys(request.POST, self.cleansed_substitute) if request is not None else {}

    def get_traceback_frame_variables(
        self, request: HttpRequest | None, tb_frame: Any
    ) -> ItemsView[str, Any]:
        return {}.items()


class Reporter(ExceptionReporter):
    """A mail has the page, who it was and the way through the code: nothing that was asked or found."""

    def get_traceback_text(self) -> SafeString:
        if not self.is_email:
            return super().get_traceback_text()
        error = error_in_words(self.exc_value) if isinstance(self.exc_value, BaseException) else ""
        return mark_safe(f"{self._place()}\n\n{error}")  # noqa: S308 - plain text

    def get_traceback_html(self) -> SafeString:
        if not self.is_email:
            return super().get_traceback_html()
        return format_html("<pre>{}</pre>", str.__str__(self.get_traceback_text()))

    def _place(self) -> str:
        if self.request is None:
            return "Outside of a request"
        match = self.request.resolver_match
        user = getattr(getattr(self.request, "user", None), "pk", None)
        return f"{self.request.method} {match.route if match else '?'}, user {user or 'nobody'}"
