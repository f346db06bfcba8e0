"""Faults of ours to Sentry, where an operator wants that: what broke and where, never with whose data."""

from __future__ import annotations

from typing import Any

import sentry_sdk
from django.core.exceptions import ImproperlyConfigured
from sentry_sdk.types import Event, Hint

# Of a request only what is no secret and no data: the path of a nudge holds its token.
KEPT_OF_REQUEST = ("method",)
# Frames keep where they are; the values of variables and the lines' texts of others stay here.
KEPT_OF_FRAME = ("filename", "function", "module", "lineno", "abs_path", "in_app", "context_line")
DROPPED = ("user", "extra", "breadcrumbs", "server_name", "transaction", "modules")


def begin(dsn: str, *, release: str, environment: str) -> None:
    """From now on unhandled faults and logged errors of this process and its children are reported."""
    try:
        sentry_sdk.init(
            dsn=dsn,
            release=f"odoopoller@{release}",
            environment=environment or "production",
            include_local_variables=False,
            max_request_body_size="never",
            max_breadcrumbs=0,
            traces_sample_rate=0.0,
            before_send=scrubbed,
        )
    except ValueError:  # BadDsn; its words quote the address, which is a secret
        raise ImproperlyConfigured(
            "POLLER_SENTRY_DSN is not a DSN: copy it from the settings of the Sentry project."
        ) from None


def scrubbed(event: Event, hint: Hint) -> Event:
    """The event without anything that a shop, a customer or a receiver could be in."""
    for name in DROPPED:
        event.pop(name, None)  # type: ignore[misc]
    request: dict[str, Any] = dict(event.get("request") or {})
    event["request"] = {name: request[name] for name in KEPT_OF_REQUEST if name in request}
    entry = event.get("logentry")
    if entry:  # the sentence, without what was put into it
        event["logentry"] = {"message": entry.get("message", ""), "params": []}
    for fault in (event.get("exception") or {}).get("values", []):
        fault["value"] = ""  # it may quote an order, an address or an answer
        for frame in (fault.get("stacktrace") or {}).get("frames", []):
            for name in set(frame) - set(KEPT_OF_FRAME):
                del frame[name]
    return event
