"""What can go wrong with a remote side, told by what to do next."""

from datetime import datetime


class RemoteError(Exception):
    """A remote side did not do what we asked.

    `code` is a word of the closed list in `connections/diagnosis`; `detail` is at most a few hundred
    characters that are safe to show: never a request, a secret or a traceback.
    """

    def __init__(
        self, code: str, detail: str = "", *, status: int | None = None, retry_at: datetime | None = None
    ) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail[:500]
        self.status = status
        self.retry_at = retry_at

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}" if self.detail else self.code


class Temporary(RemoteError):
    """Try again later, not before `retry_at` where the remote named a time."""


class Permanent(RemoteError):
    """Trying the same again will not help."""


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
