"""Question: something a source says that is not believed until a person has confirmed it."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from connections.causes import Cause, explain
from connections.models import Connection


class QuestionKind(models.TextChoices):
    """The subject of a question; `CAUSES` has the word of `connections/causes` for each."""

    ANOTHER_DATABASE = "another_database", _("Is this another database?")
    DISAPPEARED = "disappeared", _("Have these orders really gone?")
    OLD_ORDERS = "old_orders", _("Shall these old orders be sent?")


class Answer(models.TextChoices):
    SAME = "same", _("It is the same database under a new name or address")
    ANOTHER = "another", _("It is another database")
    GONE = "gone", _("They are gone: announce them as cancelled")
    SEND = "send", _("Send them")
    LEAVE = "leave", _("Leave them: treat them as from before the start")


ANSWERS: dict[str, tuple[Answer, ...]] = {
    QuestionKind.ANOTHER_DATABASE: (Answer.SAME, Answer.ANOTHER),
    QuestionKind.DISAPPEARED: (Answer.GONE,),
    QuestionKind.OLD_ORDERS: (Answer.SEND, Answer.LEAVE),
}


CAUSES: dict[str, str] = {
    QuestionKind.ANOTHER_DATABASE: "question_another_database",
    QuestionKind.DISAPPEARED: "question_disappeared",
    QuestionKind.OLD_ORDERS: "question_old_orders",
}


class QuestionQuerySet(models.QuerySet["Question"]):
    def open(self) -> QuestionQuerySet:
        """Those that wait for a person."""
        return self.filter(ended_at__isnull=True, answer="")

    def unfinished(self) -> QuestionQuerySet:
        """Those that wait for a person, or for the work that the answer asks for."""
        return self.filter(ended_at__isnull=True)


class Question(models.Model):
    """Workers write `detail` and the moments, people write the answer. At most one of a kind is unfinished.

    `detail` by kind: another_database {"matching", "different", "missing", "before", "now", "place"};
    disappeared {"gone", "covered", "orders": [order ids]}; old_orders {"orders": number, "open": number}.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="questions")
    kind = models.CharField(_("question"), max_length=20, choices=QuestionKind.choices)
    detail: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(_("detail"), default=dict)
    asked_at = models.DateTimeField(_("asked at"))
    answer = models.CharField(_("answer"), max_length=10, choices=Answer.choices, blank=True)
    answered_by = models.CharField(_("answered by"), max_length=150, blank=True)
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    objects = QuestionQuerySet.as_manager()

    class Meta:
        verbose_name = _("question about a source")
        verbose_name_plural = _("questions about sources")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "kind"],
                condition=Q(ended_at__isnull=True),
                name="one_unfinished_question_of_a_kind",
            )
        ]
        permissions = [("answer_question", _("Can answer questions about sources"))]

    def __str__(self) -> str:
        return str(self.get_kind_display())

    @property
    def is_open(self) -> bool:
        return self.ended_at is None and not self.answer

    @property
    def answers(self) -> tuple[Answer, ...]:
        """The answers a person may give."""
        return ANSWERS[self.kind]

    @property
    def summary(self) -> str:
        """The numbers that speak for it, as in "12 / 60"."""
        told = {
            QuestionKind.DISAPPEARED: ("gone", "covered"),
            QuestionKind.OLD_ORDERS: ("orders", "open"),
            QuestionKind.ANOTHER_DATABASE: ("different", "matching"),
        }[QuestionKind(self.kind)]
        return " / ".join(str(self.detail.get(name, 0)) for name in told)

    @property
    def facts(self) -> list[tuple[Any, Any]]:
        """The evidence: a name and a value each."""
        told = self.detail
        if self.kind == QuestionKind.DISAPPEARED:
            return [(_("orders gone"), told.get("gone")), (_("orders checked"), told.get("covered"))]
        if self.kind == QuestionKind.OLD_ORDERS:
            return [(_("old orders"), told.get("orders")), (_("open orders we know"), told.get("open"))]
        before, now = told.get("before", {}), told.get("now", {})
        facts: list[tuple[Any, Any]] = [
            (_("known orders that are the same"), told.get("matching")),
            (_("known orders that differ"), told.get("different")),
            (_("known orders that are not there"), told.get("missing")),
            (_("database known so far"), f"{before.get('database', '')} ({before.get('address', '')})"),
            (_("database found"), f"{now.get('database', '')} ({now.get('address', '')})"),
        ]
        return (
            [*facts, (_("Odoo's own id of the database"), _("differs"))]
            if told.get("uuid_differs")
            else facts
        )

    @property
    def code(self) -> str:
        return CAUSES[self.kind]

    @property
    def cause(self) -> Cause:
        """The question in words, and what to do."""
        return explain(self.code)
