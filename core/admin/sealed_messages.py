"""What a page says after a redirect waits in the session, which is a row of the database: here, encrypted.

Among it are new webhook secrets and nudge addresses, which are shown once and stored nowhere in clear.
"""

from __future__ import annotations

from typing import Any

from cryptography.fernet import InvalidToken
from django.contrib.messages.storage.session import SessionStorage

from connections.secrets.keyring import KeyRing


class SealedStorage(SessionStorage):
    """Django's storage in the session, under our encryption keys."""

    def serialize_messages(self, messages: Any) -> str:
        return KeyRing().encrypted(super().serialize_messages(messages).encode()).decode()

    def deserialize_messages(self, data: Any) -> Any:
        """None where nothing waits; what no key of ours opens is lost."""
        if not isinstance(data, str):
            return None
        try:
            return super().deserialize_messages(KeyRing().decrypted(data.encode()).decode())
        except InvalidToken:
            return None
