"""Master data that classic calls have to ask for apart: kept for a while, so that few cycles ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from sync.sources.odoo.fields import COUNTRY, STATE
from sync.sources.odoo.records import Table, by_id
from sync.sources.odoo.values import Record

if TYPE_CHECKING:  # the rest needs no Django
    from connections.odoo.client import OdooClient

FRESH = timedelta(0)
LATELY = timedelta(minutes=5)  # a renamed variant moves no order: it is the deep check that sees it
CODES_KEPT = timedelta(days=1)  # of states and countries
MOST = 2_000  # records of one server

Kept = dict[tuple[str, int], tuple[datetime, Record]]  # (model, id): when it was read, and what


class Store(Protocol):
    """Where what was read is kept, by the identity of a server. Nothing of it is needed again."""

    def load(self, server: str) -> Kept: ...

    def save(self, server: str, kept: Kept) -> None: ...


class Forgetful:
    """Keeps nothing."""

    def load(self, server: str) -> Kept:
        return {}

    def save(self, server: str, kept: Kept) -> None:
        pass


class Masters:
    """Of one server. What is younger than `lately` is not asked for again; codes of places live for a day."""

    def __init__(self, client: OdooClient, store: Store, lately: timedelta) -> None:
        self.client = client
        self.store = store
        self.lately = lately
        self._kept: Kept | None = None

    def read(self, model: str, ids: set[int], fields: Sequence[str]) -> Table:
        """By id. One call for all that is not known, none when everything is."""
        if not ids:
            return {}
        known = self._known(model, ids)
        missing = ids - known.keys()
        if not missing:
            return known
        fresh = by_id(self.client.read(model, ids=sorted(missing), fields=fields))
        self._keep(model, fresh)
        return known | fresh

    @property
    def kept(self) -> Kept:
        if self._kept is None:
            self._kept = self.store.load(self.client.server.identity)
        return self._kept

    def _known(self, model: str, ids: set[int]) -> Table:
        oldest = self.client.now() - _life(model, self.lately)
        found = ((number, self.kept.get((model, number))) for number in ids)
        return {number: dict(each[1]) for number, each in found if each and each[0] > oldest}

    def _keep(self, model: str, fresh: Table) -> None:
        now = self.client.now()
        self.kept.update({(model, number): (now, dict(record)) for number, record in fresh.items()})
        useful = {key: each for key, each in self.kept.items() if each[0] > now - _life(key[0], LATELY)}
        latest = sorted(useful.items(), key=lambda item: item[1][0])[-MOST:]
        self.store.save(self.client.server.identity, dict(latest))


def _life(model: str, lately: timedelta) -> timedelta:
    return CODES_KEPT if model in (STATE, COUNTRY) else lately
