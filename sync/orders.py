"""One order as we know it: frozen values, no Django and no Odoo words. Amounts are as the source has them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

OrderState = Literal["sale", "done", "cancel"]


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the feed: this order was written at this moment (UTC, whole seconds).

    `date_order` is when it was confirmed last, `create_date` when it was made, which never changes; None
    where the source does not say.
    """

    order_id: int
    write_date: datetime
    state: str
    date_order: datetime | None = None
    create_date: datetime | None = None

    @property
    def cancelled(self) -> bool:
        return self.state == "cancel"


@dataclass(frozen=True, slots=True)
class Sight:
    """The present state of one order in the source, in whatever company."""

    state: str
    write_date: datetime | None
    create_date: datetime | None
    company_id: int | None


@dataclass(frozen=True, slots=True)
class Sightings:
    """The result of looking orders up by id. One that is in neither part exists no more.

    `hidden` may exist: our user must not see them, or it could not be told with a reasonable number of calls.
    """

    seen: Mapping[int, Sight]
    hidden: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Address:
    street: str
    street2: str
    city: str
    state: str
    state_code: str
    zip: str
    country: str
    country_code: str


@dataclass(frozen=True, slots=True)
class Party:
    """A customer or a delivery address; "" where the source has nothing."""

    id: int | None
    name: str
    company_name: str
    reference: str
    email: str
    phone: str
    tax_id: str
    address: Address


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A line with goods or a service.

    None stands for what the server does not have; `sku` is "" where the source has no code of any kind.
    """

    line_id: int
    sequence: int | None
    product_id: int | None
    sku: str
    barcode: str
    name: str
    variant: str | None
    quantity: float
    uom: str | None
    unit_price: float
    subtotal: float
    total: float
    discount_percent: float
    product_type: str | None
    is_storable: bool | None
    is_delivery: bool | None
    is_downpayment: bool | None
    is_reward: bool | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A whole order. Datetimes are UTC with whole seconds.

    `notes` name what could not be read and was left empty, as "path: problem". `company_id` is for us alone.
    """

    order_id: int
    name: str
    state: str
    locked: bool | None
    date_order: datetime | None
    write_date: datetime
    commitment_date: datetime | None
    amount_untaxed: float
    amount_tax: float
    amount_total: float
    currency: str
    note: str
    client_order_ref: str
    origin: str | None
    warehouse: str | None
    company: str | None
    salesperson: str | None
    customer: Party
    shipping: Party
    lines: tuple[OrderLine, ...]
    create_date: datetime | None = None
    company_id: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def cancelled(self) -> bool:
        return self.state == "cancel"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An order that the source has but that we cannot make sense of: set aside with the reason."""

    order_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class NamedOrder:
    """What tells an order from another of the same name, for a person who has to choose."""

    order_id: int
    name: str
    state: str
    company: str
    date_order: datetime | None
    customer: str


class SeveralOrders(LookupError):
    """A name is no identity: several orders are, or were, called so. `orders` has those of each such name."""

    def __init__(self, orders: Mapping[str, Sequence[NamedOrder]]) -> None:
        super().__init__(", ".join(orders))
        self.orders = orders
