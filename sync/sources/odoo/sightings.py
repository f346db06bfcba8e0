"""Orders looked up by id: how each stands, which are hidden from our user, and which exist no more."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from connections.errors import RemoteError
from sync.orders import Sight, Sightings
from sync.sources.odoo.values import Misfit, Record, optional_moment, record_id, related

# A search leaves out what is hidden as well as what is gone; reading by id tells them apart, but refuses
# the whole list for one that is hidden. So long lists are halved, within so many calls.
MOST_CALLS = 60
FIELDS = ["state", "write_date", "create_date", "company_id"]

Read = Callable[[Sequence[int]], list[Any]]


def told_apart(
    companies: Mapping[int, int | None], *, search: Read, read: Read, visible: Callable[[], Collection[int]]
) -> Sightings:
    """`companies`: the orders, each with the company it had when we saw it last; None is unknown.

    `search` and `read` take ids; `visible` asks for the companies our user may see. Raises RemoteError.
    """
    if not companies:
        return Sightings({})
    seen = _sights(search(list(companies)))
    missing = [order_id for order_id in companies if order_id not in seen]
    if not missing:
        return Sightings(seen)
    try:
        return Sightings(seen | _sights(read(missing)))
    except RemoteError as error:
        if error.code != "odoo_no_rights":
            raise
    hidden = _of_hidden_companies(missing, companies, visible())
    halving = _Halving(read)
    halving.sort([order_id for order_id in missing if order_id not in hidden])
    return Sightings(seen | halving.seen, frozenset(hidden | halving.hidden))


def _of_hidden_companies(
    order_ids: Sequence[int], companies: Mapping[int, int | None], visible: Collection[int]
) -> set[int]:
    """A company that our user no longer sees hides all of its orders, those that were deleted as well."""
    return {each for each in order_ids if companies[each] is not None and companies[each] not in visible}


class _Halving:
    """Reads lists that hold something hidden, in halves, within so many calls."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self.calls = 0
        self.seen: dict[int, Sight] = {}
        self.hidden: set[int] = set()

    def sort(self, order_ids: Sequence[int]) -> None:
        if not order_ids:
            return
        if self.calls >= MOST_CALLS:
            self.hidden |= set(order_ids)
            return
        self.calls += 1
        try:
            self.seen |= _sights(self._read(order_ids))
        except RemoteError as error:
            if error.code != "odoo_no_rights":
                raise
            self._halve(order_ids)

    def _halve(self, order_ids: Sequence[int]) -> None:
        if len(order_ids) == 1:
            self.hidden |= set(order_ids)
            return
        middle = len(order_ids) // 2
        self.sort(order_ids[:middle])
        self.sort(order_ids[middle:])


def _sights(records: list[Any]) -> dict[int, Sight]:
    found = {}
    for record in records:
        try:
            found[record_id(record)] = _sight(record)
        except Misfit:
            continue  # something that is no record: what it stands for is looked up again, by id
    return found


def _sight(record: Record) -> Sight:
    state = record.get("state")
    return Sight(
        # Any state: whatever a server has made of an order, it is no text of ours.
        state=state[:20] if isinstance(state, str) else "",
        write_date=_stamp_of(record, "write_date"),
        create_date=_stamp_of(record, "create_date"),
        company_id=company_of(record),
    )


def company_of(record: Record) -> int | None:
    """The id of a record's company, nested or as a pair; None where it has none or does not say."""
    value = record.get("company_id")
    if isinstance(value, list):
        value = {"id": value[0]} if value else False
    try:
        company = related({"company_id": value}, "company_id")
        return None if company is None else record_id(company)
    except Misfit:
        return None


def _stamp_of(record: Record, key: str) -> Any:
    try:
        return optional_moment(record, key)
    except Misfit:
        return None
