"""What people may do with the webhook secret of connections: rotate it, and end the old ones early."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from connections.forms import new_secret
from connections.models import Circuit, Connection, RetiredSecret, Side
from connections.webhook_rotation import MOST_HOURS, rotate, usual_overlap
from core.admin.actions import Act, ActForm, Report
from sync.admin.connections.health import signs_until
from sync.deliveries.wake import wake


class OverlapForm(ActForm):
    overlap_hours = forms.IntegerField(
        label=gettext_lazy("Hours the old secret signs on"),
        min_value=0,
        max_value=MOST_HOURS,
        initial=lambda: int(usual_overlap().total_seconds() // 3600),
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=gettext_lazy("For so long both sign. 0 ends the old one at once, as after a leak."),
    )


def _rotate(request: HttpRequest, rows: list[Connection], values: dict[str, Any]) -> Report:
    now, overlap = timezone.now(), timedelta(hours=values["overlap_hours"])
    for row in rows:
        secret = new_secret()
        rotate(row, secret, overlap=overlap, by=request.user.get_username(), now=now)
        # The receiver's owner has to be told, and only now can anybody do it.
        said = _("A webhook secret was made for “%s”. Give it to the receiver now, it is not shown again: ")
        messages.warning(request, said % row.name + secret)
    Circuit.objects.filter(connection__in=rows, side=Side.WEBHOOK).reset()
    wake([row.pk for row in rows], now)
    return Report(rows, signs_until(now + overlap) if overlap else _("The old webhook secret signs no more."))


def _end_overlap(request: HttpRequest, rows: list[Connection], values: dict[str, Any]) -> Report:
    old = RetiredSecret.objects.filter(connection__in=rows)
    ids = set(old.values_list("connection_id", flat=True))
    able = [row for row in rows if row.pk in ids]
    old.delete()
    said = ngettext(
        "%s connection signs with its new secret only.",
        "%s connections sign with their new secrets only.",
        len(able),
    )
    left = len(rows) - len(able)
    why = ngettext("%s connection had no old secret.", "%s connections had no old secret.", left)
    return Report(able, said % len(able) if able else "", [why % left] if left else [])


ROTATE = Act(
    name="rotate_secret",
    title=gettext_lazy("Rotate webhook secret"),
    icon="key",
    permission="connections.rotate_secret",
    run=_rotate,
    question=gettext_lazy(
        "Makes a new webhook secret and shows it once. The old one signs beside it for a while, "
        "so that nothing is refused while the receiver changes over."
    ),
    form=OverlapForm,
    confirm_many=True,
    limit=20,
)
END_OVERLAP = Act(
    name="end_old_secrets",
    title=gettext_lazy("End old webhook secrets"),
    icon="key_off",
    permission="connections.rotate_secret",
    run=_end_overlap,
    question=gettext_lazy(
        "From now on only the newest webhook secret signs. Do it once the receiver knows the new one."
    ),
    offered=lambda row: row.retired_secrets.exists(),
)
