"""The order that was written last of all we know: while it stands as we saw it, nothing was taken back.

A database restored from a backup has lost the newest stamps first. So each poll asks for this one order
beside its window, in the same call; when it is gone, or written earlier than we know, a deep check looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sync.orders import Change


@dataclass(frozen=True, slots=True)
class Newest:
    order_id: int
    write_date: datetime

    @classmethod
    def of(cls, order_id: int | None, write_date: datetime | None) -> Newest | None:
        return None if order_id is None or write_date is None else cls(order_id, write_date)

    def is_older_in(self, page: Sequence[Change]) -> bool:
        """It stands as it stood before: no stamp goes back by itself."""
        return any(c.order_id == self.order_id and c.write_date < self.write_date for c in page)

    def is_missed(self, page: Sequence[Change], is_last: bool) -> bool:
        """True where a first page, sorted by id, lacks the order or shows it older."""
        for change in page:
            if change.order_id == self.order_id:
                return change.write_date < self.write_date
        return is_last or page[-1].order_id > self.order_id


def newest_of(page: Sequence[Change], known: Newest | None) -> Newest | None:
    """The newest of what was known and of a page."""
    found = [Newest(change.order_id, change.write_date) for change in page]
    return max([*found, *([known] if known else [])], key=lambda each: each.write_date, default=None)


def without_known(page: list[Change], known: Newest | None, since: datetime) -> list[Change]:
    """Without the order that is in the page only because it was asked for, and stands as it stood."""
    if known is None or known.write_date >= since:
        return page
    asked_for = (known.order_id, known.write_date)
    return [change for change in page if (change.order_id, change.write_date) != asked_for]
