"""Pausing and resuming a connection, one side or both: with a reason, a name, and an end if one is wanted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminSelectWidget

from connections.limits import plausible
from connections.models import Circuit, Connection, Side, pause, resume
from core.admin.actions import Act, ActForm, ReasonForm, Report
from core.admin.base import MomentInput, exactly
from sync.deliveries.wake import wake

BOTH = "both"
SIDES: dict[str, tuple[str, ...]] = {BOTH: tuple(Side.values), **{side: (side,) for side in Side.values}}
SIDE_CHOICES = [
    (BOTH, gettext_lazy("Both: nothing is read, nothing is sent")),
    (Side.ODOO.value, gettext_lazy("Odoo: nothing is read")),
    (Side.WEBHOOK.value, gettext_lazy("Receiver: nothing is sent, orders are kept")),
]
RESUME_CHOICES = [
    (BOTH, gettext_lazy("Everything that is paused")),
    (Side.ODOO.value, gettext_lazy("Odoo")),
    (Side.WEBHOOK.value, gettext_lazy("Receiver")),
]


class PauseForm(ReasonForm):
    """Which side, why, and until when; empty is until somebody resumes it."""

    side = forms.ChoiceField(
        label=gettext_lazy("Side"),
        choices=SIDE_CHOICES,
        initial=BOTH,
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    until = forms.DateTimeField(
        label=gettext_lazy("Until"),
        required=False,
        validators=[plausible],
        widget=MomentInput,
        help_text=gettext_lazy("Empty: until somebody resumes it."),
    )
    field_order = ("side", "reason", "until")

    def clean_until(self) -> datetime | None:
        until: datetime | None = self.cleaned_data["until"]
        if until is not None and until <= timezone.now():
            raise forms.ValidationError(_("That is over already: choose a later moment, or leave it empty."))
        return until


class ResumeForm(ActForm):
    side = forms.ChoiceField(
        label=gettext_lazy("Side"),
        choices=RESUME_CHOICES,
        initial=BOTH,
        required=False,
        widget=UnfoldAdminSelectWidget,
    )


def _pause(request: HttpRequest, rows: list[Connection], values: dict[str, Any]) -> Report:
    now, sides = timezone.now(), SIDES[values.get("side") or BOTH]
    resting = _paused(rows, now, sides=sides)
    able = [row for row in rows if row.pk not in resting]
    until = values.get("until")
    for side in sides:  # one that is paused already keeps its reason
        awake = [row for row in able if row.pk not in _paused(able, now, sides=(side,))]
        by = request.user.get_username()
        pause(awake, by=by, reason=values["reason"], sides=(side,), until=until)
    said = ngettext("%s connection is paused.", "%s connections are paused.", len(able))
    why = ngettext("%s connection was paused already.", "%s connections were paused already.", len(resting))
    changed = {row.pk: _change_in_words(sides, until) for row in able}
    left = [why % len(resting)] if resting else []
    return Report(able, said % len(able) if able else "", left, changed)


def _resume(request: HttpRequest, rows: list[Connection], values: dict[str, Any]) -> Report:
    now, sides = timezone.now(), SIDES[values.get("side") or BOTH]
    paused = Circuit.objects.filter(connection__in=rows, side__in=sides, paused_at__isnull=False)
    resting = set(paused.values_list("connection_id", flat=True))
    able = [row for row in rows if row.pk in resting]
    resume(able, sides=sides)
    wake([row.pk for row in able], now)
    said = ngettext("%s connection goes on.", "%s connections go on.", len(able))
    left = len(rows) - len(able)
    why = ngettext("%s connection was not paused.", "%s connections were not paused.", left)
    changed = {row.pk: _change_in_words(sides, None) for row in able}
    return Report(able, said % len(able) if able else "", [why % left] if left else [], changed)


def _change_in_words(sides: tuple[str, ...], until: datetime | None) -> str:
    """For the history: which sides, and until when."""
    names = " + ".join(str(Side(side).label) for side in sides)
    return names if until is None else _("%(sides)s, until %(at)s") % {"sides": names, "at": exactly(until)}


def _paused(rows: list[Connection], now: datetime, *, sides: tuple[str, ...]) -> set[int]:
    """Those of which every one of these sides is paused."""
    paused = Circuit.objects.paused(now).filter(connection__in=rows, side__in=sides)
    found = list(paused.values_list("connection_id", flat=True))
    return {pk for pk in found if found.count(pk) == len(sides)}


def _sides_paused(row: Connection) -> int:
    now = timezone.now()
    return sum(circuit.is_paused(now) for circuit in row.circuits.all())


PAUSE = Act(
    name="pause",
    title=gettext_lazy("Pause"),
    icon="pause",
    permission="connections.pause_connection",
    run=_pause,
    question=gettext_lazy(
        "Nothing is lost: what comes meanwhile waits, and goes out at its usual pace afterwards."
    ),
    form=PauseForm,
    confirm_many=True,
    offered=lambda row: _sides_paused(row) < len(Side),
)
RESUME = Act(
    name="resume",
    title=gettext_lazy("Resume"),
    icon="play_arrow",
    permission="connections.pause_connection",
    run=_resume,
    question=gettext_lazy("Reads from Odoo and sends again, beginning with what has been waiting."),
    form=ResumeForm,
    offered=lambda row: _sides_paused(row) > 0,
)
