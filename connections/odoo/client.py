"""The few verbs we need of Odoo, keyword-only, the same over every protocol."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from connections.errors import Access, Contract, RemoteError
from connections.models import Connection
from connections.odoo.probe import PROTOCOLS, database_error, probe, read_version
from connections.odoo.responses import broken, mapping, records, whole_number
from connections.odoo.server_info import Server, Target, Wanted, identity_of
from connections.odoo.session import UTC_CONTEXT, Line

REFUSED = "odoo_refused_call"
UNKNOWN_MODEL = (REFUSED, "odoo_unknown_method")  # how an unknown model shows
# What a server answers that is another than we remember: it does not know a field, a method, a model or an
# argument. An order that breaks in Odoo may end in the same words.
CONTRADICTIONS = (*UNKNOWN_MODEL, "odoo_unknown_field", "odoo_unknown_model", "odoo_bad_call")
PROBED_JUST_NOW = timedelta(minutes=10)
SOURCE_LANGUAGE = "en_US"  # what terms are written in first; every server takes it, installed or not
LISTED_LANGUAGES = 10
LANGUAGE_CHARACTERS = 16
Domain = Sequence[Any]


def connect(
    connection: Connection,
    remembered: Server | None,
    *,
    now: datetime,
    wanted: Wanted,
    seconds: float = float("inf"),
    language: str | None = None,
    sleep: Callable[[float], object] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> "OdooClient":
    """A client that has asked nothing yet: its first use probes, unless `remembered` is still good.

    `seconds` is how long all its calls together may take; `language` is instead of the connection's.
    """
    identity = identity_of(connection, wanted)
    line = Line(Target.of(connection), now=now, seconds=seconds, sleep=sleep, monotonic=monotonic)
    server = remembered if remembered and remembered.is_good(identity, now) else None
    language = connection.language if language is None else language
    return OdooClient(line, server=server, wanted=wanted, identity=identity, language=language)


class OdooClient:
    """One user's view of one database. Every verb raises RemoteError. For one thread at a time.

    A Contract error may mean that the server is not what we remembered: `refresh()`, put the request
    together again from `server`, and try once more. `changed` says that `server` should be remembered;
    look at it after a failure as well.
    """

    def __init__(
        self, line: Line, *, server: Server | None, wanted: Wanted, identity: str, language: str = ""
    ) -> None:
        self.changed = False
        self._language = language
        self._language_is_there = language in ("", SOURCE_LANGUAGE)
        self._line = line
        self._server = server
        self._wanted = wanted
        self._identity = identity
        self._signed_in = False
        self._contradicted = self._asked_again = False

    @property
    def server(self) -> Server:
        """What we know of the server; asks it when nothing good is remembered."""
        return self._server or self.refresh()

    @property
    def known(self) -> Server | None:
        """The same without asking."""
        return self._server

    @property
    def calls(self) -> int:
        return self._line.calls

    @property
    def server_time(self) -> datetime | None:
        """The server's clock at the last answer, UTC, whole seconds."""
        return self._line.server_time

    def now(self) -> datetime:
        """Our own clock: the time `connect` was given, and what has passed since."""
        return self._line.now()

    @property
    def call_seconds(self) -> float:
        return self._line.call_seconds

    def refresh(self) -> Server:
        """Ask the server again what it is, unless that was done a few minutes ago.

        One that contradicts what we remember may have been upgraded since: it is asked at once, but only once
        for all that this client does.
        """
        known = self._server
        doubtful = self._contradicted and not self._asked_again
        if known is None or doubtful or self._line.now() - known.probed_at >= PROBED_JUST_NOW:
            self._asked_again |= doubtful
            self._server = known = probe(self._line, wanted=self._wanted, identity=self._identity)
            self._signed_in = self.changed = True
        return known

    def version(self) -> tuple[str, int]:
        """("saas~18.2", 18), asked afresh; needs neither database nor key."""
        return read_version(self._line)

    # --- Verbs

    def call(self, model: str, method: str, *, ids: Sequence[int] | None = None, **arguments: Any) -> Any:
        """Any method; `ids` for those of records."""
        server = self.server
        try:
            return self._call(model, method, ids, arguments)
        except RemoteError as error:
            self._contradicted |= error.code in CONTRADICTIONS
            if error.code == "odoo_database_down":
                raise self._without_database(error) from None
            if error.code in UNKNOWN_MODEL and not server.fields.get(model, True):
                raise Contract("odoo_unknown_model", model) from None
            raise

    def search_read(
        self,
        model: str,
        *,
        domain: Domain,
        fields: Iterable[str],
        order: str = "",
        limit: int | None = None,
        offset: int = 0,
    ) -> list[dict[str, Any]]:
        extra = _given(order=order, limit=limit, offset=offset, context=self._reading)
        try:
            return records(self.call(model, "search_read", domain=domain, fields=list(fields), **extra))
        except Contract as error:
            if error.code == REFUSED:  # a list of orders holds no names: only then is it worth a question
                self._require_language()
            raise

    def read(self, model: str, *, ids: Sequence[int], fields: Iterable[str]) -> list[dict[str, Any]]:
        """Archived records too; those that do not exist are left out."""
        self._require_language()
        extra = _given(context=self._reading)
        return records(self.call(model, "read", ids=ids, fields=list(fields), **extra))

    def web_search_read(
        self,
        model: str,
        *,
        domain: Domain,
        specification: Mapping[str, Any],
        order: str = "",
        limit: int | None = None,
    ) -> list[dict[str, Any]]:
        """Records with what hangs on them in one call, Odoo 17 and newer."""
        self._require_language()
        # With `count_limit` the server does not count what lies beyond the limit.
        extra = _given(order=order, limit=limit, count_limit=limit, context=self._reading)
        found = self.call(model, "web_search_read", domain=domain, specification=specification, **extra)
        return records(mapping(found).get("records"))

    def search_count(self, model: str, *, domain: Domain) -> int:
        return whole_number(self.call(model, "search_count", domain=domain))

    def fields_get(self, model: str, names: Iterable[str]) -> dict[str, Any]:
        """Unknown names are left out."""
        return mapping(self.call(model, "fields_get", allfields=list(names), attributes=["type"]))

    def languages(self) -> list[str]:
        """Codes of the installed languages, by name; any user may ask."""
        pairs = self.call("res.lang", "get_installed")
        if not isinstance(pairs, list):
            raise broken("no list of languages")
        return [pair[0] for pair in pairs if isinstance(pair, list) and pair and isinstance(pair[0], str)]

    @property
    def _reading(self) -> dict[str, str]:
        return {**UTC_CONTEXT, "lang": self._language} if self._language else {}

    def _require_language(self) -> None:
        """Before names are read, once: Odoo 16 and 17 give the source's without a word where it is missing.

        18 and newer refuse, with the error that means a hundred other things. Raises RemoteError.
        """
        if self._language_is_there:
            return
        try:
            installed = self.languages()
        except (Access, Contract):  # who may not ask is left with what the server itself says
            installed = [self._language]
        if self._language not in installed:
            raise missing_language(self._language, installed)
        self._language_is_there = True

    # --- How a call is made

    def _call(self, model: str, method: str, ids: Sequence[int] | None, arguments: Mapping[str, Any]) -> Any:
        try:
            return self._execute(model, method, ids, arguments)
        except RemoteError as error:
            if not self._signs_in_again(error):
                raise
        return self._execute(model, method, ids, arguments)

    def _execute(
        self, model: str, method: str, ids: Sequence[int] | None, arguments: Mapping[str, Any]
    ) -> Any:
        server = self.server
        return PROTOCOLS[server.protocol].execute(self._line, server.uid, model, method, ids, arguments)

    def _without_database(self, error: RemoteError) -> RemoteError:
        # JSON-2 shows the same page where a filter of databases stands in its way; JSON-RPC minds no filter.
        if self.server.protocol == "json2":
            self.refresh()
        return database_error(self._line, error)

    def _signs_in_again(self, error: RemoteError) -> bool:
        """Our user may have got another number: its own is asked for once. Raises Access when refused."""
        server = self.server
        doubtful = error.code in ("odoo_access_denied", "odoo_record_gone")
        if not doubtful or self._signed_in or server.protocol != "jsonrpc":
            return False
        self._signed_in = True
        uid = PROTOCOLS[server.protocol].sign_in(self._line)
        self.changed = self.changed or uid != server.uid
        self._server = replace(server, uid=uid)
        return uid != server.uid or error.code == "odoo_access_denied"


def missing_language(language: str, installed: Sequence[str]) -> Contract:
    shown = ", ".join(code[:LANGUAGE_CHARACTERS] for code in installed[:LISTED_LANGUAGES])
    return Contract("odoo_language_missing", f"{language}; the server has: {shown}")


def _given(**arguments: Any) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value}
