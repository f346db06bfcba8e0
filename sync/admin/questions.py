"""Questions about sources: what is hard to believe, with the numbers, and the answers as buttons."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from connections.models import Connection
from core.admin.actions import Act, ActForm, Report, acts
from core.admin.base import OfConnectionAdmin, badge, column, explained, link, listing, moment
from core.admin.filters import ConnectionFilter
from sync.models import Answer, Question, QuestionKind, SeenOrder
from sync.polling import questions

SHOWN = 50


class CopyForm(ActForm):
    """The names of the new connection, here and at StockMaster."""

    name = forms.CharField(
        label=gettext_lazy("Name of the new connection"), max_length=100, widget=UnfoldAdminTextInputWidget
    )
    external_id = forms.CharField(
        label=gettext_lazy("Its external id"),
        max_length=100,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("The id StockMaster knows the new connection by."),
    )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if Connection.objects.filter(name__iexact=name).exists():
            raise forms.ValidationError(
                _("There is another connection of this name. Choose one that differs.")
            )
        return name

    def clean_external_id(self) -> str:
        external_id: str = self.cleaned_data["external_id"]
        if not questions.is_external_id(external_id):
            raise forms.ValidationError(
                _("It travels in a header: only letters without accents, digits and signs, no spaces.")
            )
        if Connection.objects.filter(external_id=external_id).exists():
            raise forms.ValidationError(_("Another connection has this id already."))
        return external_id


def _answer(request: HttpRequest, rows: list[Question], word: Answer) -> Report:
    done, left = [], []
    for row in rows:
        try:
            questions.answer(row, word, by=request.user.get_username(), now=timezone.now())
            done.append(row)
        except questions.NotAnAnswer as error:
            left.append(str(error))
    return Report(done, _("Thank you. The poller acts on it now.") if done else "", left)


def _copy(request: HttpRequest, rows: list[Question], values: dict[str, Any]) -> Report:
    (row,) = rows
    try:
        copy = questions.copy_as_new(
            row,
            name=values["name"],
            external_id=values["external_id"],
            by=request.user.get_username(),
            now=timezone.now(),
        )
    except questions.NotAnAnswer as error:
        return Report(left=[str(error)])
    said = _("“%(new)s” reads this database from now on; “%(old)s” is switched off and keeps its orders.")
    return Report([row], said % {"new": copy.name, "old": row.connection.name})


def _act(word: Answer, icon: str, question: Any) -> Act:
    return Act(
        name=f"answer_{word.value}",
        title=word.label,
        icon=icon,
        permission="sync.answer_question",
        run=lambda request, rows, values: _answer(request, rows, word),
        question=question,
        offered=lambda row: row.is_open and word in row.answers,
    )


SAME = _act(
    Answer.SAME,
    "check",
    gettext_lazy("Reading and sending go on. What is known of its orders stays, and so do their ids."),
)
GONE = _act(
    Answer.GONE,
    "remove_shopping_cart",
    gettext_lazy(
        "Odoo is looked at once more. The receiver is told of the orders that are still gone as cancelled."
    ),
)
SEND = _act(Answer.SEND, "send", gettext_lazy("The receiver gets all of them as confirmed orders."))
LEAVE = _act(
    Answer.LEAVE, "history", gettext_lazy("Nothing is sent of them unless somebody changes them in Odoo.")
)
ANOTHER = Act(
    name="answer_another",
    title=Answer.ANOTHER.label,
    icon="content_copy",
    permission="connections.add_connection",
    run=_copy,
    question=gettext_lazy(
        "A new connection is made as a copy, with a start and ids of its own. This one is switched off and "
        "keeps what it knows."
    ),
    form=CopyForm,
    offered=lambda row: row.is_open and Answer.ANOTHER in row.answers,
)


@admin.register(Question)
@acts(SAME, ANOTHER, GONE, SEND, LEAVE)
class QuestionAdmin(OfConnectionAdmin):
    list_display = ["asked", "of", "kind", "numbers", "state"]
    list_filter = [("connection", ConnectionFilter), "kind"]
    fieldsets = [
        (None, {"fields": ["of", "kind", "words", "table", "orders"]}),
        (
            gettext_lazy("Answer"),
            {"fields": ["state", "answer", "answered_by", "answered_at", "asked_at", "ended_at"]},
        ),
    ]
    readonly_fields = ["words", "numbers", "table", "orders", "state"]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """An answer counts for what is on its page: nobody gives it to a whole list unread."""
        return {}

    @column(gettext_lazy("asked"), ordering="id")
    def asked(self, row: Question) -> SafeString | str:
        return moment(row.asked_at)

    @column(gettext_lazy("numbers"))
    def numbers(self, row: Question) -> str:
        return row.summary

    @column(gettext_lazy("state"))
    def state(self, row: Question) -> SafeString:
        if row.is_open:
            return badge(_("waits for an answer"), "danger")
        if row.ended_at is None:
            return badge(_("answered, being worked on"), "info")
        return badge(_("done") if row.answer else _("ended by itself"), "success")

    @column(gettext_lazy("what it means"))
    def words(self, row: Question) -> SafeString | str:
        return explained(row.code, "")

    @column(gettext_lazy("what speaks for it"))
    def table(self, row: Question) -> SafeString | str:
        return format_html_join("", "<div>{}: {}</div>", row.facts)

    @column(gettext_lazy("orders"))
    def orders(self, row: Question) -> SafeString | str:
        ids = row.detail.get("orders") if row.kind == QuestionKind.DISAPPEARED else None
        if row.kind == QuestionKind.OLD_ORDERS:
            held = SeenOrder.objects.filter(connection=row.connection_id, held=True)
            ids = list(held.order_by("order_id").values_list("order_id", flat=True)[: SHOWN + 1])
        if not isinstance(ids, list) or not ids:
            return "-"
        known = SeenOrder.objects.filter(connection=row.connection_id, order_id__in=ids[:SHOWN])
        names = dict(known.values_list("order_id", "order_name"))
        links = [(_order_link(row, each, names.get(each, f"#{each}")),) for each in ids[:SHOWN]]
        more = " …" if len(ids) > SHOWN else ""
        return format_html("{}{}", format_html_join(", ", "{}", links), more)


def _order_link(row: Question, order_id: int, name: str) -> SafeString:
    return link(listing(SeenOrder, connection__id__exact=row.connection_id, order_id=order_id), name)
