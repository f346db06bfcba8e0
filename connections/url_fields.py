"""What may be typed as an address, and what is refused with which sentence. Pure: text in, text out."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from connections.plain_text import require_plain

WHITE_OR_CONTROL = re.compile(r"[\s\x00-\x1f\x7f]")
HOST = re.compile(r"^(\[[0-9a-f:.]+\]|[\w.-]+)$", re.IGNORECASE)


def odoo_address(text: str) -> str:
    """`scheme://host[:port]` of an Odoo server; raises ValidationError with a sentence that helps."""
    parts = _split(text)
    server = f"{parts.scheme.lower()}://{parts.netloc.lower()}"
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValidationError(
            _("Only the address of the server is wanted, nothing after it. Try: %(server)s"),
            code="not_only_server",
            params={"server": server},
        )
    return server


def webhook_address(text: str) -> str:
    """An address that orders are posted to, path and query allowed; raises ValidationError."""
    parts = _split(text)
    if parts.fragment:
        raise ValidationError(
            _("Leave out the part after “#”: it never reaches a server."), code="has_fragment"
        )
    return parts._replace(scheme=parts.scheme.lower(), netloc=parts.netloc.lower()).geturl()


def _split(text: str) -> SplitResult:
    text = text.strip()
    if WHITE_OR_CONTROL.search(text):
        raise ValidationError(_("An address has no spaces or line breaks in it."), code="has_spaces")
    require_plain(text)
    if "://" not in text:
        place = re.split(r"[/?#]", text)[0]
        _check_credentials(place)
        raise ValidationError(
            _("Begin with https:// (or http:// in your own network). Try: https://%(text)s"),
            code="no_scheme",
            params={"text": place[:80]},
        )
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _not_an_address() from None
    _check_scheme(parts)
    _check_credentials(parts.netloc)
    place = parts.netloc.rpartition(":")[0] if port is not None else parts.netloc.rstrip(":")
    if not host or not HOST.match(place) or port == 0:
        raise _not_an_address()
    return parts._replace(netloc=f"{place}:{port}" if port is not None else place)


def _check_scheme(parts: SplitResult) -> None:
    if parts.scheme.lower() not in ("http", "https"):
        raise ValidationError(
            _("Only addresses that begin with https:// or http:// work, not %(scheme)s://."),
            code="wrong_scheme",
            params={"scheme": parts.scheme},
        )


def _check_credentials(place: str) -> None:
    if "@" in place:
        raise ValidationError(
            _("Leave out the user name and password before the “@”: an address is shown in lists and logs."),
            code="has_credentials",
        )


def _not_an_address() -> ValidationError:
    # Without the text: there may be a password in it, or a path that only the receiver knows.
    return ValidationError(
        _("This is not an address. One looks like https://shop.example.com or https://10.0.0.5:8069."),
        code="not_an_address",
    )
