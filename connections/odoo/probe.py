"""What kind of Odoo answers: its version, the protocol it takes our key on, the fields it has."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from connections.errors import Access, Contract, Permanent, RemoteError, Temporary
from connections.odoo import json2, jsonrpc
from connections.odoo.responses import WEB_PAGE, broken, mapping, page_result
from connections.odoo.server_info import Server, Wanted
from connections.odoo.session import Line

JSON2_SINCE = 19
LISTED_NAMES = 5
NAME_CHARACTERS = 63  # PostgreSQL has no longer ones
_VERSION = re.compile(r"(?:saas[~-])?([0-9]{1,3})\.[0-9]{1,3}")


class Speaks(Protocol):
    """What each protocol's module offers."""

    def sign_in(self, line: Line) -> int: ...

    def execute(
        self,
        line: Line,
        uid: int,
        model: str,
        method: str,
        ids: Sequence[int] | None,
        arguments: Mapping[str, Any],
    ) -> Any: ...


PROTOCOLS: Mapping[str, Speaks] = {"jsonrpc": jsonrpc, "json2": json2}


def probe(line: Line, *, wanted: Wanted, identity: str) -> Server:
    """Ask a server what it is. Raises RemoteError."""
    version, major = read_version(line)
    try:
        protocol, uid = _sign_in(line, major)
    except Temporary as error:
        raise database_error(line, error) from None
    fields = {model: _fields(line, protocol, uid, model, names) for model, names in wanted.items()}
    return Server(
        protocol=protocol,
        version=version,
        major=major,
        uid=uid,
        fields=fields,
        identity=identity,
        probed_at=line.now(),
    )


def read_version(line: Line) -> tuple[str, int]:
    """("saas~18.2", 18). Works without a database, and while Odoo's own database is down."""
    try:
        return _version(jsonrpc.call(line, "common", "version", []))
    except RemoteError as error:
        if not _closes_one_way(error):
            raise
        refused = error
    try:
        # Where /jsonrpc is closed, or gone (Odoo 22).
        return _version(line.ask("/web/version", page_result))
    except RemoteError as error:
        raise (refused if _closes_one_way(error) else error) from None


def _version(result: Any) -> tuple[str, int]:
    told = mapping(result)
    text = told.get("server_serie") or told.get("server_version") or told.get("version")
    found = _VERSION.match(text) if isinstance(text, str) else None
    if not found:
        raise broken("no version")
    return found[0], int(found[1])


def _sign_in(line: Line, major: int) -> tuple[str, int]:
    wish = line.target.protocol
    if wish == "json2":
        return "json2", json2.sign_in(line)
    if wish == "jsonrpc" or major < JSON2_SINCE:
        return "jsonrpc", jsonrpc.sign_in(line)
    try:
        return "json2", json2.sign_in(line)
    except (Permanent, Temporary) as error:
        if isinstance(error, Temporary) and error.code not in ("odoo_database_down", WEB_PAGE):
            raise
        refused = error
    # A password is no key for JSON-2, and a filter of databases by host name may stand in its way.
    try:
        return "jsonrpc", jsonrpc.sign_in(line)
    except (Contract, Temporary) as error:
        if isinstance(error, Temporary) and error.code != WEB_PAGE:
            raise
        raise refused from None


def _closes_one_way(error: RemoteError) -> bool:
    """Whether another path may be open: Odoo refused this one, or something in front of it showed a page."""
    return isinstance(error, Access | Contract) or error.code == WEB_PAGE


def _fields(line: Line, protocol: str, uid: int, model: str, names: Iterable[str]) -> frozenset[str]:
    """Those of `names` that the server has, and our user may see; a model it does not have has none."""
    wish = {"allfields": sorted(names), "attributes": ["type"]}
    try:
        found = mapping(PROTOCOLS[protocol].execute(line, uid, model, "fields_get", None, wish))
    except (Access, Contract) as error:
        if error.code in ("odoo_refused_call", "odoo_unknown_method", "odoo_no_rights"):
            return frozenset()
        raise
    return frozenset(names) & frozenset(found)


def database_error(line: Line, error: RemoteError) -> RemoteError:
    """Tells a database that does not exist from one that is down; both look alike at first.

    A wrong name stays Temporary: databases are renamed, restored and moved, and then it is right again.
    """
    if error.code != "odoo_database_down":
        return error
    try:
        names = jsonrpc.call(line, "db", "list", [])
    except RemoteError:
        names = None
    if not isinstance(names, list) or not names:
        missing, detail = _fares_like_a_missing_one(line), error.detail
    else:
        missing = line.target.database not in names
        shown = [name[:NAME_CHARACTERS] for name in names[:LISTED_NAMES] if isinstance(name, str)]
        detail = "the server has: " + ", ".join(shown)
    return Temporary("odoo_wrong_database", detail) if missing else error


def _fares_like_a_missing_one(line: Line) -> bool:
    """Where databases are not listed: a name that surely does not exist gets the same error as ours.

    A PostgreSQL that is down complains without naming the database, whatever language it speaks.
    """
    ours = line.target.database
    nobody = hashlib.sha256(ours.encode()).hexdigest()[: max(len(ours), 16)]
    message = _message_for(line, nobody)
    return nobody in message and message.replace(nobody, ours) == _message_for(line, ours)


def _message_for(line: Line, database: str) -> str:
    try:
        jsonrpc.call(line, "common", "authenticate", [database, line.target.username, "", {}])
    except RemoteError as error:
        return error.detail if error.code == "odoo_database_down" else ""
    return ""
