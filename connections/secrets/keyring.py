"""Encryption keys: which of them opens which stored secret, and bringing all secrets under the first one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, models, transaction
from django.db.models import BinaryField, ExpressionWrapper, F, Value
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from fernet_fields import EncryptedField

BATCH = 200  # rows of one transaction, so that nobody waits long for the table
NAMED = 5  # secrets that an error names


class KeyRing:
    """The keys of POLLER_ENCRYPTION_KEY by position: 1 encrypts, all decrypt."""

    def __init__(self, keys: Sequence[str] | None = None) -> None:
        self.keys = list(settings.ENCRYPTION_KEYS if keys is None else keys)
        self._fernets = [Fernet(key) for key in self.keys]
        self._all = MultiFernet(self._fernets)

    def position(self, token: bytes) -> int | None:
        """Which key opens it, from 1 on; None when no key does."""
        for number, fernet in enumerate(self._fernets, start=1):
            try:
                fernet.decrypt(token)
            except InvalidToken:
                continue
            return number
        return None

    def encrypted(self, text: bytes) -> bytes:
        """A token under the first key."""
        return self._all.encrypt(text)

    def decrypted(self, token: bytes) -> bytes:
        """What `encrypted` was given. Raises InvalidToken when no key opens it."""
        return self._all.decrypt(token)

    def rewritten(self, token: bytes) -> bytes:
        """The same secret under the first key."""
        return self._all.rotate(token)

    def fingerprints(self) -> list[str]:
        """Tell keys apart without showing them."""
        return [sha256(key.encode()).hexdigest()[:8] for key in self.keys]


@dataclass(frozen=True)
class Row:
    """The tokens of one row as they are stored, by field name; a field without a value is left out."""

    pk: Any
    tokens: dict[str, bytes]


@dataclass(frozen=True)
class Vault:
    """A table with encrypted columns."""

    model: type[models.Model]
    fields: tuple[Any, ...]

    @cached_property
    def raw(self) -> dict[str, Any]:
        """The columns as bytes: the field itself would decrypt them, or fail to."""
        return {
            f"raw_{f.name}": ExpressionWrapper(F(f.name), output_field=BinaryField()) for f in self.fields
        }

    def rows(self) -> Iterator[list[Row]]:
        """All rows in batches, by primary key, so that a long table is walked while others write it."""
        chosen = self.model._base_manager.annotate(**self.raw).order_by("pk").values_list("pk", *self.raw)
        last: Any = None
        while batch := list((chosen if last is None else chosen.filter(pk__gt=last))[:BATCH]):
            yield [self._row(*values) for values in batch]
            last = batch[-1][0]

    def _row(self, pk: Any, *tokens: Any) -> Row:
        pairs = zip(self.fields, tokens, strict=True)
        return Row(pk, {f.name: bytes(token) for f, token in pairs if token is not None})

    def replace(self, row: Row, fresh: dict[str, bytes]) -> bool:
        """Write these tokens if nobody has changed what they stand for; says whether it was done."""
        unchanged = {f"raw_{name}": row.tokens[name] for name in fresh}
        values = {name: Value(token, output_field=BinaryField()) for name, token in fresh.items()}
        rows = self.model._base_manager.annotate(**self.raw).filter(pk=row.pk, **unchanged)
        return bool(rows.update(**values))

    def name(self, row: Row, field_name: str) -> str:
        """What a person calls this secret."""
        titles = {f.name: f.verbose_name for f in self.fields}
        thing = self.model._base_manager.defer(*titles).filter(pk=row.pk).first()
        return f"{self.model._meta.verbose_name} {row.pk} “{thing}”, {titles[field_name]}"


def vaults() -> list[Vault]:
    """Every table that has an encrypted column, whichever app it belongs to."""
    found = []
    for model in apps.get_models():
        fields = tuple(f for f in model._meta.local_concrete_fields if isinstance(f, EncryptedField))
        if fields and not model._meta.proxy:
            found.append(Vault(model, fields))
    return found


@dataclass
class Usage:
    """How many stored secrets each key opens, by position; `unreadable` names those that none does."""

    counts: Counter[int] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)

    @property
    def old(self) -> int:
        return sum(count for position, count in self.counts.items() if position > 1)

    @property
    def is_clean(self) -> bool:
        return not self.old and not self.unreadable


def usage(ring: KeyRing) -> Usage:
    found = Usage()
    for vault in vaults():
        for batch in vault.rows():
            for row in batch:
                for name, token in row.tokens.items():
                    position = ring.position(token)
                    if position is None:
                        found.unreadable.append(vault.name(row, name))
                    else:
                        found.counts[position] += 1
    return found


def rotate_keys(ring: KeyRing) -> Iterator[int]:
    """Write every secret that an older key opens anew with the first; yields how many, batch by batch.

    May be stopped at any moment and run again. A secret that somebody changes meanwhile keeps their change.
    """
    for vault in vaults():
        for batch in vault.rows():
            with transaction.atomic():
                done = sum(_rotate_row(vault, row, ring) for row in batch)
            yield done


def _rotate_row(vault: Vault, row: Row, ring: KeyRing) -> int:
    old = {name: token for name, token in row.tokens.items() if (ring.position(token) or 1) > 1}
    fresh = {name: ring.rewritten(token) for name, token in old.items()}
    return len(fresh) if fresh and vault.replace(row, fresh) else 0


def require_readable_secrets() -> None:
    """For the start of a process: raises ImproperlyConfigured when a stored secret has no key.

    Without it every row would fail by itself, later and again and again. A database that does not answer,
    or has no tables yet, is somebody else's news.
    """
    try:
        lost = usage(KeyRing()).unreadable
    except DatabaseError:
        return
    if lost:
        raise ImproperlyConfigured(lost_key(lost))


def lost_key(secrets: Sequence[str]) -> str:
    """What to say when a key is missing that stored secrets were written with."""
    sentence = ngettext(
        "POLLER_ENCRYPTION_KEY lacks a key that is still in use: %(count)s stored secret cannot be read "
        "(%(names)s).",
        "POLLER_ENCRYPTION_KEY lacks a key that is still in use: %(count)s stored secrets cannot be read "
        "(%(names)s).",
        len(secrets),
    )
    remedy = _(
        "Add the lost key behind the others, then run manage.py rotatekeys before you drop it. If it is lost "
        "for good, type these secrets anew: manage.py editconnection 1 --api-key - --webhook-secret -"
    )
    return f"{sentence % {'count': len(secrets), 'names': _list(secrets)}} {remedy}"


def _list(names: Iterable[str]) -> str:
    names = list(names)
    return "; ".join(names[:NAMED]) + (" …" if len(names) > NAMED else "")
