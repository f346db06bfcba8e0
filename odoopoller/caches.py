"""Django's caches with JSON in them: a pickle would let who can write to the cache run code here."""

from __future__ import annotations

import time
from typing import IO, Any

import orjson
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.filebased import FileBasedCache

MISSING = object()


class JSONSerializer:
    """For Django's RedisCache. What is no JSON, as somebody else wrote it, counts as nothing."""

    def dumps(self, value: Any) -> bytes | int:
        return value if type(value) is int else orjson.dumps(value)  # numbers as they are: Redis counts them

    def loads(self, data: bytes) -> Any:
        try:
            return orjson.loads(data)
        except ValueError:
            return None


class JSONFileCache(FileBasedCache):
    """A file's first line is the moment it ends, or null; what follows is the value."""

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        try:
            name = self._key_to_file(key, version)  # type: ignore[attr-defined]
            with open(name, "rb") as file:
                return default if self._is_expired(file) else orjson.loads(file.read())
        except (FileNotFoundError, ValueError):
            return default

    def touch(self, key: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        value = self.get(key, MISSING, version)
        if value is MISSING:
            return False
        self.set(key, value, timeout, version)
        return True

    def _write_content(self, file: IO[bytes], timeout: float | None, value: Any) -> None:
        file.write(orjson.dumps(self.get_backend_timeout(timeout)) + b"\n" + orjson.dumps(value))

    def _is_expired(self, file: IO[bytes]) -> bool:
        try:
            ends_at = orjson.loads(file.readline())
        except ValueError:
            ends_at = 0
        if ends_at is None or (isinstance(ends_at, int | float) and ends_at >= time.time()):
            return False
        file.close()
        self._delete(file.name)  # type: ignore[attr-defined]
        return True
