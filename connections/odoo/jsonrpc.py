"""JSON-RPC at /jsonrpc: Odoo 14 to 21."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from connections.errors import Access, RemoteError, Temporary
from connections.odoo.responses import rpc_result
from connections.odoo.session import UTC_CONTEXT, Line

# Arguments whose name differs between versions, so that only their place is the same everywhere.
_BY_PLACE = {
    "search_count": ("domain",),
    "check_access_rights": ("operation",),
    "has_access": ("operation",),
    "has_group": ("group_ext_id",),
}


def sign_in(line: Line) -> int:
    """Our user's number. Dear for the server (a password hash), so not to be done on every poll."""
    target = line.target
    if not target.key:
        raise Access("odoo_access_denied", "no API key")
    credentials = [target.database, target.username, target.key.reveal(), {}]
    try:
        uid = call(line, "common", "authenticate", credentials)
    except Temporary as error:
        raise _without_odoo(error) from None
    if type(uid) is not int:
        raise Access("odoo_access_denied", "user name and key do not fit")
    return uid


def _without_odoo(error: Temporary) -> RemoteError:
    # A PostgreSQL database in which no Odoo was ever installed misses the table of users.
    if error.code == "odoo_server_error" and error.detail == "KeyError: res.users":
        return Temporary("odoo_wrong_database", "a database without Odoo in it")
    return error


def execute(
    line: Line, uid: int, model: str, method: str, ids: Sequence[int] | None, arguments: Mapping[str, Any]
) -> Any:
    """Raises RemoteError."""
    target, named = line.target, {"context": {**UTC_CONTEXT}, **arguments}
    places: list[Any] = [] if ids is None else [list(ids)]
    places += [named.pop(name) for name in _BY_PLACE.get(method, ()) if name in named]
    key = target.key.reveal()
    return call(line, "object", "execute_kw", [target.database, uid, key, model, method, places, named])


def call(line: Line, service: str, method: str, args: Sequence[Any]) -> Any:
    params = {"service": service, "method": method, "args": args}
    body = orjson.dumps({"jsonrpc": "2.0", "method": "call", "params": params, "id": line.calls + 1})
    return line.ask("/jsonrpc", rpc_result, body=body)
