"""The pages of connections: the list with everybody's health, and the form."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.decorators import action

from connections import same_source
from connections.forms import SECRETS
from connections.models import Circuit, Connection, Side
from connections.warnings import unsafe_choices
from core.admin.actions import acts
from core.admin.base import PollerAdmin, column, two_lines
from core.connections import history
from core.connections.form import ConnectionPageForm
from core.monitoring.admin.findings import finding_context
from sync.admin.connections.actions import POLL, RESET, TEST
from sync.admin.connections.health import (
    backlog,
    circuit_badge,
    health_badge,
    health_block,
    last_poll,
    next_poll,
    signs_until,
)
from sync.admin.connections.nudge import NUDGE
from sync.admin.connections.pause import PAUSE, RESUME
from sync.admin.connections.reconcile import RECONCILE
from sync.admin.connections.rotate_secret import END_OVERLAP, ROTATE
from sync.admin.connections.test_page import testing_page, testing_part, trying, trying_part
from sync.admin.filters import BacklogFilter, HealthStateFilter
from sync.admin.health_labels import with_backlog, with_health_state
from sync.admin.problems import quiet_findings
from sync.deliveries.wake import wake
from sync.models import DeliveryAttempt, RetryItem, SeenOrder, SentOrder, SyncLog
from sync.polling import questions
from sync.repair import language as languages

ODOO_FIELDS = {"odoo_url", "database", "username", "api_key", "company_id", "protocol", "language"}
WEBHOOK_FIELDS = {"webhook_url", "webhook_secret", "send_secret_header"}


NEVER_COPIED = {
    "name",
    "external_id",
    "language_change",
    "legacy_secret",
    "overlap_hours",
    "same_database",
    *SECRETS,
}


def _copied(fields: list[str]) -> list[str]:
    return [name for name in fields if name not in NEVER_COPIED]


@admin.register(Connection)
@acts(
    RESUME,
    RESET,
    more=[POLL, RECONCILE, PAUSE, ROTATE, END_OVERLAP, NUDGE],
    listed=[TEST],
    pages=["test_one"],
)
class ConnectionAdmin(PollerAdmin):
    form = ConnectionPageForm
    list_display = ["title", "health", "polled", "owed", "odoo_circuit", "webhook_circuit", "due"]
    list_display_links = ["title"]
    list_filter = [HealthStateFilter, BacklogFilter, "enabled"]
    show_full_result_count = True
    show_facets = admin.ShowFacets.ALLOW
    search_fields = ["name", "external_id", "odoo_url", "database", "username", "webhook_url"]
    search_help_text = gettext_lazy("Name, id, address, database or user")
    ordering = ["name"]
    change_form_after_template = "admin/connections/try_form.html"
    change_form_outer_before_template = "admin/connections/health.html"
    fieldsets = [
        (gettext_lazy("Shop"), {"fields": ["name", "external_id", "enabled"]}),
        (
            "Odoo",
            {
                "fields": [
                    "odoo_url",
                    "database",
                    "same_database",
                    "username",
                    "api_key",
                    "company_id",
                    "language",
                    "language_change",
                ]
            },
        ),
        (
            gettext_lazy("Receiver"),
            {
                "fields": [
                    "webhook_url",
                    "webhook_secret",
                    "legacy_secret",
                    "overlap_hours",
                    "send_secret_header",
                    "events",
                    "answer_pointer",
                    "answer_value",
                ]
            },
        ),
        (gettext_lazy("First run"), {"fields": ["start", "start_at"]}),
        (
            gettext_lazy("Pace and limits"),
            {
                "classes": ["collapse"],
                "fields": [
                    "poll_interval_seconds",
                    "quiet_interval_seconds",
                    "lookback_seconds",
                    "odoo_calls_per_second",
                    "deliveries_at_once",
                    "deliveries_per_second",
                    "most_disappearances",
                    "most_disappearances_percent",
                    "protocol",
                ],
            },
        ),
    ]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:number>/test/part/", view(self.test_part), name="connections_connection_test_part"),
            path("try/", view(require_POST(self.try_typed)), name="connections_connection_try_new"),
            path("try/part/", view(self.try_part), name="connections_connection_try_new_part"),
            path("<int:number>/try/", view(require_POST(self.try_typed)), name="connections_connection_try"),
            path("<int:number>/try/part/", view(self.try_part), name="connections_connection_try_part"),
            *super().get_urls(),
        ]

    def try_typed(self, request: HttpRequest, number: int | None = None) -> HttpResponseBase:
        """Have what is typed in the form tested, before it is saved."""
        self._require_may_try(request, number)
        row = get_object_or_404(self.get_queryset(request), pk=number) if number else None
        form = self.get_form(request, row, change=row is not None)(request.POST, instance=row)
        return trying(form, request)

    def try_part(self, request: HttpRequest, number: int | None = None) -> HttpResponseBase:
        self._require_may_try(request, number)
        return trying_part(request, number)

    def test_part(self, request: HttpRequest, number: int) -> HttpResponseBase:
        if not (self.has_view_permission(request) and request.user.has_perm(TEST.permission)):
            raise PermissionDenied
        return testing_part(request, number)

    def _require_may_try(self, request: HttpRequest, number: int | None) -> None:
        may = self.has_change_permission(request) if number else self.has_add_permission(request)
        if not (may and request.user.has_perm(TEST.permission)):
            raise PermissionDenied

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A copy begins as the other one is, but its name, its id and its secrets."""
        number = request.GET.get("copy", "")
        row = self.get_object(request, number) if number and self.has_view_permission(request) else None
        if row is None:
            return super().get_changeform_initial_data(request)
        stored = {
            name: getattr(row, name) for options in self.fieldsets for name in _copied(options[1]["fields"])
        }
        return stored | {"name": _("Copy of %s") % row.name}

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may = request.user.has_perm(TEST.permission)
        address = reverse("admin:connections_connection_try_new") if may else ""
        context = {**(extra_context or {}), "try_address": address}
        return super().add_view(request, form_url, context)  # type: ignore[no-any-return]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Connection]:
        rows = super().get_queryset(request).without_secrets()
        rows = with_backlog(with_health_state(rows, timezone.now()))
        return rows.select_related("poll_state").prefetch_related("circuits")

    def get_fieldsets(self, request: HttpRequest, obj: Connection | None = None) -> Any:
        """Who may only look does not even get the stars of a secret; a new connection has no old one."""
        left_out = ["overlap_hours", "same_database", "language_change"] if obj is None else []
        if obj is not None and not self.has_change_permission(request, obj):
            left_out = ["legacy_secret", "overlap_hours", "same_database", "language_change", *SECRETS]
        return [
            (name, options | {"fields": [field for field in options["fields"] if field not in left_out]})
            for name, options in self.fieldsets
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Connection | None = None) -> list[str]:
        state = getattr(obj, "poll_state", None)
        return ["start", "start_at"] if state is not None and state.started_at else []

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        connection = self.get_object(request, object_id)
        block = health_block(connection) if connection else None
        if block:
            block["findings"] = [
                finding_context(finding) for finding in quiet_findings().filter(connection=connection)
            ]
            block["unsafe"] = unsafe_choices(connection)
            if self.has_add_permission(request):
                copied = f"{reverse('admin:connections_connection_add')}?copy={connection.pk}"
                block["links"].append((copied, _("Copy this connection")))
        context = {**(extra_context or {}), "health": block}
        if (
            connection
            and self.has_change_permission(request, connection)
            and request.user.has_perm(TEST.permission)
        ):
            context["try_address"] = reverse("admin:connections_connection_try", args=[connection.pk])
        return super().change_view(request, object_id, form_url, context)  # type: ignore[no-any-return]

    def save_model(self, request: HttpRequest, obj: Connection, form: Any, change: bool) -> None:
        """What was repaired is tried at once: a poll comes next, a side that was changed starts afresh."""
        both_until = form.retire_old_secret(by=request.user.get_username(), now=timezone.now())
        with languages.saving([form], timezone.now()):
            super().save_model(request, obj, form, change)
        if both_until:
            messages.info(request, signs_until(both_until))
        changed = set(form.changed_data)
        sides = [
            side
            for side, fields in ((Side.ODOO, ODOO_FIELDS), (Side.WEBHOOK, WEBHOOK_FIELDS))
            if changed & fields
        ]
        Circuit.objects.filter(connection=obj, side__in=sides).reset()
        questions.look_again(obj, timezone.now())
        wake([obj.pk], timezone.now())
        if changed:
            for sentence in filter(None, [*unsafe_choices(obj), same_source.warning(obj)]):
                messages.warning(request, sentence)
        if form.generated_secret:
            # The one exception to "secrets are never shown": the receiver's owner has to be told.
            said = _(
                "A webhook secret was made for “%s”. Give it to the receiver now, it is not shown again: "
            )
            messages.warning(request, said % obj.name + form.generated_secret)
        if change and "database" in changed and SeenOrder.objects.filter(connection=obj).exists():
            messages.warning(
                request,
                _(
                    "Orders of the former database are known here by their numbers: "
                    "another shop needs a new connection."
                ),
            )

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        if add:
            return super().construct_change_message(request, form, formsets, add)
        return history.change_in_words(form)

    @action(  # type: ignore[untyped-decorator]
        description=gettext_lazy("Test connection"),
        url_path="test",
        permissions=["test"],
        icon="network_check",
    )
    def test_one(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return testing_page(self, request, row)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What goes with a connection, as numbers: a page with a million orders would never open."""
        models: list[Any] = [SeenOrder, SentOrder, RetryItem, DeliveryAttempt, SyncLog]
        counts = {m._meta.verbose_name_plural: m.objects.filter(connection__in=objs).count() for m in models}
        owed = RetryItem.objects.open().filter(connection__in=objs).count()
        if owed:
            counts[_("orders owed, which would never be sent")] = owed
        return [str(obj) for obj in objs], counts, set(), []

    @column(gettext_lazy("connection"), ordering="name")
    def title(self, row: Connection) -> SafeString:
        return two_lines(row.name, f"{row.database} @ {urlsplit(row.odoo_url).netloc}")

    @column(gettext_lazy("health"))
    def health(self, row: Any) -> SafeString:
        return health_badge(row)

    @column(gettext_lazy("last poll"), ordering="poll_state__last_polled_at")
    def polled(self, row: Connection) -> SafeString | str:
        return last_poll(row)

    @column(gettext_lazy("backlog"), ordering="-needs_person")
    def owed(self, row: Any) -> SafeString:
        return backlog(row)

    @column("Odoo")
    def odoo_circuit(self, row: Connection) -> SafeString:
        return circuit_badge(row, Side.ODOO)

    @column(gettext_lazy("receiver"))
    def webhook_circuit(self, row: Connection) -> SafeString:
        return circuit_badge(row, Side.WEBHOOK)

    @column(gettext_lazy("next poll"), ordering="poll_state__next_poll_at")
    def due(self, row: Connection) -> SafeString | str:
        return next_poll(row)
