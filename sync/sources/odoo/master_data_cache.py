"""What was learnt of shops' master data, for all pollers that share a cache: a saving, never the truth."""

import logging
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson
from django.core.cache import caches

from connections.secrets.keyring import KeyRing
from sync.sources.odoo.master_data import CODES_KEPT, Kept

ALIAS = "masters"
MOST_BYTES = 1_000_000  # of one server; 2,000 records of an honest one take a tenth

logger = logging.getLogger("poller.source")


class SharedMasters:
    """In the cache, encrypted: companies' VAT numbers are among it, and a cache is a file or another host.

    When it is out of reach, or holds something else, that costs calls to Odoo and nothing more.
    """

    def load(self, server: str) -> Kept:
        try:
            token = caches[ALIAS].get(_key(server))
            return {} if token is None else _parsed(KeyRing().decrypted(token.encode()))
        except Exception as error:
            logger.warning("The cache of master data cannot be read (%s)", type(error).__name__)
            return {}

    def save(self, server: str, kept: Kept) -> None:
        rows = [[*key, read_at.isoformat(), record] for key, (read_at, record) in kept.items()]
        try:
            text = orjson.dumps(rows)
            if len(text) > MOST_BYTES:
                return  # a server that names things at such length is asked again
            token = KeyRing().encrypted(text).decode()
            caches[ALIAS].set(_key(server), token, timeout=CODES_KEPT.total_seconds())
        except Exception as error:
            logger.warning("The cache of master data cannot be written (%s)", type(error).__name__)


def _parsed(text: bytes) -> Kept:
    rows: list[tuple[str, int, str, dict[str, Any]]] = orjson.loads(text)
    return {(model, number): (datetime.fromisoformat(at), dict(record)) for model, number, at, record in rows}


def _key(server: str) -> str:
    return sha256(server.encode()).hexdigest()
