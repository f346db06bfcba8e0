"""Requests read as the product's own pages send them, however their headers were made up."""

from __future__ import annotations

from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.http import parse_cookie
from django.utils.functional import cached_property
from django.utils.http import parse_header_parameters


class PlainRequest(WSGIRequest):
    """Every page and form of ours is UTF-8. Django would decode with any codec that a caller names."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            found = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except ValueError:
            found = "", {}
        self.content_type, self.content_params = found

    @cached_property
    def COOKIES(self) -> dict[str, str]:  # type: ignore[override]  # Django's is one as well
        """Without those that PostgreSQL cannot look up: a cookie may spell a NUL as \\000."""
        header = self.META.get("HTTP_COOKIE", "").encode("latin-1").decode(errors="replace")
        return {name: value for name, value in parse_cookie(header).items() if "\0" not in value}
