"""The flags of addconnection and editconnection, and the questions where a person can answer them."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.management.base import CommandError, CommandParser, OutputWrapper
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connections.forms import KEEP, MALFORMED, NOT_VERIFIED, SECRETS, SEND, ConnectionForm, filled
from connections.models import Connection, Protocol, Start
from core.console.prompts import ask, ask_secret, confirm, is_terminal, secret_from_input

# The form's field -> the flag, its example, and what it is. Asked for in this order.
FLAGS: dict[str, tuple[str, str, Any]] = {
    "name": ("--name", "NAME", gettext_lazy("what you call it")),
    "external_id": ("--connection-id", "ID", gettext_lazy("the id StockMaster knows it by")),
    "odoo_url": ("--url", "URL", gettext_lazy("Odoo's address, such as https://shop.odoo.com")),
    "database": ("--database", "NAME", gettext_lazy("Odoo's database")),
    "username": ("--username", "USER", gettext_lazy("Odoo's user, mostly an e-mail address")),
    "api_key": ("--api-key", "KEY", gettext_lazy("an API key of this user; - reads it from standard input")),
    "webhook_url": ("--webhook-url", "URL", gettext_lazy("where the orders go")),
    "webhook_secret": (
        "--webhook-secret",
        "SECRET",
        gettext_lazy("- reads it from standard input; a new connection without it gets a generated one"),
    ),
    "poll_interval_seconds": ("--interval", "SECONDS", gettext_lazy("between two polls, 5 to 86400")),
    "quiet_interval_seconds": (
        "--quiet-interval",
        "SECONDS",
        gettext_lazy("the same for a shop without orders; '' for no such thing"),
    ),
    "company_id": ("--company", "ID", gettext_lazy("Odoo's number of one company; '' for all")),
    "language": (
        "--language",
        "CODE",
        gettext_lazy("Odoo's code of the language of names, such as es_MX; '' for none (default)"),
    ),
    "events": (
        "--events",
        "LIST",
        gettext_lazy("what the receiver wants, such as confirmed,cancelled (default: all)"),
    ),
    "answer_pointer": (
        "--answer-pointer",
        "POINTER",
        gettext_lazy("JSON pointer to what says in an answer that the order was taken; '' for none"),
    ),
    "answer_value": (
        "--answer-value",
        "VALUE",
        gettext_lazy("what has to stand there: true, 0, ok; an answer without it refuses the order"),
    ),
    "start": ("--start", "WHEN", gettext_lazy("first run: now, all, or a day such as 2026-11-01")),
    "lookback_seconds": ("--lookback", "SECONDS", gettext_lazy("how far each poll looks back")),
    "odoo_calls_per_second": ("--calls-per-second", "N", gettext_lazy("to Odoo; '' for the default")),
    "deliveries_at_once": ("--deliveries-at-once", "N", gettext_lazy("to the receiver, 1 to 64")),
    "most_disappearances": (
        "--most-disappearances",
        "N",
        gettext_lazy("orders that may be gone at once before a person is asked (default: 10)"),
    ),
    "most_disappearances_percent": (
        "--most-disappearances-percent",
        "N",
        gettext_lazy("and the share of them that may be gone (default: 20)"),
    ),
    "deliveries_per_second": (
        "--deliveries-per-second",
        "N",
        gettext_lazy("to the receiver; '' for no limit"),
    ),
}


def add_flags(parser: CommandParser) -> None:
    for field, (flag, metavar, what) in FLAGS.items():
        parser.add_argument(flag, dest=field, metavar=metavar, help=str(what))
    protocols = [str(value) for value in Protocol.values]
    parser.add_argument("--protocol", choices=protocols, help=_("how to talk to Odoo (default: auto)"))
    parser.add_argument(
        "--secret-header",
        dest="send_secret_header",
        action=argparse.BooleanOptionalAction,
        help=_("send the webhook secret in clear too, for receivers that cannot check signatures"),
    )
    parser.add_argument(
        "--legacy-secret",
        action="store_true",
        default=None,
        help=_("take a webhook secret as it is that is not whsec_ and 24 to 64 bytes in base64"),
    )
    switch = parser.add_mutually_exclusive_group()
    switch.add_argument(
        "--disabled", dest="enabled", action="store_false", default=None, help=_("do not poll")
    )
    switch.add_argument("--enabled", dest="enabled", action="store_true", default=None, help=_("poll"))


def add_language_change(parser: CommandParser) -> None:
    """What becomes of orders that the receiver has in the former language."""
    change = parser.add_mutually_exclusive_group()
    change.add_argument(
        "--send-again",
        dest="language_change",
        action="store_const",
        const=SEND,
        help=_("send open orders again in the new language"),
    )
    change.add_argument(
        "--without-sending",
        dest="language_change",
        action="store_const",
        const=KEEP,
        help=_("leave open orders in the former language until they change in Odoo"),
    )


def values_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed, as the form wants it. Secrets given as `-` are read, the API key first."""
    names = [*FLAGS, "protocol", "send_secret_header", "legacy_secret", "enabled"]
    values = {name: options[name] for name in names if options[name] is not None}
    for name in SECRETS:
        if values.get(name) == "-":
            values[name] = secret_from_input(_label(name))
    if "events" in values:
        values["events"] = [_event(word) for word in values["events"].replace(",", " ").split()]
    if "start" in values:
        values |= _start(values["start"])
    return values


def _event(word: str) -> str:
    return word if word.startswith("order.") else f"order.{word}"


def _start(text: str) -> dict[str, str]:
    if text in (Start.NOW, Start.ALL):
        return {"start": text, "start_at": ""}
    return {"start": Start.DATE.value, "start_at": text}


def filled_in(values: dict[str, Any], out: OutputWrapper) -> ConnectionForm:
    """The valid form of a new connection. A person is asked for what is missing or refused.

    Raises CommandError with every sentence of the form where nobody can answer.
    """
    form = filled(None, values)
    while not form.is_valid():
        if not is_terminal() or set(form.errors) - set(FLAGS):
            raise CommandError(problems(form))
        for field, sentences in form.errors.items():
            _ask_again(form, field, sentences, values, out)
        form = filled(None, values)
    return form


def refilled(connection: Connection, values: dict[str, Any], out: OutputWrapper) -> ConnectionForm:
    """The valid form of a stored connection. A person is asked for a secret that a new address needs, and for
    a word on orders in the former language.

    Raises CommandError with every sentence of the form where nobody can answer.
    """
    form = filled(connection, values)
    while not form.is_valid():
        if not is_terminal() or set(form.errors) - {*SECRETS, "same_database", "language_change"}:
            raise CommandError(problems(form))
        for field, sentences in form.errors.items():
            _ask_again(form, field, sentences, values, out)
        form = filled(connection, values)
    return form


def _ask_again(
    form: ConnectionForm, field: str, sentences: Iterable[Any], values: dict[str, Any], out: OutputWrapper
) -> None:
    """For one field that was refused: another value, or a yes to a legacy secret."""
    out.write("\n".join(map(str, sentences)))
    if form.has_error(field, MALFORMED) and confirm(_("Use it all the same?"), otherwise=""):
        values["legacy_secret"] = True
        return
    if field == "same_database":
        if not confirm(_label(field), otherwise=""):
            raise CommandError(_("Nothing was saved."))
        values[field] = True
        return
    if field == "language_change":
        values[field] = ask(
            _("Send them again, or keep them? (%(send)s/%(keep)s)") % {"send": SEND, "keep": KEEP}
        )
        return
    values[field] = ask_secret(_label(field)) if field in SECRETS else ask(_label(field))


def problems(form: ConnectionForm) -> str:
    """Every sentence of an invalid form, each after the flag it is about."""
    lines = [
        f"{_flag(field)}{sentence}" for field, sentences in form.errors.items() for sentence in sentences
    ]
    return "\n".join([_("Nothing was saved:"), *lines])


def legacy_secret_line(name: str, problem: str) -> str:
    """What to say of a secret that was taken as it is."""
    sentence = _("%(name)s: its webhook secret is a legacy one. %(problem)s %(meaning)s")
    return sentence % {"name": name, "problem": problem, "meaning": NOT_VERIFIED}


def _flag(field: str) -> str:
    if field in ("overlap_hours", "same_database"):
        return f"--{field.replace('_', '-')}: "
    if field == "language_change":
        return "--send-again, --without-sending: "
    known = FLAGS.get("start" if field == "start_at" else field)
    return f"{known[0]}: " if known else ""


def _label(field: str) -> str:
    label = str(ConnectionForm.base_fields[field].label)
    return label[:1].upper() + label[1:]
