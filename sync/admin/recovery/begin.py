"""Where what a poller does begins: a run's rows are frozen and it is written into the history."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin.models import ADDITION, LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from core.admin.base import exactly
from core.admin.poller_notice import warn_without_poller
from sync.models import Run
from sync.repair import recovery


def begin_run(request: HttpRequest, rows: QuerySet[Any], *, kind: str, token: str, **more: Any) -> Run:
    """Freeze the rows, and write it into the history. A run that has them all is joined. Raises TooMany."""
    by = request.user.get_username()
    run = recovery.start(rows, kind=kind, token=token, by=by, now=timezone.now(), **more)
    if run.token != token:
        said = _("This is under way already: %(who)s asked for it, %(when)s. Nothing is done twice.")
        messages.info(request, said % {"who": run.asked_by, "when": exactly(run.asked_at)})
        return run
    warn_without_poller(request)
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
