"""Whom we talk to (`Target`), and what a probe learnt about it (`Server`), which is worth remembering."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connections.models import Connection
from connections.secrets.fields import LostSecret, Secret, reveal

Wanted = Mapping[str, Iterable[str]]  # the fields a source would like to read, by model
REMEMBERED_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Target:
    """One Odoo database and who we are there; plain values, so that threads need no database of ours."""

    url: str
    database: str
    username: str
    key: Secret
    protocol: str
    calls_per_second: float | None

    @classmethod
    def of(cls, connection: Connection) -> Target:
        return cls(
            url=connection.odoo_url.rstrip("/"),
            database=connection.database,
            username=connection.username,
            key=_key(connection.api_key),
            protocol=connection.protocol,
            calls_per_second=connection.calls_per_second,
        )


@dataclass(frozen=True, slots=True)
class Server:
    """What a probe found. A model that the server does not have, has no fields."""

    protocol: str  # "jsonrpc" or "json2"
    version: str  # "17.0", "saas~18.2"
    major: int
    uid: int
    fields: Mapping[str, frozenset[str]]
    identity: str
    probed_at: datetime

    def is_good(self, identity: str, now: datetime) -> bool:
        return self.identity == identity and now - self.probed_at < REMEMBERED_FOR

    def differs(self, other: Server) -> bool:
        """Whether a request has to be put together anew."""
        return (self.protocol, self.version, self.fields) != (other.protocol, other.version, other.fields)

    def to_json(self) -> dict[str, Any]:
        return {
            "protocol": self.protocol,
            "version": self.version,
            "major": self.major,
            "uid": self.uid,
            "fields": {model: sorted(names) for model, names in self.fields.items()},
            "identity": self.identity,
            "probed_at": self.probed_at.isoformat(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Server | None:
        """None for anything that `to_json` of this version did not write: then a probe is due."""
        try:
            values = dict(data)
            values["fields"] = {model: frozenset(names) for model, names in values["fields"].items()}
            values["probed_at"] = datetime.fromisoformat(values["probed_at"])
            server = cls(**values)
        except (KeyError, TypeError, ValueError, AttributeError):
            return None
        whole = type(server.uid) is int and type(server.major) is int and server.probed_at.tzinfo
        return server if whole and server.protocol in ("jsonrpc", "json2") else None


def _key(stored: Any) -> Secret:
    """One that cannot be read stays so: the first call tells."""
    return stored if isinstance(stored, LostSecret) else Secret(reveal(stored))


def identity_of(connection: Connection, wanted: Wanted) -> str:
    """What was learnt holds for one address, database, user and key, and for one set of wanted fields."""
    wishes = repr(sorted((model, sorted(names)) for model, names in wanted.items()))
    return connection.identity + ":" + hashlib.sha256(wishes.encode()).hexdigest()[:8]
