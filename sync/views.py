"""POST /nudge/<token>/: an order was confirmed, look now. Nothing in the request is believed or kept."""

from __future__ import annotations

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from sync.polling.nudge import nudge as take_nudge

BODY_LIMIT = 64 * 1024  # Odoo's webhook sends the chosen fields of one record; we read none of it
DIGITS = 9  # of a length that is worth reading


@csrf_exempt
def nudge(request: HttpRequest, token: str) -> HttpResponseBase:
    """202 for every token, known or not: the answer must not tell which ones exist."""
    if request.method != "POST":
        return _answer({"error": "Send a POST request."}, 405, Allow="POST")
    if _announced(request) > BODY_LIMIT:
        return _answer({"error": "The body is too large: none is needed."}, 413)
    try:
        take_nudge(token, timezone.now())
    except DatabaseError:
        return _answer({"error": "Not now. Polling goes on by its own clock."}, 503)
    return _answer({"status": "ok"}, 202)


def _announced(request: HttpRequest) -> int:
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isdecimal() and len(text) <= DIGITS else BODY_LIMIT + 1


def _answer(content: dict[str, str], status: int, **headers: str) -> JsonResponse:
    response = JsonResponse(content, status=status, headers=headers)
    response._has_been_logged = True  # type: ignore[attr-defined] # the log would name the path, thus the token
    return response
