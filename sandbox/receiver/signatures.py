"""Checking Standard Webhooks signatures the way a receiver does, independent of the code that signs."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime

TOLERANCE_SECONDS = 300


def check(secrets: Iterable[str], headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """ "ok", "not checked" without secrets, or what is wrong. Header names are lower case."""
    keys = [key_of(secret) for secret in secrets if secret]
    if not keys:
        return "not checked"
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    event_id, timestamp, signature = (headers.get(name, "") for name in names)
    if not (event_id and timestamp and signature):
        return "missing"
    if not timestamp.isdigit() or abs(now.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        return "wrong time"
    signed = f"{event_id}.{timestamp}.".encode() + body
    expected = {base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode() for key in keys}
    given = [part.removeprefix("v1,") for part in signature.split(" ") if part.startswith("v1,")]
    return "ok" if any(hmac.compare_digest(a, b) for a in given for b in expected) else "wrong"


def key_of(secret: str) -> bytes:
    """`whsec_` and base64 is a Standard Webhooks secret; anything else is used as its UTF-8 bytes."""
    if secret.startswith("whsec_"):
        try:
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            pass
    return secret.encode()
