"""Users, their keys, and who may see what."""

from dataclasses import dataclass, field
from datetime import datetime

from sandbox.odoo.errors import OdooError, access_denied, missing_error

SALES_MODELS = frozenset({"sale.order", "sale.order.line"})


@dataclass
class ApiKey:
    """`scope` None is a global key, "rpc" one for the API; any other scope is refused by the API."""

    secret: str
    scope: str | None = None
    expires_at: datetime | None = None

    def opens(self, secret: str, now: datetime) -> bool:
        if secret != self.secret or self.scope not in (None, "rpc"):
            return False
        return self.expires_at is None or now < self.expires_at


@dataclass
class User:
    """Somebody who calls the API. `denied` models raise AccessError; `own_documents` sees only own orders."""

    id: int
    login: str
    name: str = ""
    password: str = ""
    keys: list[ApiKey] = field(default_factory=list)
    active: bool = True
    two_factor: bool = False
    denied: frozenset[str] = frozenset()
    own_documents: bool = False
    company_ids: tuple[int, ...] = (1,)
    lang: str = "en_US"
    tz: str = "America/Mexico_City"

    def accepts(self, secret: str, now: datetime) -> bool:
        """Password or key. With two-factor authentication the password is refused over RPC."""
        if not self.active or not secret:
            return False
        if self.password == secret and not self.two_factor:
            return True
        return any(key.opens(secret, now) for key in self.keys)


class Users:
    """The users of one database and the checks of the three ways in.

    With `caches_credentials` a pair that `execute_kw` accepted once goes on working there after its key
    expired or was removed, as in a worker of a real server, until `forget_credentials()`.
    """

    def __init__(self, version: int) -> None:
        self.version = version
        self.by_id: dict[int, User] = {}
        self.caches_credentials = False
        self._accepted: set[tuple[int, str]] = set()

    def add(self, user: User) -> User:
        self.by_id[user.id] = user
        return user

    def revoke(self, secret: str) -> None:
        """Remove a key. 19 forgets it at once; older workers go on with what they cached."""
        for user in self.by_id.values():
            user.keys = [key for key in user.keys if key.secret != secret]
        if self.version >= 19:
            self._accepted = {pair for pair in self._accepted if pair[1] != secret}

    def forget_credentials(self) -> None:
        self._accepted.clear()

    def authenticate(self, login: str, secret: str, now: datetime) -> int | None:
        """The user's id, or None for every refusal. Logins are case-sensitive."""
        user = next((user for user in self.by_id.values() if user.login == login), None)
        if user is not None and not secret and self.version == 18:
            raise OdooError("builtins.AssertionError", "scope and key required")
        return user.id if user and user.accepts(secret, now) else None

    def check(self, uid: object, secret: str, now: datetime) -> User:
        """The user behind `execute_kw`. Raises AccessDenied, or MissingError for an unknown uid."""
        if not uid or not isinstance(uid, int):
            raise access_denied()
        user = self.by_id.get(uid)
        if user is None:
            raise missing_error(
                f"Record does not exist or has been deleted.\n(Record: res.users({uid},), User: {uid})"
            )
        if user.active and (uid, secret) in self._accepted:
            return user
        if not user.accepts(secret, now):
            raise access_denied()
        if self.caches_credentials:
            self._accepted.add((uid, secret))
        return user

    def by_key(self, secret: str, now: datetime) -> User | None:
        """The active user a bearer key belongs to. JSON-2 never tries the password and caches nothing."""
        for user in self.by_id.values():
            if user.active and any(key.opens(secret, now) for key in user.keys):
                return user
        return None
