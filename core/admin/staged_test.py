"""The stages of a test as pages show them: while it waits, while it runs, and what came of it."""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from connections.causes import explain
from core.admin.base import exactly
from core.admin.poller_notice import NO_POLLER
from core.background.heartbeat import is_running
from core.models import StagedTest


def stage_list(test: StagedTest) -> SafeString:
    return SafeString(render_to_string("admin/connection_test_progress.html", shown(test)))


def shown(test: StagedTest, *, part: str = "") -> dict[str, Any]:
    """For `test_part.html`; `part` is where it renews itself from as long as the test is under way."""
    under_way = test.is_under_way(timezone.now())
    return {
        "stages": [_stage_context(stage) for stage in test.stages],
        "under_way": under_way,
        "part": part if under_way else "",
        "waits": _waits(test) if under_way else "",
        "verdict": test.verdict if test.finished_at else None,
        "lost": _lost(test) if not (under_way or test.finished_at) else "",
    }


def _waits(test: StagedTest) -> str:
    if not test.waits:
        return _("The next stage is under way")
    if not is_running(timezone.now()):
        return str(NO_POLLER)
    words = {"who": test.asked_by, "when": exactly(test.started_at)}
    return _("It begins within seconds; two are tested at a time. %(who)s asked for it, %(when)s.") % words


def _lost(test: StagedTest) -> str:
    if test.waits:
        return _("No poller began this test within an hour. Start one, then test again.")
    return _("The test broke off: the poller that did it was stopped. Test again.")


def _stage_context(stage: dict[str, Any]) -> dict[str, Any]:
    cause = explain(stage["code"]) if stage["code"] else None
    return stage | {"name": translation.gettext(stage["name"]), "cause": cause}
