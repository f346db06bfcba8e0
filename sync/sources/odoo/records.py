"""Lists of records as classic reads give them: checked, and joined to what nested reads give."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from connections.errors import Contract
from sync.sources.odoo.values import Record

Table = dict[int, Record]


def records(answer: object) -> list[Any]:
    """The list an answer should be; what is in it is looked at one by one."""
    if not isinstance(answer, list):
        raise Contract("odoo_broken_answer", f"a list of records was expected, not {type(answer).__name__}")
    return answer


def by_id(answer: object) -> Table:
    """The records of an answer that have a usable id."""
    return {
        record["id"]: record
        for record in records(answer)
        if isinstance(record, dict) and is_id(record.get("id"))
    }


def is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _pair(value: object) -> Record | None:
    """A many2one, [id, display name], as a record; None for anything else."""
    if isinstance(value, list) and len(value) == 2 and is_id(value[0]):
        return {"id": value[0], "display_name": value[1]}
    return None


def ids_of(rows: Iterable[Record], *keys: str) -> set[int]:
    """The ids that many2one fields point to."""
    pairs = (_pair(row.get(key)) for row in rows for key in keys)
    return {pair["id"] for pair in pairs if pair}


def ids_in(rows: Iterable[Record], key: str) -> set[int]:
    """The ids that a one2many or many2many field lists."""
    lists = (row.get(key) for row in rows)
    return {value for values in lists if isinstance(values, list) for value in values if is_id(value)}


def join(row: Record, table: Table, *keys: str) -> None:
    """Put the record in place of each [id, display name]. Anything else stays for the mapping to judge."""
    for key in keys:
        if pair := _pair(row.get(key)):
            row[key] = {**pair, **table.get(pair["id"], {})}


def expand(row: Record, key: str, table: Table) -> None:
    """Put the records in place of a list of ids. One that is not in the table stays a bare id: a misfit."""
    values = row.get(key)
    if isinstance(values, list):
        row[key] = [table.get(value, {"id": value}) if is_id(value) else value for value in values]
