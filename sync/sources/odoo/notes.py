"""Values that an order can do without: what cannot be read is left empty, and noted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sync.sources.odoo.values import Misfit, Record, text

MORE = "…"
MOST = 20  # a field that a module has changed is wrong in every line

Value = TypeVar("Value")


class Notes:
    """Notes of one order, each as "path: problem" in Odoo's own names, like "partner_id.zip: not a text"."""

    def __init__(self, place: str = "", found: list[str] | None = None) -> None:
        self.place = place
        self.found: list[str] = [] if found is None else found

    def at(self, place: str) -> Notes:
        """For what hangs on the record: a line, a party, a product."""
        return Notes(f"{self.place}{place}.", self.found)

    def optional(
        self, read: Callable[[Record, str], Value], record: Record, key: str, *, empty: Value
    ) -> Value:
        """What `read` makes of the value, or `empty`."""
        try:
            return read(record, key)
        except Misfit as misfit:
            self.found.append(f"{self.place}{key}: {misfit.problem}")
            return empty

    def text(self, record: Record, key: str) -> str:
        return self.optional(text, record, key, empty="")

    @property
    def kept(self) -> tuple[str, ...]:
        """The first so many, each once; MORE at the end stands for the rest."""
        once = tuple(dict.fromkeys(self.found))
        return once if len(once) <= MOST else (*once[:MOST], MORE)
