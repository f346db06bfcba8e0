"""The old poller's SQLite file: opened for reading only, its rows as values, its secrets decrypted."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.utils.translation import gettext as _

from connections.limits import YEARS
from connections.secrets.fields import Secret

COLUMNS = {
    "connections": "id name external_id odoo_url odoo_db odoo_username odoo_api_key webhook_url "
    "webhook_secret poll_interval_seconds enabled last_sync_at created_at",
    "sync_logs": "id connection_id started_at finished_at orders_found orders_sent orders_failed",
    "retry_queue": "id connection_id odoo_order_id odoo_order_name payload status attempts max_attempts "
    "last_error created_at updated_at",
    "sent_orders": "id connection_id odoo_order_id odoo_order_name odoo_write_date sent_at",
}


class Unusable(Exception):
    """The file, or the key, is not what it has to be; the text says so to a person."""


@dataclass(frozen=True, slots=True)
class OldConnection:
    """What the old poller was told about one shop. Moments are UTC; `sent_in_logs` counts its deliveries.

    `first_sight` is the span of its first poll that found orders, if it sent none of them: it took them for
    what had been there before, also in a shop that had been empty.
    """

    id: int
    name: str
    external_id: str
    odoo_url: str
    database: str
    username: str
    api_key: Secret
    webhook_url: str
    webhook_secret: Secret
    poll_interval_seconds: int
    enabled: bool
    last_sync_at: datetime | None
    created_at: datetime | None
    last_seen_at: datetime | None = None
    sent_in_logs: int = 0
    first_sight: tuple[datetime, datetime] | None = None


@dataclass(frozen=True, slots=True)
class OldSent:
    """One delivery it remembers, in the order it was made."""

    order_id: int
    name: str
    write_date: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class OldRetry:
    """One row of its retry queue. `write_date` is the stamp inside its payload, if that can be read."""

    order_id: int
    name: str
    status: str
    write_date: datetime | None
    attempts: int
    max_attempts: int
    last_error: str
    created_at: datetime | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class OldShop:
    connection: OldConnection
    sent: list[OldSent] = field(default_factory=list)
    retries: list[OldRetry] = field(default_factory=list)


def read_shops(path: Path, keys: Sequence[str]) -> list[OldShop]:
    """Every connection of the file with its history. Raises Unusable."""
    ring = _ring(keys)
    with _opened(path) as database:
        _require_tables(database, path)
        shops = [_shop(database, row, ring) for row in _rows(database, "connections", order="id")]
    if not shops:
        raise Unusable(_("%s holds no connection: there is nothing to take over.") % path)
    return shops


def _ring(keys: Sequence[str]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        raise Unusable(
            _(
                "The key is unusable: a key is 44 characters of URL-safe base64. Give POLLER_ENCRYPTION_KEY "
                "of the old poller, as its .env has it."
            )
        ) from None


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    if not _is_file(path):
        raise Unusable(_("There is no file %s.") % path)
    try:
        database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=20)
    except sqlite3.Error as error:
        raise Unusable(_unreadable(path, error)) from None
    with closing(database):
        database.row_factory = sqlite3.Row
        try:
            database.execute("BEGIN")  # one state of the file, whatever is written meanwhile
            yield database
        except sqlite3.Error as error:
            raise Unusable(_unreadable(path, error)) from None
        except (ValueError, TypeError, OverflowError):
            raise Unusable(
                _("%s has a number or a date in it that the old poller never writes.") % path
            ) from None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # such as a name that is too long
        return False


def _unreadable(path: Path, error: sqlite3.Error) -> str:
    return _("%(path)s cannot be read as an SQLite database: %(error)s.") % {"path": path, "error": error}


def _require_tables(database: sqlite3.Connection, path: Path) -> None:
    for table, columns in COLUMNS.items():
        there = {row["name"] for row in database.execute(f"PRAGMA table_info({table})")}
        missing = sorted(set(columns.split()) - there)
        if missing:
            raise Unusable(
                _(
                    "%(path)s is not a database of the old poller: its table %(table)s lacks %(columns)s. "
                    "Its file is mostly called poller.db."
                )
                % {"path": path, "table": table, "columns": ", ".join(missing)}
            )


def _rows(
    database: sqlite3.Connection, table: str, *, order: str, connection: int | None = None
) -> Iterator[sqlite3.Row]:
    # Names come from COLUMNS and from here, never from outside.
    where = "" if connection is None else "WHERE connection_id = ?"
    columns = ", ".join(COLUMNS[table].split())
    query = f"SELECT {columns} FROM {table} {where} ORDER BY {order}"  # noqa: S608
    return iter(database.execute(query, () if connection is None else (connection,)))


def _shop(database: sqlite3.Connection, row: sqlite3.Row, ring: MultiFernet) -> OldShop:
    number = row["id"]
    logs = database.execute(
        "SELECT MAX(started_at) AS at, SUM(orders_sent) AS n FROM sync_logs WHERE connection_id = ?",
        (number,),
    ).fetchone()
    sent = [_old_sent(r) for r in _rows(database, "sent_orders", order="sent_at, id", connection=number)]
    retries = [_retry(r) for r in _rows(database, "retry_queue", order="id", connection=number)]
    connection = replace(_connection(row, logs, ring), first_sight=_first_sight(database, number))
    return OldShop(connection, sent, retries)


def _first_sight(database: sqlite3.Connection, number: int) -> tuple[datetime, datetime] | None:
    first = database.execute(
        "SELECT * FROM sync_logs WHERE connection_id = ? AND orders_found > 0 ORDER BY id LIMIT 1", (number,)
    ).fetchone()
    if first is None or first["orders_sent"] or first["orders_failed"]:
        return None
    began, ended = _read_moment(first["started_at"]), _read_moment(first["finished_at"])
    return (began, ended) if began and ended else None


def _connection(row: sqlite3.Row, logs: sqlite3.Row, ring: MultiFernet) -> OldConnection:
    return OldConnection(
        id=row["id"],
        name=_stripped(row["name"]),
        external_id=_stripped(row["external_id"]),
        odoo_url=_stripped(row["odoo_url"]),
        database=_stripped(row["odoo_db"]),
        username=_stripped(row["odoo_username"]),
        api_key=_decrypted(ring, row, "odoo_api_key"),
        webhook_url=_stripped(row["webhook_url"]),
        webhook_secret=_decrypted(ring, row, "webhook_secret"),
        poll_interval_seconds=int(row["poll_interval_seconds"] or 60),
        enabled=bool(row["enabled"]),
        last_sync_at=_read_moment(row["last_sync_at"]),
        created_at=_read_moment(row["created_at"]),
        last_seen_at=_read_moment(logs["at"]),
        sent_in_logs=int(logs["n"] or 0),
    )


def _decrypted(ring: MultiFernet, row: sqlite3.Row, column: str) -> Secret:
    token = row[column]
    if not token:
        return Secret("")
    try:
        return Secret(ring.decrypt(token if isinstance(token, bytes) else str(token).encode()).decode())
    except (InvalidToken, UnicodeError):
        raise Unusable(
            _(
                "The key does not fit: %(column)s of “%(name)s” cannot be read with it. Give the "
                "POLLER_ENCRYPTION_KEY that the old poller ran with (--key, or --key-file its .env)."
            )
            % {"column": column, "name": row["name"]}
        ) from None


def _old_sent(row: sqlite3.Row) -> OldSent:
    at = _read_moment(row["odoo_write_date"]) or _read_moment(row["sent_at"])
    if at is None:
        raise Unusable(_("Row %s of sent_orders has no date that can be read.") % row["id"])
    name = _stripped(row["odoo_order_name"])
    return OldSent(int(row["odoo_order_id"]), name, at, _read_moment(row["sent_at"]))


def _retry(row: sqlite3.Row) -> OldRetry:
    return OldRetry(
        order_id=int(row["odoo_order_id"]),
        name=_stripped(row["odoo_order_name"]),
        status=_stripped(row["status"]),
        write_date=_stamp_inside(row["payload"]),
        attempts=int(row["attempts"] or 0),
        max_attempts=int(row["max_attempts"] or 0),
        last_error=_stripped(row["last_error"]),
        created_at=_read_moment(row["created_at"]),
        updated_at=_read_moment(row["updated_at"]),
    )


def _stamp_inside(payload: Any) -> datetime | None:
    try:
        return _read_moment(orjson.loads(payload or b"")["order"]["write_date"])
    except (ValueError, TypeError, KeyError):
        return None


def _stripped(value: Any) -> str:
    return str(value or "").strip()


def _read_moment(value: Any) -> datetime | None:
    """UTC text such as 2026-11-20 12:00:00, with or without a fraction or a zone."""
    try:
        moment = datetime.fromisoformat(_stripped(value))
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return moment if YEARS[0] <= moment.year < YEARS[1] else None
