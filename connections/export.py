"""Connections as a YAML text and back: configuration, and secrets only encrypted with a key given for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

import orjson
import yaml
from cryptography.fernet import Fernet, InvalidToken
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from connections import export_types
from connections.export_types import Unportable as Unportable
from connections.forms import SECRETS, ConnectionForm, filled
from connections.models import Connection
from connections.plain_text import one_line
from connections.secrets.fields import reveal

FORMAT = 1
LONGEST = 5_000_000  # characters: ten thousand connections with their secrets
MOST_CHARACTERS = 100
FIELDS = [
    field.name
    for field in Connection._meta.concrete_fields
    if field.name not in ("id", "created_at", "updated_at", *SECRETS)
]


@dataclass(frozen=True, slots=True)
class Ported:
    """One connection of the text, checked. `what`: "new", "changed" or "same"."""

    form: ConnectionForm
    what: str

    @property
    def name(self) -> str:
        return str(self.form.cleaned_data["name"])


class PlainLoader(yaml.SafeLoader):
    """YAML without anchors and aliases: with them a short text grows until the memory is full."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "anchor", None) is not None:  # an alias has one, too
            line = event.start_mark.line + 1
            raise Unportable(_("Line %s: anchors and aliases (& and *) are not read, write it out.") % line)
        return super().compose_node(parent, index)


def ring(key: str) -> Fernet:
    try:
        return Fernet(key)
    except ValueError:
        raise Unportable(_("The key is unusable: it is 44 characters of URL-safe base64.")) from None


def dump(connections: Iterable[Connection], key: Fernet | None = None) -> str:
    """YAML of these connections; with `key` their secrets are in it, encrypted."""
    rows = [_row(connection, key) for connection in connections]
    return yaml.safe_dump(
        {"format": FORMAT, "connections": rows}, sort_keys=False, allow_unicode=True, width=100
    )


def check(
    text: str, key: Fernet | None = None, *, answers: Mapping[str, str] = MappingProxyType({})
) -> list[Ported]:
    """What `save` would do with this text. Raises Unportable with every sentence that stands against it.

    `answers` are for the questions that the form of a connection may ask.
    """
    ported, problems = [], []
    for row in _rows(text):
        form, what = _form(row, key, answers)
        if form.is_valid() and "ids_database" in row:
            _take_ids(form, row["ids_database"])
        if form.is_valid():
            ported.append(Ported(form, what))
        else:
            named = [
                f"{name}: {text}" if name != "__all__" else text
                for name, texts in form.errors.items()
                for text in texts
            ]
            name = one_line(str(row.get("name", "?")))
            problems += [f"“{name}”, {sentence}" for sentence in named]
    if problems:
        raise Unportable("\n".join([_("Nothing was imported:"), *problems]))
    return ported


@transaction.atomic
def save(ported: Iterable[Ported], *, by: str, now: datetime) -> list[Connection]:
    """All of them or none."""
    saved = []
    for each in ported:
        if each.what != "same":
            each.form.retire_old_secret(by=by, now=now)
            saved.append(each.form.save())
    return saved


def _row(connection: Connection, key: Fernet | None) -> dict[str, Any]:
    row = {name: _plain(getattr(connection, name)) for name in FIELDS}
    if connection.database_in_ids == connection.database:
        del row["ids_database"]  # whoever copies these lines for another database gets its own
    if key is not None:
        secrets = {name: reveal(getattr(connection, name)).encode() for name in SECRETS}
        row["secrets"] = {name: key.encrypt(secret).decode() for name, secret in secrets.items()}
    return row


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _rows(text: str) -> list[dict[str, Any]]:
    if len(text) > LONGEST:
        raise Unportable(too_long())
    try:
        whole = PlainLoader(text).get_single_data()
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise Unportable(_not_yaml(error)) from None
    if not isinstance(whole, dict) or whole.get("format") != FORMAT:
        raise Unportable(_("This was not written by exportconnections, or by a newer version of it."))
    rows = whole.get("connections")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Unportable(_("Its “connections” are not a list of connections."))
    export_types.require(rows)
    strange = sorted({str(name) for row in rows for name in row} - {*FIELDS, "secrets"})
    if strange:
        raise Unportable(_("Nobody knows these fields: %s.") % ", ".join(strange))
    _require_different(rows)
    return rows


def too_long() -> str:
    most = LONGEST // 1_000_000
    return _("It is too long: at most %s million characters. Import it in parts.") % most


def _not_yaml(error: Exception) -> str:
    """Where, without the line itself: a secret may stand in it."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return _("This is not YAML, or it has a number, a date or a nesting that is too large.")
    return _("This is not YAML: see line %(line)s, column %(column)s.") % {
        "line": mark.line + 1,
        "column": mark.column + 1,
    }


def _require_different(rows: list[dict[str, Any]]) -> None:
    ids = [row.get("external_id") for row in rows]
    names = [str(row.get("name", "")).lower() for row in rows]
    if len(set(ids)) < len(ids) or len(set(names)) < len(names):
        raise Unportable(_("Two of the connections have one name or one external_id."))


def _form(
    row: Mapping[str, Any], key: Fernet | None, answers: Mapping[str, str]
) -> tuple[ConnectionForm, str]:
    row = {**row, **_as_typed(row)}
    there = Connection.objects.filter(external_id=str(row.get("external_id"))).first()
    values = {name: "" if value is None else value for name, value in row.items() if name != "secrets"}
    if values.get("start_at"):
        values["start_at"] = _read_moment(values["start_at"])
    secrets = _secrets(row, key)
    if there is not None:
        secrets = {name: text for name, text in secrets.items() if text != str.__str__(getattr(there, name))}
    # Nobody can be asked about what is in a file. A stored secret that moves is no mistake at a keyboard: a
    # sentence tells of it. Which database stands at a new address, the next poll looks.
    form = filled(there, values | secrets | dict(answers) | {"legacy_secret": True, "same_database": True})
    if there is None:
        return form, "new"
    differs = secrets or any(row[name] != _plain(getattr(there, name)) for name in row if name in FIELDS)
    return form, "changed" if differs else "same"


def _as_typed(row: Mapping[str, Any]) -> dict[str, str]:
    """A required answer that YAML takes for true or 0 is what a person would have typed."""
    value = row.get("answer_value")
    return {"answer_value": orjson.dumps(value).decode()} if isinstance(value, bool | int | float) else {}


def _take_ids(form: ConnectionForm, name: Any) -> None:
    """Ids go on as they were where the file comes from, unless this installation has begun with others."""
    connection, text = form.instance, str(name)
    if connection.pk is None or not connection.has_begun:
        connection.ids_database = text[:MOST_CHARACTERS]
    elif text != connection.database_in_ids:
        sentence = _("its orders are known by ids with “%s” in them, which cannot be changed any more.")
        form.add_error(None, sentence % connection.database_in_ids)


def _read_moment(text: Any) -> Any:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return text  # the form says what it thinks of it
    return moment if moment.tzinfo else timezone.make_aware(moment)


def _secrets(row: Mapping[str, Any], key: Fernet | None) -> dict[str, str]:
    tokens = row.get("secrets") or {}
    if not tokens or key is None:
        return {}
    try:
        return {name: key.decrypt(str(tokens[name]).encode()).decode() for name in SECRETS if name in tokens}
    except (InvalidToken, TypeError, UnicodeError):
        raise Unportable(
            _("The key does not fit: the secrets of “%s” were encrypted with another one.")
            % one_line(str(row.get("name")))
        ) from None
