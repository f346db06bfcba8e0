"""The customers of stored orders whom a name or an e-mail address may mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.db.models import Q

from connections.models import Connection
from sync.erasure.persons import SHORTEST, Contact, Person, compared, contacts, parsed
from sync.ledger.known import Key
from sync.models import RetryItem

CHUNK = 300


@dataclass
class Customer:
    """Somebody whom stored orders are for, as it is written there; `orders` are (connection, order) ids."""

    name: str
    email: str
    orders: set[Key] = field(default_factory=set)
    contacts: set[Contact] = field(default_factory=set)

    @property
    def mailbox(self) -> str:
        """What means exactly this one."""
        return f"{self.name} <{self.email}>"

    def is_called(self, name: str) -> bool:
        return compared((self.name, "")) == compared((name, ""))

    def has_address(self, email: str) -> bool:
        return compared(("", self.email)) == compared(("", email))


@dataclass(frozen=True)
class SoughtPerson:
    """Whom to look for, the customers that this means, and others in whose name or address it only stands.

    Without a customer no stored order is theirs. With several nobody knows who is meant.
    """

    person: Person
    meant: list[Customer]
    others: list[Customer]


def sought(name: str | None, email: str | None, connection: Connection | None = None) -> SoughtPerson:
    """By the one that is given; with both, of which one may be "", exactly who has this name and address."""
    person = Person(name or "", also=email or "")
    found = customers(person, connection)
    exact = [
        customer
        for customer in found
        if (name is None or customer.is_called(name)) and (email is None or customer.has_address(email))
    ]
    by_both = name is not None and email is not None
    meant = exact if exact or by_both else found
    others = [customer for customer in found if customer not in meant]
    if len(meant) == 1:
        person = _of_both(meant[0], others) if by_both else _of_one(meant[0], others, by_name=email is None)
    return SoughtPerson(person, meant, others)


def customers(person: Person, connection: Connection | None) -> list[Customer]:
    """In whose name or address this person stands, those with most orders first."""
    found: dict[Contact, Customer] = {}
    for key, body in _payloads(connection):
        for contact in contacts(parsed(body)):
            if person.is_in(list(contact)):
                customer = found.setdefault(compared(contact), Customer(*contact))
                customer.orders.add(key)
                customer.contacts.add(compared(contact))
    return sorted(_merged(found), key=lambda customer: (-len(customer.orders), customer.mailbox))


def _payloads(connection: Connection | None) -> Iterator[tuple[Key, bytes]]:
    chosen = Q() if connection is None else Q(connection=connection)
    items = RetryItem.objects.filter(chosen, body__isnull=False).order_by("pk")
    rows = items.values_list("connection_id", "order_id", "body")
    for connection_id, order_id, body in rows.iterator(chunk_size=CHUNK):
        yield (connection_id, order_id), bytes(body or b"")


def _of_one(customer: Customer, others: list[Customer], *, by_name: bool) -> Person:
    text = customer.name if by_name else customer.email
    return Person(text, others=_names_around(text, others))


def _of_both(customer: Customer, others: list[Customer]) -> Person:
    """What somebody else has too means nobody where it stands alone; so does a very short name."""
    name, email = customer.name, customer.email
    if len(name) < SHORTEST or any(other.is_called(name) for other in others):
        name = ""
    if any(other.has_address(email) for other in others):
        email = ""
    around = _names_around(name, others)
    return Person(name, also=email, others=around, contacts=frozenset(customer.contacts))


def _names_around(text: str, others: Iterable[Customer]) -> tuple[str, ...]:
    """Those names and addresses of others in which this one stands."""
    person, same = Person(text), compared((text, text))
    texts = {each for other in others for each in (other.name, other.email) if person.is_in(each)}
    return tuple(sorted(each for each in texts if compared((each, each)) != same))


def _merged(found: dict[Contact, Customer]) -> list[Customer]:
    """Where a contact lacks its name or its address: the one other that has the same of what it has."""
    whole = {contact: customer for contact, customer in found.items() if all(contact)}
    alone = []
    for contact in found.keys() - whole.keys():
        same = [
            whole[each] for each in whole if any(a and a == b for a, b in zip(contact, each, strict=True))
        ]
        if len(same) == 1:
            same[0].orders |= found[contact].orders
            same[0].contacts.add(contact)
        else:
            alone.append(found[contact])
    return [*whole.values(), *alone]


def _agree(one: Contact, other: Contact) -> bool:
    """In the name or in the address, of those that are there."""
    return any(mine and mine == theirs for mine, theirs in zip(one, other, strict=True))
