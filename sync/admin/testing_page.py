"""The test of a connection, stage by stage while it runs; the last one stays to be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from connections.diagnosis import explain
from connections.models import Connection
from sync.admin.desk import exactly, page, pretty
from sync.models import ConnectionTest
from sync.previewing import preview
from sync.testing import Stage, run_test

Row = dict[str, Any]
ODOO_STAGES_END = "The receiver"


def testing_page(desk: Any, request: HttpRequest, row: Connection) -> HttpResponseBase:
    """GET shows the last result; POST tests, and answers with stage after stage as they are done."""
    if request.method == "POST":
        return _streamed(_run(request, row))
    return _show(desk, request, row)


def trying(form: Any) -> HttpResponseBase:
    """Tests what is typed in a form before it is saved; nothing is kept. Stage after stage, as above."""
    if not form.is_valid():
        return HttpResponse(_gaps(form))
    connection = form.save(commit=False)
    connection.settle_ids()
    connection.pk = connection.pk or 0  # no row yet: it has no old secrets
    return _streamed(_run_unsaved(connection))


def _run_unsaved(connection: Connection) -> Iterator[str]:
    stages: list[Row] = []
    for stage, __ in _stages(connection):
        stages.append(stage)
        yield _piece(stage)
    yield render_to_string("admin/desk/test_end.html", {"verdict": _verdict(stages)})


def _gaps(form: Any) -> str:
    named = [
        (form.fields[name].label if name in form.fields else "", errors)
        for name, errors in form.errors.items()
    ]
    return render_to_string("admin/desk/gaps.html", {"gaps": named})


def _streamed(pieces: Iterator[str]) -> StreamingHttpResponse:
    pieces = _in_language(translation.get_language(), pieces)
    response = StreamingHttpResponse(pieces, content_type="text/html; charset=utf-8")
    response.headers["Content-Encoding"] = "identity"  # compressed, it would come all at once
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _show(desk: Any, request: HttpRequest, row: Connection) -> HttpResponse:
    last = ConnectionTest.objects.filter(connection=row).first()
    sees_all = request.user.has_perm("sync.view_payload")
    context = {
        **desk.admin_site.each_context(request),
        "title": _("Test of %s") % row.name,
        "original": row,
        "opts": desk.opts,
        "connection": row,
        "address": page(row),
        "last": last,
        "when": exactly(last.finished_at or last.started_at) if last else "",
        "stages": [_told(stage) for stage in last.stages] if last else [],
        "verdict": _verdict(last.stages) if last and last.finished_at else None,
        "preview": pretty(last.preview) if last and last.preview and sees_all else "",
    }
    return TemplateResponse(request, "admin/desk/test_page.html", context)


def _in_language(language: str, pieces: Iterator[str]) -> Iterator[str]:
    """The request is over, and its language with it, when the pieces are made."""
    with translation.override(language):
        yield from pieces


def _run(request: HttpRequest, row: Connection) -> Iterator[str]:
    """HTML of each stage. What was found so far is kept even when nobody waits for the rest."""
    now, by = timezone.now(), request.user.get_username()
    fresh = {"started_at": now, "asked_by": by, "finished_at": None, "stages": [], "preview": None}
    test, __ = ConnectionTest.objects.update_or_create(connection_id=row.pk, defaults=fresh)
    for stage, body in _stored(test):
        test.stages.append(stage)
        test.preview = body or test.preview
        test.save(update_fields=["stages", "preview"])
        yield _piece(stage)
    test.finished_at = timezone.now()
    test.save(update_fields=["finished_at"])
    verdict = _verdict(test.stages)
    LogEntry.objects.log_actions(
        user_id=request.user.pk,  # type: ignore[arg-type]  # nobody gets here without signing in
        queryset=[row],
        action_flag=CHANGE,
        change_message=_("Test connection") + f": {verdict['title']}",
    )
    yield render_to_string("admin/desk/test_end.html", {"verdict": verdict})


def _stored(test: ConnectionTest) -> Iterator[tuple[Row, bytes | None]]:
    """The stages of a connection as it is stored, its secrets with it."""
    try:
        connection = Connection.objects.get(pk=test.connection_id)
        yield from _stages(connection)
    except ImproperlyConfigured as error:
        yield _kept(Stage("The secrets can be read", False, "unknown", str(error))), None


def _stages(connection: Connection) -> Iterator[tuple[Row, bytes | None]]:
    """Odoo, the preview where Odoo works, the receiver."""
    odoo_works = True
    for stage in run_test(connection, now=timezone.now()):
        row = _kept(stage)
        if odoo_works and row["name"].startswith(ODOO_STAGES_END):
            step, body = preview(connection, now=timezone.now())
            yield _kept(step), body
            odoo_works = False  # asked once
        odoo_works = odoo_works and stage.ok is not False
        yield row, None


def _piece(stage: Row) -> str:
    return render_to_string("admin/desk/stage.html", {"stage": _told(stage)})


def _kept(stage: Stage) -> Row:
    with translation.override("en"):  # kept as it is in the code, shown in the reader's language
        name = str(stage.name)
    return {
        "name": name,
        "ok": stage.ok,
        "code": stage.code,
        "detail": stage.detail[:500],
        "seconds": stage.seconds,
    }


def _told(stage: Row) -> Row:
    cause = explain(stage["code"]) if stage["code"] else None
    return stage | {"name": translation.gettext(stage["name"]), "cause": cause}


def _verdict(stages: list[Row]) -> dict[str, Any]:
    if not stages or any(stage["ok"] is False for stage in stages):
        return {"kind": "bad", "icon": "error", "title": _("It does not work yet")}
    if any(stage["ok"] is None for stage in stages):
        return {"kind": "warn", "icon": "warning", "title": _("It works, but look at the warnings")}
    return {"kind": "good", "icon": "check_circle", "title": _("Everything works")}
