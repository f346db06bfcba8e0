"""The address that Odoo calls when an order is confirmed, so that nobody waits for the next poll."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldBooleanWidget

from connections.models import Connection
from core.admin.actions import Act, ActForm, Report
from sync.polling.nudge import nudge_path, renew, token_of


class RenewForm(ActForm):
    renew = forms.BooleanField(
        label=gettext_lazy("Make a new address"),
        required=False,
        widget=UnfoldBooleanWidget,
        help_text=gettext_lazy("The old one does nothing from then on: change it in Odoo too."),
    )


def _show(request: HttpRequest, rows: list[Connection], values: dict[str, Any]) -> Report:
    now, make = timezone.now(), renew if values["renew"] else token_of
    for row in rows:
        address = request.build_absolute_uri(nudge_path(make(row, now)))
        said = _("The nudge address of “%(name)s”: %(address)s") % {"name": row.name, "address": address}
        messages.info(request, said)
    return Report(rows)


NUDGE = Act(
    name="nudge_address",
    title=gettext_lazy("Nudge address"),
    icon="bolt",
    permission="sync.change_nudgetoken",
    run=_show,
    question=gettext_lazy(
        "Shows the address that Odoo calls when an order is confirmed: the connection is then polled within "
        "a second. Whoever knows it can do nothing else with it."
    ),
    form=RenewForm,
    confirm_many=True,
    limit=20,
)
