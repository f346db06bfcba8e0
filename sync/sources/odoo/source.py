"""OdooSource: which orders changed, and the orders themselves, out of one Odoo database."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from connections.errors import Contract, RemoteError
from sync.orders import Change, NamedOrder, Order, SeveralOrders, Sightings, Unreadable
from sync.sources.odoo import mapping
from sync.sources.odoo.bisect import narrow_down, one_order_may_cause
from sync.sources.odoo.fields import CONFIRMED, FOLLOWED, OPTIONAL, ORDER, PROBED, WANTED
from sync.sources.odoo.master_data import FRESH, Forgetful, Masters, Store
from sync.sources.odoo.records import is_id, records
from sync.sources.odoo.sightings import FIELDS as SIGHT
from sync.sources.odoo.sightings import told_apart
from sync.sources.odoo.values import Misfit, Record, choice, moment, optional_moment, record_id
from sync.sources.odoo.whole_orders import read_orders

if TYPE_CHECKING:  # the rest needs no Django
    from connections.odoo.client import OdooClient

__all__ = ["PROBED", "WANTED", "OdooSource"]

CONTROLS = 3  # other orders to try when one cannot be read

Result = TypeVar("Result")
Leaves = list[list[Any]]
Domain = list[Any]  # leaves, and Odoo's "|" before the two it joins
NOBODY: Mapping[str, Collection[int]] = MappingProxyType({})

logger = logging.getLogger("poller.source")


class OdooSource:
    """Reads through `client`; only one company's orders when `company_id` is given.

    When the server turns out to have other fields than we remember, it is probed again and asked once more.
    Every method raises RemoteError. `oddities` says what lists of orders held besides orders.
    `lately` is how old master data out of `store` may be, where the server does not give it with an order.
    """

    def __init__(
        self,
        client: OdooClient,
        company_id: int | None = None,
        *,
        store: Store | None = None,
        lately: timedelta = FRESH,
    ) -> None:
        self.client = client
        self.company_id = company_id
        self.masters = Masters(client, store or Forgetful(), lately)
        self.oddities = ""

    def changes(
        self,
        *,
        since: datetime,
        after_id: int = 0,
        limit: int = 1000,
        only_open: bool = False,
        also: int | None = None,
    ) -> list[Change]:
        """One call: what was written at `since` (aware) or later and has an id above `after_id`, by id.

        `only_open` leaves out what is cancelled and, where the server knows of delivery, wholly delivered.
        `also` is an order to be listed whenever it was written.
        """

        def domain() -> Domain:
            which = self.open_domain if only_open else [["state", "in", FOLLOWED]]
            written: Domain = [["write_date", ">=", _literal(since)]]
            if also is not None:
                written = ["|", ["id", "=", also], *written]
            return [*which, *written, ["id", ">", after_id]]

        return self._feed(domain, since, after_id=after_id, limit=limit)

    def read(self, order_ids: Sequence[int]) -> list[Order | Unreadable]:
        """Whole orders, in the order asked, each once. Those the server no longer shows are left out."""
        wanted = list(dict.fromkeys(order_ids))
        try:
            return self._read(wanted)
        except RemoteError as error:
            if not one_order_may_cause(error):
                raise
            controls = self.newest(CONTROLS, without=wanted)
            return narrow_down(self._read, wanted, controls, error)

    def newest(self, limit: int, *, without: Sequence[int] = ()) -> list[int]:
        """Ids of the latest confirmed orders, latest first."""
        domain: Leaves = [["state", "in", CONFIRMED]]
        if without:
            domain.append(["id", "not in", list(without)])
        found = self._search(lambda: domain, ["id"], order="date_order desc, id desc", limit=limit)
        return [record["id"] for record in found if _has_id(record)][:limit]

    def confirmed_ids(self, *, after_id: int = 0, limit: int) -> list[int]:
        """Ids of confirmed orders above `after_id`, ascending."""
        domain: Leaves = [["state", "in", CONFIRMED], ["id", ">", after_id]]
        return [record["id"] for record in self._page(lambda: domain, ["id"], after_id=after_id, limit=limit)]

    def find(self, names: Sequence[str], *, once: Mapping[str, Collection[int]] = NOBODY) -> dict[str, int]:
        """Ids by name, of confirmed or cancelled orders; `once` are the orders that once were called so.

        Raises SeveralOrders where a name means more than one: names are unique in no Odoo.
        """
        former = sorted({order_id for ids in once.values() for order_id in ids})
        which: list[Any] = [["name", "in", list(names)]]
        if former:
            which = ["|", *which, ["id", "in", former]]
        fields = ["name", "state", "company_id", "date_order", "partner_id"]
        found = self._search(lambda: [*which, ["state", "in", FOLLOWED]], fields, order="id")
        orders_found = {record["id"]: _named_order(record) for record in found if _has_id(record)}.values()
        meant = {
            name: [each for each in orders_found if each.name == name or each.order_id in once.get(name, ())]
            for name in names
        }
        several = {name: orders for name, orders in meant.items() if len(orders) > 1}
        if several:
            raise SeveralOrders(several)
        return {name: orders[0].order_id for name, orders in meant.items() if orders}

    def undelivered(self, *, since: datetime, after_id: int = 0, limit: int) -> list[Change]:
        """Orders dated at `since` or later that are confirmed and not wholly delivered yet, by id."""

        def domain() -> Leaves:
            return [*self.open_domain, ["date_order", ">=", _literal(since)], ["id", ">", after_id]]

        return self._feed(domain, since, after_id=after_id, limit=limit)

    def sightings(self, companies: Mapping[int, int | None]) -> Sightings:
        """Look up the present state of each of these orders, in whatever company.

        `companies` has the company that each had when it was seen last; None is unknown.
        """
        fields = self._those_there(*SIGHT)
        return told_apart(
            companies,
            search=lambda ids: self._everywhere([["id", "in", list(ids)]], fields),
            read=lambda ids: self._fresh(lambda: self.client.read(ORDER, ids=list(ids), fields=fields)),
            visible=self.companies,
        )

    def births(self, order_ids: Sequence[int]) -> dict[int, datetime]:
        """When each of these orders that our user sees was made, in whatever company."""
        fields = self._those_there("create_date")
        found = self._everywhere([["id", "in", list(order_ids)]], fields) if order_ids else []
        made = {record["id"]: _birth(record) for record in found if _has_id(record)}
        return {order_id: at for order_id, at in made.items() if at is not None}

    def last_written(self, *, before: datetime | None = None) -> datetime | None:
        """The newest stamp of any order, confirmed or not, in whatever company; None where there is none."""
        domain: Domain = [["write_date", "<", _literal(before)]] if before else []
        found = self._everywhere(domain, ["write_date"], order="write_date desc", limit=1)
        return next((_written(record) for record in found if _has_id(record)), None)

    def companies(self) -> dict[int, datetime | None]:
        """The companies that our user may see, each with the moment it was made."""
        me = self.client.read("res.users", ids=[self.client.server.uid], fields=["company_ids"])
        listed = me[0].get("company_ids") if me and isinstance(me[0], dict) else None
        ids = [number for number in listed if is_id(number)] if isinstance(listed, list) else []
        found = records(self.client.read("res.company", ids=ids, fields=["create_date"])) if ids else []
        made = {record["id"]: _birth(record) for record in found if _has_id(record)}
        return {number: made.get(number) for number in ids}

    def max_id(self) -> int:
        """The highest id of any order, confirmed or not; 0 in an empty shop."""
        found = self._search(list, ["id"], order="id desc", limit=1)
        return max((record["id"] for record in found if _has_id(record)), default=0)

    @property
    def open_domain(self) -> Leaves:
        """Confirmed, and not wholly delivered where the server knows of delivery."""
        domain: Leaves = [["state", "in", CONFIRMED]]
        if "delivery_status" in self.client.server.fields.get(ORDER, ()):
            domain.append(["delivery_status", "!=", "full"])
        return domain

    def _those_there(self, *names: str) -> list[str]:
        """Fields we can do without are asked for where the server has them."""
        has = self.client.server.fields.get(ORDER, frozenset())
        return [name for name in names if name in has or name not in OPTIONAL[ORDER]]

    def _feed(
        self, domain: Callable[[], Domain], since: datetime, *, after_id: int, limit: int
    ) -> list[Change]:
        fields = self._those_there("write_date", "state", "date_order", "create_date")
        page = self._page(domain, fields, after_id=after_id, limit=limit)
        return [_change(record, since) for record in page]

    def _page(
        self, domain: Callable[[], Domain], fields: list[str], *, after_id: int, limit: int
    ) -> list[Record]:
        """One page by id. A full one is never shortened: the caller would take it for the last one."""
        found = self._search(domain, fields, order="id", limit=limit)
        page = {record["id"]: record for record in found if _has_id(record) and record["id"] > after_id}
        if len(page) < len(found):
            self.oddities = f"a list of orders holds {len(found) - len(page)} twice or without a usable id"
            logger.warning("Odoo: %s", self.oddities)
            if len(page) < limit <= len(found):
                raise Contract("odoo_broken_answer", self.oddities)
        return [page[order_id] for order_id in sorted(page)[:limit]]

    def _search(
        self, domain: Callable[[], Domain], fields: list[str], *, order: str, limit: int | None = None
    ) -> list[Any]:
        company: Domain = [] if self.company_id is None else [["company_id", "=", self.company_id]]

        def ask() -> list[Record]:
            whole = [*company, *domain()]
            return self.client.search_read(ORDER, domain=whole, fields=fields, order=order, limit=limit)

        return records(self._fresh(ask))

    def _everywhere(
        self, domain: Domain, fields: list[str], *, order: str = "", limit: int | None = None
    ) -> list[Any]:
        """In whatever company our user may see."""
        return records(
            self._fresh(
                lambda: self.client.search_read(ORDER, domain=domain, fields=fields, order=order, limit=limit)
            )
        )

    def _read(self, order_ids: list[int]) -> list[Order | Unreadable]:
        if not order_ids:
            return []
        answer = self._fresh(lambda: read_orders(self.client, order_ids, self.masters))
        orders: dict[int, Order | Unreadable] = {}
        for record in filter(_has_id, answer):
            orders.setdefault(record["id"], _order_or_unreadable(record))
        if not all(map(_has_id, answer)):
            for order_id in order_ids:
                orders.setdefault(order_id, Unreadable(order_id, "Odoo answered something that is no record"))
        return [orders[order_id] for order_id in order_ids if order_id in orders]

    def _fresh(self, ask: Callable[[], Result]) -> Result:
        known = self.client.server
        try:
            return ask()
        except Contract:
            if not self.client.refresh().differs(known):
                raise
            return ask()


def _has_id(record: object) -> bool:
    try:
        return record_id(record) > 0
    except Misfit:
        return False


def _order_or_unreadable(record: Record) -> Order | Unreadable:
    try:
        return mapping.order(record)
    except Misfit as misfit:
        return Unreadable(record["id"], str(misfit))


def _named_order(record: Record) -> NamedOrder:
    """For a person to read: what is no text is left out."""
    try:
        date_order = optional_moment(record, "date_order")
    except Misfit:
        date_order = None
    return NamedOrder(
        order_id=record["id"],
        name=_short_text(record.get("name")),
        state=_short_text(record.get("state")),
        company=_short_text(_second(record.get("company_id"))),
        date_order=date_order,
        customer=_short_text(_second(record.get("partner_id"))),
    )


def _second(pair: object) -> object:
    """The display name of a many2one."""
    return pair[1] if isinstance(pair, list) and len(pair) == 2 else ""


def _short_text(value: object) -> str:
    return value[:100] if isinstance(value, str) else ""


def _change(record: Record, since: datetime) -> Change:
    """An unreadable date must not hide the order from the feed: reading it whole will tell what is wrong."""
    try:
        return Change(
            record["id"],
            moment(record, "write_date"),
            choice(record, "state", FOLLOWED),
            _date_order(record),
            _birth(record),
        )
    except Misfit:
        return Change(record["id"], since.replace(microsecond=0), "")


def _birth(record: Record) -> datetime | None:
    """None where the server does not say: then nothing is concluded from it."""
    try:
        return optional_moment(record, "create_date")
    except Misfit:
        return None


def _date_order(record: Record) -> datetime | None:
    """An order can do without it."""
    try:
        return optional_moment(record, "date_order")
    except Misfit:
        return None


def _written(record: Record) -> datetime | None:
    try:
        return optional_moment(record, "write_date")
    except Misfit:
        return None


def _literal(since: datetime) -> str:
    """Whole seconds in UTC without a zone: the one form that means the same on every version."""
    return since.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")
