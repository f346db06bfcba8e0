"""The pages of alerts: who is told, and what there was to tell."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldBooleanSwitchWidget,
)

from connections.causes import NEVER_SENT, explain
from connections.forms import NOT_VERIFIED
from connections.secrets.fields import Secret
from connections.secrets.webhook_secret import form_problem
from connections.url_fields import webhook_address
from core.admin.actions import Act, Report, acts
from core.admin.base import OfConnectionAdmin, PollerAdmin, badge, cause, column, explained, moment
from core.admin.filters import ConnectionFilter
from core.admin.staged_test import stage_list
from core.connections.form import ConnectionPageForm, warned_of
from core.models import Alert, AlertChannel, AlertKind, ChannelTest

CAUSES = (
    "webhook_circuit_open",
    "odoo_circuit_open",
    "poll_overdue",
    "delivery_overdue",
    "polls_fail",
    "items_need_a_person",
    *NEVER_SENT,
    "question_another_database",
    "question_disappeared",
    "question_old_orders",
    "receiver_gone",
    "receiver_rate_limited",
    "odoo_key_expires_soon",
    "odoo_own_documents_only",
    "odoo_company_not_visible",
    "odoo_no_sales_rights",
    "odoo_orders_hidden",
    "odoo_orders_seen_late",
    "odoo_went_back",
    "odoo_neutralized",
    "odoo_clock_skew",
    "same_source_twice",
    "reconciliation_found",
    "reconciliation_repaired",
    "reconciliation_failed",
    "deep_check_failed",
    "leases_not_returned",
    "scheduled_work_fails",
    "poller_silent",
    "disk_full_soon",
    "foreign_schedule",
    "alert_channel_fails",
)
KEEP = gettext_lazy("Stored. Leave it empty to keep it.")


class ChannelForm(forms.ModelForm):  # type: ignore[type-arg]
    """What is stored of address and secret is not shown: both may let anybody write to the channel."""

    target = forms.CharField(
        label=gettext_lazy("Address"),
        required=False,
        widget=UnfoldAdminPasswordWidget,
        help_text=gettext_lazy(
            "Slack: the address of an incoming webhook. E-mail: one address or several, separated by commas. "
            "Webhook: where to post the JSON."
        ),
    )
    secret = forms.CharField(
        label=gettext_lazy("Signing secret"),
        required=False,
        widget=UnfoldAdminPasswordWidget,
        help_text=gettext_lazy("Only for a webhook: it is then signed as orders are (Standard Webhooks)."),
    )
    legacy_secret = forms.BooleanField(
        label=gettext_lazy("Legacy secret"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=gettext_lazy("Takes a secret that is not “whsec_” and 24 to 64 bytes in base64, as it is."),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        choices=[("en", gettext_lazy("English")), ("es", gettext_lazy("Spanish"))],
        widget=UnfoldAdminSelectWidget,
    )
    causes = forms.MultipleChoiceField(
        label=gettext_lazy("Only these causes"),
        required=False,
        choices=lambda: [(code, explain(code).title) for code in CAUSES],
        widget=UnfoldAdminSelectMultipleWidget,
        help_text=gettext_lazy("None chosen: all of them."),
    )

    class Meta:
        model = AlertChannel
        fields = [
            "name",
            "enabled",
            "kind",
            "language",
            "causes",
            "window_minutes",
            "remind_hours",
            "digest_minutes",
            "quiet_from",
            "quiet_to",
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None and "target" in self.fields:
            self.fields["target"].widget.attrs["placeholder"] = KEEP
        if "secret" in self.fields:
            self.fields["secret"].widget.attrs |= warned_of(ConnectionPageForm.legacy_hint)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        try:
            values["target"] = self._target(values.get("kind", ""), values.get("target", "").strip())
        except ValidationError as error:
            self.add_error("target", error)
        if values.get("kind") == AlertKind.WEBHOOK:
            self._require_standard(values)
        if bool(values.get("quiet_from")) != bool(values.get("quiet_to")):
            self.add_error("quiet_to", _("Give both, when the quiet hours begin and when they end."))
        # What is left empty stays as it is stored: the form must not write the emptiness into the row.
        return {name: value for name, value in values.items() if value or name not in ("target", "secret")}

    def _require_standard(self, values: dict[str, Any]) -> None:
        secret = values.get("secret")
        problem = form_problem(secret) if secret and not values.get("legacy_secret") else ""
        if problem:
            self.add_error("secret", f"{problem} {NOT_VERIFIED} {ConnectionPageForm.legacy_hint}")

    def _target(self, kind: str, text: str) -> str:
        if not text and (self.instance.pk is None or "kind" in self.changed_data):
            raise ValidationError(_("Give the address of the channel."))
        if kind == AlertKind.EMAIL:
            for address in text.split(",") if text else []:
                validate_email(address.strip())
            return text
        return webhook_address(text) if text else ""

    def save(self, commit: bool = True) -> AlertChannel:
        for name in ("target", "secret"):
            if text := self.cleaned_data.get(name):
                setattr(self.instance, name, Secret(text))
        saved: AlertChannel = super().save(commit)
        return saved


def _test(request: HttpRequest, rows: list[AlertChannel], values: dict[str, Any]) -> Report:
    """Written down here, done by the poller: what came of it stands on the page of the channel."""
    now, by = timezone.now(), request.user.get_username()
    asked = [row for row in rows if ChannelTest.objects.ask({"channel_id": row.pk}, by=by, now=now)]
    said = ngettext(
        "%s channel is tested in the background. Its page shows what comes of it.",
        "%s channels are tested in the background. The page of each shows what comes of it.",
        len(asked),
    )
    joined = len(rows) - len(asked)
    why = ngettext("%s channel is being tested already.", "%s channels are being tested already.", joined)
    return Report(asked, said % len(asked) if asked else "", [why % joined] if joined else [])


TEST_ALERT = Act(
    name="test_alert",
    title=gettext_lazy("Send a test"),
    icon="campaign",
    permission="core.change_alertchannel",
    run=_test,
    question=gettext_lazy("Sends one message that says it is a test, whatever the hour."),
    limit=10,
    by_poller=True,
)


@admin.register(AlertChannel)
@acts(TEST_ALERT)
class AlertChannelAdmin(PollerAdmin):
    form = ChannelForm
    list_display = ["name", "kind", "enabled", "told", "trouble"]
    search_fields = ["name"]
    fieldsets = [
        (None, {"fields": ["name", "enabled", "kind", "target", "secret", "legacy_secret", "language"]}),
        (gettext_lazy("What is told"), {"fields": ["causes"]}),
        (
            gettext_lazy("How often"),
            {"fields": ["window_minutes", "remind_hours", "digest_minutes", "quiet_from", "quiet_to"]},
        ),
    ]
    readonly_fields = ["tested"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AlertChannel]:
        rows: QuerySet[AlertChannel] = super().get_queryset(request)
        return rows.select_related("state", "last_test").defer("target", "secret")

    def get_fieldsets(self, request: HttpRequest, obj: AlertChannel | None = None) -> Any:
        if obj is None:
            return self.fieldsets
        if self.has_change_permission(request, obj):
            return [*self.fieldsets, (gettext_lazy("Last test"), {"fields": ["tested"]})]
        hidden = ("target", "secret", "legacy_secret")
        shown = [field for field in self.fieldsets[0][1]["fields"] if field not in hidden]
        return [(None, {"fields": shown}), *self.fieldsets[1:]]

    @column(gettext_lazy("told"))
    def told(self, row: AlertChannel) -> SafeString | str:
        state = getattr(row, "state", None)
        return moment(state.told_at) if state else "-"

    @column(gettext_lazy("last test"))
    def tested(self, row: AlertChannel) -> SafeString | str:
        test = getattr(row, "last_test", None)
        return stage_list(test) if test else "-"

    @column(gettext_lazy("trouble"))
    def trouble(self, row: AlertChannel) -> SafeString | str:
        state = getattr(row, "state", None)
        if state is None or not state.error_code:
            return "-"
        return badge(cause(state.error_code), "danger", title=state.error_detail)


@admin.register(Alert)
class AlertAdmin(OfConnectionAdmin):
    """They come from findings and end with them."""

    list_display = ["what", "of", "number", "began", "ended", "caught_up"]
    list_filter = [("connection", ConnectionFilter)]
    fields = ["of", "error_explained", "number", "since", "ended_at", "caught_up", "notices_told"]
    readonly_fields = ["error_explained", "notices_told"]

    @column(gettext_lazy("connection"), ordering="connection__name")
    def of(self, row: Alert) -> Any:
        return super().of(row) if row.connection else _("the poller itself")

    @column(gettext_lazy("cause"), ordering="code")
    def what(self, row: Alert) -> str:
        return cause(row.code)

    @column(gettext_lazy("cause"))
    def error_explained(self, row: Alert) -> SafeString | str:
        return explained(row.code, row.detail)

    @column(gettext_lazy("since"), ordering="since")
    def began(self, row: Alert) -> SafeString | str:
        return moment(row.since)

    @column(gettext_lazy("ended"), ordering="ended_at")
    def ended(self, row: Alert) -> SafeString | str:
        return moment(row.ended_at) if row.ended_at else badge(_("lasts"), "danger")

    @column(gettext_lazy("told to"))
    def notices_told(self, row: Alert) -> str:
        notices = row.notices.select_related("channel").defer("channel__target", "channel__secret")
        return ", ".join(f"{n.channel.name} ({n.get_kind_display()})" for n in notices[:20]) or "-"
