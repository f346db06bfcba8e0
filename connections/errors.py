"""What can go wrong with a remote side, told by what to do next."""

import re
from datetime import datetime

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _

# What breaks terminals, lines of a log and PostgreSQL: controls, marks of direction, halves of characters.
_HARMFUL = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")


class RemoteError(Exception):
    """A remote side did not do what we asked.

    `code` is a word of the closed list in `connections/causes`; `detail` is at most a few hundred
    characters that are safe to show and to store: never a request, a secret or a traceback.
    """

    def __init__(
        self, code: str, detail: str = "", *, status: int | None = None, retry_at: datetime | None = None
    ) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = _HARMFUL.sub(" ", detail[:500])
        self.status = status
        self.retry_at = retry_at

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}" if self.detail else self.code


class Temporary(RemoteError):
    """Try again later, not before `retry_at` where the remote named a time."""


class Permanent(RemoteError):
    """Trying the same again will not help."""


class SecretUnreadable(Permanent, ImproperlyConfigured):
    """A stored secret has no key in POLLER_ENCRYPTION_KEY; told when it is needed, not when it is loaded."""

    def __init__(
        self,
        code: str = "secret_unreadable",
        detail: str = "",
        *,
        status: int | None = None,
        retry_at: datetime | None = None,
    ) -> None:
        super().__init__(code, detail, status=status, retry_at=retry_at)

    def __str__(self) -> str:
        return _(
            "A stored secret cannot be read with POLLER_ENCRYPTION_KEY. Add the key it was written "
            "with to the list (after the new one), then start again."
        )


class Access(Permanent):
    """Who we are or what we may see was refused: a person has to act in the remote system."""


class Contract(Permanent):
    """The remote answered something we cannot use: a field, a method or a form we count on is missing."""


def on_side(side: str, error: RemoteError) -> RemoteError:
    """The same error, of the same class, with its code told by side: "timeout" becomes "odoo_timeout"."""
    if error.code.startswith(f"{side}_"):
        return error
    return type(error)(
        f"{side}_{error.code}", error.detail, status=error.status, retry_at=error.retry_at
    ).with_traceback(error.__traceback__)


def receiver_code(status: int) -> str:
    """The code of a receiver's answer that is not 2xx."""
    named = {
        401: "receiver_unauthorized",
        403: "receiver_unauthorized",
        407: "receiver_unauthorized",
        404: "receiver_not_found",
        405: "receiver_method_refused",
        408: "receiver_timeout",
        410: "receiver_gone",
        413: "receiver_too_large",
        425: "receiver_timeout",
        429: "receiver_rate_limited",
    }
    if status in named:
        return named[status]
    if 300 <= status < 400:
        return "receiver_redirect"
    return "receiver_refused" if 400 <= status < 500 else "receiver_error"
