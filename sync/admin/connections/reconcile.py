"""What people may ask for to be sure: a comparison of a shop with the ledger."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldBooleanSwitchWidget

from connections.models import Connection
from core.admin.actions import Act, ActForm, Report
from sync.repair import reconcile


class ReconcileForm(ActForm):
    """How far back to look, and whether to mend what is found."""

    days = forms.IntegerField(
        label=gettext_lazy("Days to look back"),
        min_value=1,
        max_value=90,
        initial=2,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    repair = forms.BooleanField(
        label=gettext_lazy("Send what is missing or out of date"),
        required=False,
        initial=True,
        widget=UnfoldBooleanSwitchWidget,
    )


def _reconcile(request: HttpRequest, rows: list[Connection], values: dict[str, Any]) -> Report:
    now = timezone.now()
    since, by = now - timedelta(days=values["days"]), request.user.get_username()
    how = {"since": since, "repair": values["repair"], "by": by, "now": now}
    joined = sum(reconcile.ask_or_join(row, **how)[1] for row in rows)
    fresh = len(rows) - joined
    said = ngettext(
        "%s comparison has been asked for. Its progress and result are under Reconciliations.",
        "%s comparisons have been asked for. Their progress and results are under Reconciliations.",
        fresh,
    )
    why = ngettext(
        "%s comparison was asked for before and has not ended: this request joins it.",
        "%s comparisons were asked for before and have not ended: this request joins them.",
        joined,
    )
    return Report(rows, said % fresh if fresh else "", [why % joined] if joined else [])


RECONCILE = Act(
    name="reconcile",
    title=gettext_lazy("Compare with Odoo"),
    icon="compare_arrows",
    permission="sync.reconcile_connection",
    run=_reconcile,
    question=gettext_lazy(
        "Compares every order of the last days in Odoo with what we know: missing, out of date, cancelled, "
        "deleted. Nothing is sent twice."
    ),
    form=ReconcileForm,
    confirm_many=True,
    limit=200,
    by_poller=True,
)
