"""Where a run begins: its rows are frozen, and it is written into the history."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import ADDITION, LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from sync import recovering
from sync.models import Run


def begin(request: HttpRequest, rows: QuerySet[Any], *, kind: str, token: str, **more: Any) -> Run:
    """Freeze the rows, and write it into the history. Raises TooMany."""
    by = request.user.get_username()
    run = recovering.start(rows, kind=kind, token=token, by=by, now=timezone.now(), **more)
    known = LogEntry.objects.filter(object_id=str(run.pk), content_type__model="run", action_flag=ADDITION)
    if not known.exists():
        said = ": ".join(filter(None, [str(run.get_kind_display()), run.reason]))
        LogEntry.objects.log_actions(
            user_id=request.user.pk,  # type: ignore[arg-type]  # nobody gets here without signing in
            queryset=[run],
            action_flag=ADDITION,
            change_message=said,
        )
    return run
