"""What an alert says: one text for people, one JSON for programs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from connections.causes import CAUSES, explain
from connections.plain_text import one_line
from core.models import Alert
from core.monitoring.alerts.rules import Choice

LINES = 20


@dataclass(frozen=True, slots=True)
class Message:
    """`subject` is one line, `lines` are the matters, `data` is all of it for a program."""

    subject: str
    lines: list[str]
    data: dict[str, Any]

    @property
    def text(self) -> str:
        return "\n\n".join([self.subject, *self.lines])


def message_of(choice: Choice, now: datetime) -> Message:
    """In the language that is active."""
    problems = [_problem(alert) for alert in choice.problems]
    problems += [_("Still: ") + _problem(alert) for alert in choice.reminders]
    lines = problems + [_recovered(alert) for alert in choice.recovered]
    shown = lines[:LINES]
    if len(lines) > LINES:
        more = len(lines) - LINES
        shown.append(ngettext("… and %s more: see the admin.", "… and %s more: see the admin.", more) % more)
    return Message(_subject(choice), shown, _data(choice, now))


def test_message(channel_name: str, now: datetime) -> Message:
    said = _("This is a test of the alert channel “%s”. Nothing is wrong.") % one_line(channel_name)
    data = {"event": "alert.test", "at": now.isoformat(), "channel": channel_name}
    return Message(f"{_label()} {_('Test')}", [said], data)


def away_message(host: str, since: datetime, *, over: bool) -> Message:
    """About the database, from memory: nothing can be read while it is away."""
    at = _moment_in_words(since)
    if over:
        subject = _("The database answers again")
        said = _("%(host)s could not reach it since %(at)s. Polling and delivering go on.")
    else:
        subject = _("The database does not answer")
        said = _(
            "%(host)s cannot reach it since %(at)s. See whether it runs and has room on its disk. "
            "Nothing is lost: what waits is sent when it is back."
        )
    event = "alert.recovered" if over else "alert.problem"
    data = {"event": event, "code": "database_away", "since": since.isoformat(), "host": host}
    return Message(f"{_label()} {subject}", [said % {"host": host, "at": at}], data)


def _label() -> str:
    return f"[OdooPoller {settings.ENVIRONMENT}]" if settings.ENVIRONMENT else "[OdooPoller]"


def _subject(choice: Choice) -> str:
    problems, over = len(choice.problems) + len(choice.reminders), len(choice.recovered)
    words = []
    if problems:
        words.append(ngettext("%s problem", "%s problems", problems) % problems)
    if over:
        words.append(ngettext("%s recovered", "%s recovered", over) % over)
    if problems + over == 1:
        alert = [*choice.problems, *choice.reminders, *choice.recovered][0]
        title = explain(alert.code).title
        one = f"{_name(alert)}: {title}"
        return f"{_label()} {one if problems else _('Recovered: ') + one}"
    return f"{_label()} {', '.join(words)}"


def _problem(alert: Alert) -> str:
    cause = explain(alert.code)
    facts = [_("since %s") % _moment_in_words(alert.since)]
    if alert.number:
        facts.append(_("how many: %s") % alert.number)
    elif alert.detail:
        facts.append(str(explain(alert.detail).title) if alert.detail in CAUSES else one_line(alert.detail))
    line = f"{_name(alert)}: {cause.title} ({', '.join(facts)}). {cause.next_step}"
    return f"{line}\n{link_to(alert)}" if link_to(alert) else line


def _recovered(alert: Alert) -> str:
    ended_at = alert.ended_at or alert.seen_at
    words = {
        "name": _name(alert),
        "title": explain(alert.code).title,
        "since": _moment_in_words(alert.since),
        "until": _moment_in_words(ended_at),
    }
    line = _("Recovered: %(name)s: %(title)s, from %(since)s to %(until)s.") % words
    if alert.caught_up:
        caught = ngettext("%s order was delivered since.", "%s orders were delivered since.", alert.caught_up)
        line = f"{line} {caught % alert.caught_up}"
    return line


def _name(alert: Alert) -> str:
    """Without what would end a mail's subject, in names from before the form refused it."""
    return one_line(alert.connection.name) if alert.connection else _("the poller itself")


def _moment_in_words(at: datetime) -> str:
    return timezone.localtime(at).strftime("%Y-%m-%d %H:%M")


def link_to(alert: Alert) -> str:
    """The page in the admin, where its public address is known."""
    if not settings.CSRF_TRUSTED_ORIGINS:
        return ""
    place = reverse("admin:index")
    if alert.connection_id is not None:
        place = reverse("admin:connections_connection_change", args=[alert.connection_id])
    return f"{settings.CSRF_TRUSTED_ORIGINS[0].rstrip('/')}{place}"


def _data(choice: Choice, now: datetime) -> dict[str, Any]:
    problems = [_facts(alert) | {"reminder": False} for alert in choice.problems]
    problems += [_facts(alert) | {"reminder": True} for alert in choice.reminders]
    recovered = [
        _facts(alert)
        | {"ended_at": (alert.ended_at or alert.seen_at).isoformat(), "caught_up": alert.caught_up}
        for alert in choice.recovered
    ]
    return {"event": "alert", "at": now.isoformat(), "problems": problems, "recovered": recovered}


def _facts(alert: Alert) -> dict[str, Any]:
    cause, connection = explain(alert.code), alert.connection
    return {
        "code": alert.code,
        "title": str(cause.title),
        "next_step": str(cause.next_step),
        "connection": connection.name if connection else None,
        "connection_id": connection.external_id if connection else None,
        "detail": alert.detail,
        "number": alert.number,
        "since": alert.since.isoformat(),
        "url": link_to(alert),
    }
