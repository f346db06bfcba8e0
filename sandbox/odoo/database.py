"""Records in memory with transactions: stamped when they begin, seen by others when they commit."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from sandbox.odoo.schema import inverse_fields, model_names

Row = dict[str, Any]
Clock = Callable[[], datetime]
_INVERSES = inverse_fields()
_START = "__commit__"


class World:
    """The committed records of one database.

    `clock` gives aware datetimes; a transaction keeps its start as `write_date`, microseconds included.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.commits = 0
        self.tables: dict[str, dict[int, Row]] = {model: {} for model in model_names()}
        self._last_id: dict[str, int] = defaultdict(int)
        self._children: dict[tuple[str, str], dict[int, set[int]]] = {
            key: defaultdict(set) for key in _INVERSES
        }
        self._by_write_date: list[tuple[datetime, int]] = []

    def snapshot(self) -> dict[str, Any]:
        """Everything committed, for `restore`: a backup."""
        return {name: deepcopy(value) for name, value in self.__dict__.items() if name != "clock"}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Put a backup back: what was written since never was, and its numbers are given again."""
        self.__dict__.update({name: deepcopy(value) for name, value in snapshot.items()})

    def begin(self, at: datetime | None = None) -> "Tx":
        return Tx(self, at or self.clock())

    def get(self, model: str, record_id: int) -> Row | None:
        return self.tables[model].get(record_id)

    def rows(self, model: str) -> Iterator[Row]:
        return iter(self.tables[model].values())

    def children(self, model: str, field: str, parent_id: int) -> set[int]:
        """Ids of `model` whose many2one `field` is the parent; only for fields a one2many reads back."""
        return self._children[model, field].get(parent_id, set())

    def is_indexed(self, model: str, field: str) -> bool:
        return (model, field) in self._children

    def orders_written_since(self, moment: datetime) -> list[int]:
        """Ids of sale orders with `write_date >= moment`, oldest write first."""
        start = bisect_left(self._by_write_date, (moment, 0))
        return [order_id for _, order_id in self._by_write_date[start:]]

    def next_id(self, model: str) -> int:
        self._last_id[model] += 1
        return self._last_id[model]

    def reserve_id(self, model: str, record_id: int) -> None:
        self._last_id[model] = max(self._last_id[model], record_id)

    def store(self, model: str, record_id: int, row: Row | None) -> None:
        """Put a committed row in place (None deletes it) and keep the indexes right. Only `Tx` calls this."""
        table = self.tables[model]
        old = table.pop(record_id, None) if row is None else table.get(record_id)
        if row is not None:
            table[record_id] = row
        self._index_parents(model, record_id, old, row)
        if model == "sale.order":
            self._index_order(record_id, old, row)

    def _index_parents(self, model: str, record_id: int, old: Row | None, new: Row | None) -> None:
        for (child_model, field), index in self._children.items():
            if child_model != model:
                continue
            if old and old.get(field):
                index[old[field]].discard(record_id)
            if new and new.get(field):
                index[new[field]].add(record_id)

    def _index_order(self, record_id: int, old: Row | None, new: Row | None) -> None:
        if old:
            del self._by_write_date[bisect_left(self._by_write_date, (old["write_date"], record_id))]
        if new:
            insort(self._by_write_date, (new["write_date"], record_id))


class Tx:
    """One transaction. Its own changes are seen through it; everybody else sees them after `commit()`.

    As a context manager it commits at the end and rolls back on an exception. A row that somebody else
    committed meanwhile is a serialisation conflict: like Odoo, the transaction is done again with a new
    stamp, so its changes land on top with a later `write_date`.
    """

    def __init__(self, world: World, stamp: datetime) -> None:
        self.world = world
        self.stamp = stamp
        self._began = world.commits
        self._staged: dict[tuple[str, int], Row | None] = {}
        self._touched: set[tuple[str, int]] = set()
        self._open = True

    def get(self, model: str, record_id: int) -> Row | None:
        """The record as this transaction sees it; None when there is none."""
        key = (model, record_id)
        if key in self._staged and self._staged[key] is None:
            return None
        row = self.world.get(model, record_id)
        staged = self._staged.get(key)
        if staged is None:
            return row
        return {**(row or {}), **staged}

    def children(self, model: str, field: str, parent_id: int) -> list[int]:
        """Ids of the parent's records as this transaction sees them, ascending."""
        ids = set(self.world.children(model, field, parent_id))
        for (staged_model, record_id), values in self._staged.items():
            if staged_model != model:
                continue
            if values is None:
                ids.discard(record_id)
            elif field in values:
                (ids.add if values[field] == parent_id else ids.discard)(record_id)
        return sorted(ids)

    def create(self, model: str, values: Mapping[str, Any]) -> int:
        """Stage a new record and return its id, which is taken at once as from a PostgreSQL sequence."""
        given = values.get("id")
        record_id: int = given or self.world.next_id(model)
        self.world.reserve_id(model, record_id)
        row = {"create_date": self.stamp, **values, "id": record_id}
        self._staged[model, record_id] = row
        if "write_date" not in row:
            self._touched.add((model, record_id))
        return record_id

    def write(self, model: str, record_id: int, values: Mapping[str, Any], *, touch: bool = True) -> None:
        """Stage values; `touch=False` leaves `write_date` alone. Raises KeyError for a missing record."""
        if self.get(model, record_id) is None:
            raise KeyError(f"{model}({record_id})")
        staged = self._staged.setdefault((model, record_id), {})
        if staged is not None:
            staged.update(values)
        if touch:
            self._touched.add((model, record_id))

    def unlink(self, model: str, record_id: int) -> None:
        self._staged[model, record_id] = None
        self._touched.discard((model, record_id))

    def commit(self) -> None:
        if not self._open:
            raise RuntimeError("this transaction has ended")
        self._open = False
        world = self.world
        if self._conflicts():
            self.stamp = world.clock()
        world.commits += 1
        for (model, record_id), values in self._staged.items():
            if values is None:
                world.store(model, record_id, None)
                continue
            row = {**(world.get(model, record_id) or {}), **values, _START: world.commits}
            if (model, record_id) in self._touched:
                row["write_date"] = self.stamp
            row.setdefault("write_date", self.stamp)
            world.store(model, record_id, row)

    def rollback(self) -> None:
        self._open = False
        self._staged.clear()

    def _conflicts(self) -> bool:
        committed = (self.world.get(*key) for key in self._staged)
        return any(row is not None and row.get(_START, 0) > self._began for row in committed)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.commit()
        else:
            self.rollback()
