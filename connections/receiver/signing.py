"""The headers of one try: the secret in clear for old receivers, and a Standard Webhooks 1.0.0 signature."""

import base64
import hashlib
import hmac
import re
import secrets as random_source
from collections.abc import Sequence

from connections.secrets.webhook_secret import PREFIX, standard_key

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def signature_headers(
    body: bytes,
    *,
    connection_id: str,
    event_id: str,
    timestamp: int,
    secrets: Sequence[str],
    send_secret_header: bool,
) -> dict[str, str]:
    """Headers for one POST of `body` at `timestamp` (Unix seconds); `secrets`: the valid ones, newest first.

    `connection_id` is the connection's external id. Raises ValueError when there is no secret, or a control
    character in what would stand in a header.
    """
    if not secrets or not all(secrets):
        raise ValueError("A webhook cannot be signed without a secret.")
    headers = {
        "Content-Type": "application/json",
        "X-Odoo-Connection-Id": header_value(connection_id),
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signatures(body, event_id=event_id, timestamp=timestamp, secrets=secrets),
    }
    if send_secret_header:
        headers["X-Webhook-Secret"] = header_value(secrets[0])
    return headers


def signatures(body: bytes, *, event_id: str, timestamp: int, secrets: Sequence[str]) -> str:
    """One "v1,<base64>" for each secret, separated by blanks."""
    message = b"%s.%d.%s" % (event_id.encode(), timestamp, body)
    return " ".join(f"v1,{_hmac(key(secret), message)}" for secret in dict.fromkeys(secrets))


def key(secret: str) -> bytes:
    """The bytes to sign with: what follows `whsec_`, decoded, if that is 24 to 64 bytes; else the text."""
    return standard_key(secret) or secret.encode("utf-8", "surrogatepass")


def new_secret() -> str:
    """A fresh secret in the form receivers know: `whsec_` and base64 of 32 random bytes."""
    return PREFIX + base64.b64encode(random_source.token_bytes(32)).decode()


def header_value(text: str) -> str:
    """The text as it may stand in a header.

    Blanks at the ends mean nothing in a header and go. Beyond Latin-1 a header carries UTF-8 bytes. Raises
    ValueError for control characters: a line end would start another header. The value is not in the message.
    """
    value = text.strip(" \t")
    if _CONTROL.search(value):
        raise ValueError("A header value must not hold control characters or line ends.")
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace").decode("latin-1")
    return value


def _hmac(secret_key: bytes, message: bytes) -> str:
    return base64.b64encode(hmac.new(secret_key, message, hashlib.sha256).digest()).decode()
