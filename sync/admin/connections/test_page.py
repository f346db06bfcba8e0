"""The test of a connection, stage by stage while the poller does it; the last one stays to be read."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from connections.errors import SecretUnreadable
from connections.models import Connection
from core.admin.base import exactly, page, pretty
from core.admin.plain_values import BIGGEST_KEY
from core.admin.staged_test import shown
from core.models import StagedTest
from sync.connection_test.on_request import ask_saved, ask_unsaved
from sync.models import ConnectionTest, UnsavedTest


def testing_page(model_admin: Any, request: HttpRequest, row: Connection) -> HttpResponse:
    """GET shows the last result, or how far it is; POST asks for a test, or joins the one under way."""
    if request.method != "POST":
        return _show(model_admin, request, row)
    if not ask_saved(row.pk, by=request.user.get_username(), now=timezone.now()):
        messages.info(request, _("This connection is being tested already: here is that test."))
    return HttpResponseRedirect(request.path)


def testing_part(request: HttpRequest, number: int) -> HttpResponse:
    """What changes while it is tested, for the page to renew."""
    if number > BIGGEST_KEY:
        raise Http404
    return _part(request, ConnectionTest.objects.filter(pk=number).first(), _part_of(number))


def trying(form: Any, request: HttpRequest) -> HttpResponse:
    """Has what is typed in a form tested before it is saved; the answer is a part that renews itself."""
    if not form.is_valid():
        return HttpResponse(_gaps(form))
    connection = form.save(commit=False)
    connection.settle_ids()
    number, key = connection.pk, _key(request, connection.pk)
    try:
        is_new = ask_unsaved(key, connection, by=request.user.get_username(), now=timezone.now())
    except SecretUnreadable as error:
        return HttpResponse(_gap(str(error)))
    joined = _("What was typed before is still being tested. Press again when that has ended.")
    return trying_part(request, number, note="" if is_new else joined)


def trying_part(request: HttpRequest, number: int | None = None, *, note: str = "") -> HttpResponse:
    """How far the test of what this person typed is."""
    test = UnsavedTest.objects.filter(pk=_key(request, number)).first()
    name = "connections_connection_try_part" if number else "connections_connection_try_new_part"
    return _part(request, test, reverse(f"admin:{name}", args=[number] if number else []), note=note)


def _key(request: HttpRequest, number: int | None) -> str:
    """One test of what is typed for each person and form."""
    return f"{request.user.pk}:{number or 'new'}"


def _part_of(number: int) -> str:
    return reverse("admin:connections_connection_test_part", args=[number])


def _part(request: HttpRequest, test: StagedTest | None, address: str, *, note: str = "") -> HttpResponse:
    if test is None:
        return HttpResponse()
    context = shown(test, part=address) | {"note": note}
    return HttpResponse(render_to_string("admin/connection_test_progress.html", context, request))


def _gaps(form: Any) -> str:
    named = [
        (form.fields[name].label if name in form.fields else "", errors)
        for name, errors in form.errors.items()
    ]
    return render_to_string("admin/connections/reconciliation_gaps.html", {"gaps": named})


def _gap(sentence: str) -> str:
    return render_to_string("admin/connections/reconciliation_gaps.html", {"gaps": [("", [sentence])]})


def _show(model_admin: Any, request: HttpRequest, row: Connection) -> HttpResponse:
    last = ConnectionTest.objects.filter(connection=row).first()
    sees_all = request.user.has_perm("sync.view_payload")
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Test of %s") % row.name,
        "original": row,
        "opts": model_admin.opts,
        "connection": row,
        "address": page(row),
        "last": last,
        "when": exactly(last.finished_at or last.started_at) if last else "",
        "preview": pretty(last.preview) if last and last.preview and sees_all else "",
        **(shown(last, part=_part_of(row.pk)) if last else {}),
    }
    return TemplateResponse(request, "admin/connections/test_page.html", context)
