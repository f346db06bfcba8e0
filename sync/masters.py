"""What was learnt of shops' master data, for all pollers that share a cache: a saving, never the truth."""

import logging
from datetime import datetime
from hashlib import sha256
from typing import TypeGuard

from django.core.cache import caches

from sync.sources.odoo_masters import CODES_KEPT, Kept

ALIAS = "masters"

logger = logging.getLogger("poller.source")


class SharedMasters:
    """In the cache. When it is out of reach, or holds something else, that costs calls to Odoo only."""

    def load(self, server: str) -> Kept:
        try:
            kept = caches[ALIAS].get(_key(server))
        except Exception as error:
            logger.warning("The cache of master data cannot be read (%s)", type(error).__name__)
            return {}
        return kept if _is_ours(kept) else {}

    def save(self, server: str, kept: Kept) -> None:
        try:
            caches[ALIAS].set(_key(server), kept, timeout=CODES_KEPT.total_seconds())
        except Exception as error:
            logger.warning("The cache of master data cannot be written (%s)", type(error).__name__)


def _is_ours(kept: object) -> TypeGuard[Kept]:
    values = kept.values() if isinstance(kept, dict) else [None]
    return all(isinstance(value, tuple) and isinstance(value[0], datetime) for value in values)


def _key(server: str) -> str:
    return sha256(server.encode()).hexdigest()
