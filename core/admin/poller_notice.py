"""Said where what a page asks for waits for a poller, and none is running."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy

from core.background.heartbeat import is_running

NO_POLLER = gettext_lazy(
    "No poller is running, so this waits. It begins as soon as one is started (manage.py runpoller, or the "
    "service on the server)."
)


def warn_without_poller(request: HttpRequest) -> None:
    """What waits for a poller must not wait in silence."""
    if not is_running(timezone.now()):
        messages.warning(request, str(NO_POLLER))
