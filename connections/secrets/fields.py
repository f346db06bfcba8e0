"""Text that is encrypted in the database and masked everywhere else."""

from typing import Any

from cryptography.fernet import InvalidToken
from django.db import models
from fernet_fields import EncryptedTextField as FernetTextField

from connections.errors import SecretUnreadable

MASK = "********"


class Secret(str):
    """A string that shows stars wherever it is printed, logged or formatted; `reveal()` gives the text."""

    __slots__ = ()

    def reveal(self) -> str:
        return str.__str__(self)

    def __str__(self) -> str:
        return MASK if self else ""

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


class LostSecret(Secret):
    """A stored secret that no key of ours can read. It holds its token, so that saving a row keeps it."""

    __slots__ = ()

    def reveal(self) -> str:
        raise SecretUnreadable()

    @property
    def token(self) -> bytes:
        return str.__str__(self).encode()


class EncryptedTextField(FernetTextField):  # type: ignore[misc]
    """A `Secret` in Python, a Fernet token in the database.

    Where no key of `POLLER_ENCRYPTION_KEY` can read a stored value it is a `LostSecret`: the row loads with
    all others, and whoever needs the secret is told.
    """

    def get_prep_value(self, value: Any) -> Any:
        # What is encrypted is made by str(), which shows stars of a Secret.
        return value if isinstance(value, LostSecret) else reveal(super().get_prep_value(value))

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        # The parent encrypts the text of an SQL expression (bulk_update, F, Case): let those through.
        if hasattr(value, "as_sql"):
            return value
        if isinstance(value, LostSecret):
            return connection.Database.Binary(value.token)
        return super().get_db_prep_save(value, connection)

    def from_db_value(self, value: Any, expression: Any, connection: Any, *args: Any) -> Secret | None:
        try:
            secret: Secret | None = super().from_db_value(value, expression, connection, *args)
        except InvalidToken:
            return LostSecret(bytes(value).decode("ascii", "replace"))
        return secret

    def to_python(self, value: Any) -> Secret | None:
        return value if value is None or isinstance(value, LostSecret) else Secret(reveal(value))

    def value_to_string(self, obj: models.Model) -> str:
        return MASK  # dumpdata must not write a secret in clear


def reveal(value: Any) -> Any:
    return value.reveal() if isinstance(value, Secret) else value
