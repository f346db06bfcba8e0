"""Bulk writes of the hot tables: tuples in, one statement for hundreds of rows.

Django's `bulk_create` takes ten times the CPU for each row: it asks every field of every row how it is to be
written. Here a column is asked once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from itertools import islice
from operator import attrgetter
from typing import Any

from django.db import connection, models

Row = Sequence[Any]
Adapt = Callable[[Any], Any]

ROWS_PER_STATEMENT = 500
DELETED_PER_STATEMENT = 2000
VALUES_PER_STATEMENT = 30_000  # SQLite takes 32,766 in one statement


class Table:
    """The columns of a model that are written, by their names on its instances (`connection_id`).

    Every other column gets the field's default. With `unique` a row that is there already is left alone, or
    gets the columns `update` of the new one.
    """

    def __init__(
        self,
        model: type[models.Model],
        columns: Sequence[str],
        *,
        unique: Sequence[str] = (),
        update: Sequence[str] = (),
    ) -> None:
        self.model, self.columns, self._unique, self._update = model, tuple(columns), unique, update

    def insert(self, rows: Iterable[Row]) -> list[int]:
        """Rows in the order of `columns`; returns their new ids in the same order, none with `unique`."""
        ids: list[int] = []
        everything = iter(rows)
        while chunk := list(islice(everything, self._chunk)):
            ids += self._insert(chunk)
        return ids

    def insert_objects(self, objects: Iterable[object]) -> list[int]:
        """The same for objects that have the columns as attributes."""
        return self.insert(map(self._values_of, objects))

    def _insert(self, rows: Sequence[Row]) -> list[int]:
        values = [value for row in rows for value in (*row, *self._defaults)]
        width = len(self._fields)
        for place, adapt in self._adapters:
            values[place::width] = map(adapt, values[place::width])
        with connection.cursor() as cursor:
            cursor.execute(self._begin + ", ".join([self._row] * len(rows)) + self._end, values)
            return [] if self._unique else [row[0] for row in cursor.fetchall()]

    # --- Known once the models are ------------------------------------------------------------------

    @cached_property
    def _values_of(self) -> Callable[[object], Row]:
        return attrgetter(*self.columns)

    @cached_property
    def _fields(self) -> list[models.Field[Any, Any]]:
        """Those that are given, then those that get their default."""
        fields = {
            f.attname: f for f in self.model._meta.concrete_fields if not f.primary_key or f.remote_field
        }
        given = [fields.pop(name) for name in self.columns]
        return given + [field for field in fields.values() if not field.has_db_default()]

    @cached_property
    def _defaults(self) -> tuple[Any, ...]:
        return tuple(field.get_default() for field in self._fields[len(self.columns) :])

    @property
    def _adapters(self) -> list[tuple[int, Adapt]]:
        """The places in a row whose values have to be made ready for the database."""
        found = ((place, _adapter(field)) for place, field in enumerate(self._fields))
        return [(place, adapt) for place, adapt in found if adapt is not None]

    @cached_property
    def _chunk(self) -> int:
        return min(ROWS_PER_STATEMENT, VALUES_PER_STATEMENT // len(self._fields))

    @cached_property
    def _row(self) -> str:
        return f"({', '.join(['%s'] * len(self._fields))})"

    @cached_property
    def _begin(self) -> str:
        names = ", ".join(f'"{field.column}"' for field in self._fields)
        return f'INSERT INTO "{self.model._meta.db_table}" ({names}) VALUES '  # noqa: S608 - our own names

    @cached_property
    def _end(self) -> str:
        if not self._unique:
            return ' RETURNING "id"'
        target = ", ".join(f'"{self._column(name)}"' for name in self._unique)
        new = ", ".join(f'"{c}" = excluded."{c}"' for c in map(self._column, self._update))
        return f" ON CONFLICT ({target}) DO " + (f"UPDATE SET {new}" if new else "NOTHING")

    def _column(self, name: str) -> str:
        return next(str(field.column) for field in self._fields if field.attname == name)


def delete_in_steps(rows: models.QuerySet[Any]) -> None:
    """Delete these in small steps, so that a long history does not keep others from writing."""
    oldest = rows.order_by("pk").values_list("pk", flat=True)
    while ids := list(oldest[:DELETED_PER_STATEMENT]):
        rows.model._default_manager.filter(pk__in=ids).delete()


def _adapter(field: models.Field[Any, Any]) -> Adapt | None:
    """How a value is made ready for the database; None where it goes as it is."""
    if isinstance(field, models.DateTimeField):
        return connection.ops.adapt_datetimefield_value
    if isinstance(field, models.JSONField):
        return lambda value: field.get_db_prep_save(value, connection)
    return None
