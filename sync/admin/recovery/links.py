"""Where an outage is made whole: addresses of the page with some of it chosen already."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.http import urlencode


def recover_address(**chosen: Any) -> str:
    """`chosen` are fields of the page's form: what, connections, cause, state, since, until."""
    address = reverse("admin:sync_run_recover")
    given = {name: value for name, value in chosen.items() if value not in (None, "")}
    return f"{address}?{urlencode(given, doseq=True)}" if given else address
