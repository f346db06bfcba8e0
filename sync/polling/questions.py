"""Ask a person before something improbable that a source says is believed, and act on the answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from connections.forms import HEADER_SAFE
from connections.models import Connection
from sync import ledger
from sync.models import Answer, PollState, Question, QuestionKind

HOLD = "odoo_another_database"


class NotAnAnswer(ValueError):
    """The words say to a person what may be answered, or that it is too late."""


def ask(connection: Connection, kind: QuestionKind, detail: Mapping[str, Any], now: datetime) -> Question:
    """Ask once: an unfinished question of this kind gets the new numbers. An answer that was given counts
    for what was asked: where more is in question now, it has to be given again.
    """
    question, fresh = Question.objects.get_or_create(
        connection=connection, kind=kind, ended_at=None, defaults={"detail": dict(detail), "asked_at": now}
    )
    if not fresh:
        Question.objects.filter(pk=question.pk).update(detail=dict(detail), answer="", answered_at=None)
        question.refresh_from_db()
    return question


def asked_gone(connection: Connection, **which: Any) -> set[int]:
    """The orders that a person was asked about as gone, until a check has announced them."""
    mine = Question.objects.unfinished().filter(connection=connection, kind=QuestionKind.DISAPPEARED)
    return {order_id for question in mine.filter(**which) for order_id in question.detail.get("orders", [])}


def confirmed_gone(connection: Connection) -> set[int]:
    """Those of them that a person has confirmed."""
    return asked_gone(connection, answer=Answer.GONE)


def believed_at(connection: Connection) -> datetime | None:
    """When a person said last that it is the same database; None where nobody did."""
    same = Question.objects.filter(
        connection=connection, kind=QuestionKind.ANOTHER_DATABASE, answer=Answer.SAME
    )
    return same.order_by("-answered_at").values_list("answered_at", flat=True).first()


def end(connection: Connection, kind: QuestionKind, now: datetime) -> None:
    """Close a question: its work is done, or its cause has gone by itself."""
    Question.objects.unfinished().filter(connection=connection, kind=kind).update(ended_at=now)


def hold(connection: Connection, detail: Mapping[str, Any], now: datetime) -> None:
    """Read and send nothing more until a person has said which database this is."""
    ask(connection, QuestionKind.ANOTHER_DATABASE, detail, now)
    PollState.objects.filter(connection=connection).update(hold=HOLD)


def look_again(connection: Connection, now: datetime) -> None:
    """The connection was edited: what was asked about another address, database or user is void."""
    asked = Question.objects.open().filter(connection=connection, kind=QuestionKind.ANOTHER_DATABASE).first()
    if asked is None or asked.detail.get("now", {}).get("place") == connection.place:
        return
    end(connection, QuestionKind.ANOTHER_DATABASE, now)
    PollState.objects.filter(connection=connection).exclude(hold="").update(hold="", next_poll_at=now)
    ledger.wake_deliveries([connection.pk], now)


def is_external_id(text: str) -> bool:
    return bool(HEADER_SAFE.match(text))


@transaction.atomic
def answer(question: Question, word: str, *, by: str, now: datetime) -> None:
    """Raises NotAnAnswer. `another` is answered by `copy_as_new`, which needs a name and an id."""
    if word not in question.answers or word == Answer.ANOTHER:
        words = ", ".join(each.value for each in question.answers)
        raise NotAnAnswer(_("This question can be answered with: %s.") % words)
    _take_answer(question, word, by, now)
    {
        Answer.SAME: _same_database,
        Answer.GONE: _they_are_gone,
        Answer.SEND: _send_old_orders,
        Answer.LEAVE: _leave_old_orders,
    }[Answer(word)](question, now)


@transaction.atomic
def copy_as_new(question: Question, *, name: str, external_id: str, by: str, now: datetime) -> Connection:
    """It is another database: a copy of the connection reads it from its own start on.

    The old one is switched off and keeps its ledger. The caller has checked name and id. Raises NotAnAnswer.
    """
    if question.kind != QuestionKind.ANOTHER_DATABASE:
        raise NotAnAnswer(_("Only a question about the database can be answered by a copy."))
    _take_answer(question, Answer.ANOTHER, by, now)
    old = question.connection
    copy = Connection.objects.get(pk=old.pk)
    copy.pk, copy.name, copy.external_id, copy.enabled = None, name, external_id, True
    copy._state.adding = True
    copy.take_own_ids()
    copy.save()
    Connection.objects.filter(pk=old.pk).update(enabled=False)
    _finish(question, now)
    PollState.objects.filter(connection=old).update(hold="")
    PollState.objects.create_missing(now)
    return copy


def _take_answer(question: Question, word: str, by: str, now: datetime) -> None:
    """Two people who answer at one moment: the first counts."""
    waiting = Question.objects.open().filter(pk=question.pk)
    if not waiting.update(answer=word, answered_by=by, answered_at=now):
        raise NotAnAnswer(_("This question has been answered already, or has ended by itself."))


def _finish(question: Question, now: datetime) -> None:
    Question.objects.filter(pk=question.pk).update(ended_at=now)


def _same_database(question: Question, now: datetime) -> None:
    """The ledger stays; what the database says of itself today is what it is known by from now on."""
    believed = question.detail.get("now", {})
    PollState.objects.filter(connection=question.connection_id).update(
        hold="", next_poll_at=now, database=believed
    )
    ledger.wake_deliveries([question.connection_id], now)
    _finish(question, now)


def _they_are_gone(question: Question, now: datetime) -> None:
    """The next check, which is due at once, looks again and announces those that are still gone."""
    check_at_once(question.connection_id, now)


def _send_old_orders(question: Question, now: datetime) -> None:
    ledger.send_held(question.connection_id)
    PollState.objects.filter(connection=question.connection_id).update(has_rereads=True, next_poll_at=now)
    _finish(question, now)


def _leave_old_orders(question: Question, now: datetime) -> None:
    ledger.leave_held(question.connection_id)
    _finish(question, now)


def check_at_once(
    connection_id: int, now: datetime, *, lost_stamp: datetime | None = None, went_back: bool = False
) -> None:
    """Let the next deep check begin now, from its beginning. What a poll saw of it: see PollState."""
    seen: dict[str, datetime | None] = {"lost_stamp": lost_stamp} if lost_stamp else {}
    seen |= {"went_back_at": now, "went_back_to": None} if went_back else {}
    PollState.objects.filter(connection=connection_id).update(deep_check_at=now, deep_after_id=None, **seen)
