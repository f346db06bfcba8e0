"""Orders by what people call them: every name an order has had, wherever a version of it is written down.

Each table is asked by the index of its column, and the orders that were found by theirs: a million rows are
not walked through.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import BigIntegerField, Model
from django.db.models.expressions import RawSQL

from sync.models import RetryItem, SeenOrder, SentOrder

VERSIONS = (SentOrder, RetryItem)
# Written as the condition of the index is: SQLite compares the words.
NOT_EMPTY = {"reference": " AND NOT (reference = '')"}
# The order of a CROSS JOIN is the one SQLite keeps to: https://www.sqlite.org/optoverview.html#crossjoin
_ROWS = """
    SELECT chosen.id FROM ({keys}) AS sought CROSS JOIN {table} AS chosen
    WHERE chosen.connection_id = sought.connection_id AND chosen.order_id = sought.order_id"""
# Where it takes a name for a frequent one, PostgreSQL would rather read the table as a whole: so each order
# is looked up by itself (OFFSET 0 is left as it stands), and the ids come as an array: it expects ten.
_ROWS_OF_POSTGRESQL = """
    SELECT unnest(ARRAY(SELECT chosen.id FROM ({keys}) AS sought CROSS JOIN LATERAL (
        SELECT id FROM {table} AS rows
        WHERE rows.connection_id = sought.connection_id AND rows.order_id = sought.order_id OFFSET 0
    ) AS chosen))"""


@dataclass(frozen=True, slots=True)
class Sought:
    """What is known of an order; any of it will do."""

    names: Collection[str] = ()
    references: Collection[str] = ()
    order_ids: Collection[int] = ()
    event_ids: Collection[str] = ()
    connection_id: int | None = None

    @property
    def _columns(self) -> Iterator[tuple[type[Model], str, Collection[Any]]]:
        yield from ((model, "order_name", self.names) for model in (SeenOrder, *VERSIONS))
        yield SeenOrder, "reference", [text for text in self.references if text]
        yield SeenOrder, "order_id", self.order_ids
        yield from ((model, "event_id", self.event_ids) for model in VERSIONS)

    def keys(self, *, named: bool = False) -> tuple[str, list[Any]]:
        """SQL of connection and order, each once, and with `named` by each of its names; and its values."""
        selects: list[str] = []
        values: list[Any] = []
        for model, column, wanted in self._columns:
            if not wanted:
                continue
            places = ", ".join(["%s"] * len(wanted))
            where = f"{column} IN ({places})" + NOT_EMPTY.get(column, "")
            values += wanted
            if self.connection_id is not None:
                # Plus nothing: else SQLite would walk through the orders of the connection.
                where += " AND connection_id + 0 = %s"
                values.append(self.connection_id)
            columns = "connection_id, order_id" + (", order_name" if named else "")
            selects.append(f"SELECT {columns} FROM {model._meta.db_table} WHERE {where}")  # noqa: S608
        return " UNION ".join(selects), values


def rows_of(model: type[Model], sought: Sought) -> RawSQL:
    """For `pk__in`: the rows of the orders sought, under whichever name. Something has to be sought."""
    keys, values = sought.keys()
    rows = _ROWS_OF_POSTGRESQL if connection.vendor == "postgresql" else _ROWS
    statement = rows.format(keys=keys, table=model._meta.db_table)
    return RawSQL(statement, values, output_field=BigIntegerField())  # noqa: S611


def ids_by_name(connection_id: int, names: Collection[str]) -> dict[str, set[int]]:
    """Of one connection: the orders that are, or were, called so."""
    found: dict[str, set[int]] = {name: set() for name in names}
    keys, values = Sought(names=found, connection_id=connection_id).keys(named=True)
    with connection.cursor() as cursor:
        if found:
            cursor.execute(keys, values)
            for _connection, order_id, name in cursor.fetchall():
                found[name].add(order_id)
    return found
