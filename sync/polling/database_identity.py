"""Which database a connection reads: known again by the orders we know of it, whatever it is called today.

An order's number and the moment it was made together outlive a rename, a move, a backup and its restoration;
no other database has them. Beside them stand what Odoo says of itself: the moments its companies were made
and, to an administrator only, its `database.uuid` and whether it is a neutralised copy
(odoo/addons/base/models/ir_config_parameter.py: read by the group System).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Any, NoReturn

from django.db.models import QuerySet

from connections.errors import Access, Contract, Temporary
from connections.models import Connection
from connections.odoo import account as account_of
from sync.models import PollState, SeenOrder
from sync.polling import questions
from sync.polling.turn import Held, Turn
from sync.sources.odoo.source import OdooSource

SAMPLE = 20  # of the oldest orders we know, and as many of the newest
PARAMETERS = ("database.uuid", "database.is_neutralized")

Births = Mapping[int, datetime]  # order id: when it was made


class Verdict(Enum):
    SAME = "same"
    ANOTHER = "another"  # ask a person
    EMPTY_ANOTHER = "empty_another"  # another, and no known order tells: begin anew where none is known


@dataclass(frozen=True, slots=True)
class Identity:
    """The marks of one database; "" and {} stand for what is not known."""

    place: str = ""
    address: str = ""
    database: str = ""
    uuid: str = ""
    neutralized: bool = False
    companies: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "place": self.place,
            "address": self.address,
            "database": self.database,
            "uuid": self.uuid,
            "neutralized": self.neutralized,
            "companies": dict(self.companies),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Identity:
        return cls(**{name: stored[name] for name in cls.__slots__ if name in stored})


@dataclass(frozen=True, slots=True)
class Recognition:
    """A verdict on a database, with the numbers of known orders that match, differ or are missing."""

    verdict: Verdict
    identity: Identity
    matching: int = 0
    different: int = 0
    missing: int = 0
    uuid_differs: bool = False

    def doubts(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """For the person who is asked: numbers, and how the database was and is called."""
        return {
            "matching": self.matching,
            "different": self.different,
            "missing": self.missing,
            "uuid_differs": self.uuid_differs,
            "before": dict(before),
            "now": self.identity.to_json(),
        }


def known_births(connection: Connection, *, seen_since: datetime | None = None) -> dict[int, datetime]:
    """A sample of the orders we know, oldest and newest: what was restored differs in the newest only."""
    known = SeenOrder.objects.filter(connection=connection)
    known = known.exclude(state="cancel")  # the number of an order that ended may have gone to another
    return _sample(known if seen_since is None else known.filter(seen_at__gte=seen_since))


def births_elsewhere(connection: Connection) -> dict[int, datetime]:
    """The sample for a database at another place: where all orders have ended, these are what we know."""
    return known_births(connection) or _sample(SeenOrder.objects.filter(connection=connection))


def _sample(known: QuerySet[SeenOrder]) -> dict[int, datetime]:
    pairs = known.filter(created_in_odoo__isnull=False).values_list("order_id", "created_in_odoo")
    sample = [*pairs.order_by("order_id")[:SAMPLE], *pairs.order_by("-order_id")[:SAMPLE]]
    return {order_id: at for order_id, at in sample if at is not None}


def learn(source: OdooSource, connection: Connection) -> Identity:
    """Ask a database for its identity. Raises RemoteError."""
    parameters = _parameters(source)
    return Identity(
        place=connection.place,
        address=connection.odoo_url,
        database=connection.database,
        uuid=parameters.get("database.uuid", "")[:64],
        neutralized=parameters.get("database.is_neutralized", "").lower() in ("true", "1"),
        companies={str(number): at.isoformat() for number, at in source.companies().items() if at},
    )


def recognise(
    source: OdooSource, connection: Connection, known: Births, before: Mapping[str, Any]
) -> Recognition:
    """Is this the database that we know? `before` is its stored identity. Raises RemoteError."""
    identity, last = learn(source, connection), Identity.from_json(before)
    return judged(identity, last, known, source.births(list(known)))


def settled(found: Recognition, connection: Connection) -> Recognition:
    """By the ledger as it stands now: only an empty one lets another database begin anew.

    Else its orders would go on where those of the same numbers ended. Call it locked, before acting on it.
    """
    if found.verdict is Verdict.EMPTY_ANOTHER and SeenOrder.objects.filter(connection=connection).exists():
        return replace(found, verdict=Verdict.ANOTHER)
    return found


def require_known(mine: Turn) -> None:
    """Before a check announces anything: is it still the database we know?

    Raises Held after a person was asked, and Temporary where a poll has to begin anew first.
    """
    last = mine.state.database
    if last.get("place", mine.connection.place) != mine.connection.place:
        _meet_again(mine, last)
        return
    found = _judged_again(mine, last)
    believed_at = None if found is None else questions.believed_at(mine.connection)
    if believed_at is not None:  # a person knew better: only what was seen since can tell against it
        found = _judged_again(mine, last, seen_since=believed_at)
    if found is not None:
        _hold(mine, found, last)


def _meet_again(mine: Turn, last: Mapping[str, Any]) -> None:
    """Edited, and no poll has looked since."""
    known = births_elsewhere(mine.connection)
    found = settled(recognise(mine.source, mine.connection, known, last), mine.connection)
    if found.verdict is Verdict.ANOTHER:
        _hold(mine, found, last)
    if found.verdict is Verdict.EMPTY_ANOTHER:
        raise Temporary("odoo_first_run")
    account = account_of.look(mine.client, mine.connection.company_id)
    with mine.writing():
        PollState.objects.filter(connection=mine.connection).update(
            database=found.identity.to_json(), account=account
        )


def _judged_again(
    mine: Turn, last: Mapping[str, Any], *, seen_since: datetime | None = None
) -> Recognition | None:
    """Compare once more by known orders; None where it is the same database."""
    known = known_births(mine.connection, seen_since=seen_since)
    identity, there = Identity.from_json(last), mine.source.births(list(known))
    found = judged(identity, identity, known, there)
    return found if known and found.verdict is not Verdict.SAME else None


def require_no_other(mine: Turn) -> None:
    """Before a person's word is carried out: after an edit the database may be another one.

    One that nobody has met yet is remembered: what is sent before the first poll tells it apart from then on.
    Raises Held after a person was asked, and Temporary where a poll has to look first.
    """
    state = mine.state
    if state.database.get("place") == mine.connection.place:
        return
    known = births_elsewhere(mine.connection)
    if not known and state.started_at is not None:
        raise Temporary("odoo_first_run")
    found = recognise(mine.source, mine.connection, known, state.database)
    if known and found.verdict is not Verdict.SAME:
        _hold(mine, found, state.database)
    if not state.database:
        with mine.writing():
            PollState.objects.filter(connection=mine.connection).update(database=found.identity.to_json())


def require_same_uuid(mine: Turn) -> None:
    """The daily look at what the database says of itself. Raises Held after a person was asked."""
    last, identity = mine.state.database, learn(mine.source, mine.connection)
    found = judged(identity, Identity.from_json(last), {}, {})
    if found.uuid_differs:
        _hold(mine, found, last)
    with mine.writing():
        PollState.objects.filter(connection=mine.connection).update(database=identity.to_json())


def _hold(mine: Turn, found: Recognition, last: Mapping[str, Any]) -> NoReturn:
    with mine.writing() as now:
        questions.hold(mine.connection, found.doubts(last), now)
    raise Held(questions.HOLD)


def judged(identity: Identity, last: Identity, known: Births, there: Births) -> Recognition:
    """By the orders; without any by the companies. A uuid that differs is always a question."""
    matching = sum(there.get(order_id) == at for order_id, at in known.items())
    missing = sum(order_id not in there for order_id in known)
    found = Recognition(
        Verdict.SAME,
        identity,
        matching=matching,
        different=len(known) - matching - missing,
        missing=missing,
        uuid_differs=bool(identity.uuid and last.uuid and identity.uuid != last.uuid),
    )
    return replace(found, verdict=_verdict_of(found, last, known))


def _verdict_of(found: Recognition, last: Identity, known: Births) -> Verdict:
    if not known:
        differs = found.uuid_differs or not _shares_company(found.identity, last)
        return Verdict.EMPTY_ANOTHER if differs else Verdict.SAME
    moved = last.place not in ("", found.identity.place)
    # At another place even one order that differs tells of a copy that went its own way. At the same one a
    # restored backup differs in its newest orders.
    if found.uuid_differs or (found.different and (moved or not found.matching)):
        return Verdict.ANOTHER
    if found.matching:
        return Verdict.SAME
    # All of them are gone or hidden.
    return Verdict.ANOTHER if moved and not _shares_company(found.identity, last) else Verdict.SAME


def _shares_company(identity: Identity, last: Identity) -> bool:
    """One of the companies was made at the very moment we remember; True where either says nothing."""
    if not identity.companies or not last.companies:
        return True
    return any(last.companies.get(number) == at for number, at in identity.companies.items())


def _parameters(source: OdooSource) -> dict[str, str]:
    """{} for a user who may not read them, as it is for most."""
    try:
        found = source.client.search_read(
            "ir.config_parameter", domain=[["key", "in", list(PARAMETERS)]], fields=["key", "value"]
        )
    except (Access, Contract):
        return {}
    return {row["key"]: str(row.get("value", "")) for row in found if row.get("key") in PARAMETERS}
