"""JSON-2 at /json/2/<model>/<method>: Odoo 19 and newer."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from connections.errors import Access
from connections.odoo.responses import json2_result, mapping, whole_number
from connections.odoo.session import UTC_CONTEXT, Line


def sign_in(line: Line) -> int:
    """Our user's number. The key alone says who we are."""
    if not line.target.key:
        raise Access("odoo_access_denied", "no API key")
    return whole_number(mapping(execute(line, 0, "res.users", "context_get", None, {})).get("uid"))


def execute(
    line: Line, uid: int, model: str, method: str, ids: Sequence[int] | None, arguments: Mapping[str, Any]
) -> Any:
    """Raises RemoteError."""
    target = line.target
    named = {"context": {**UTC_CONTEXT}, **arguments}
    body = orjson.dumps({**named, "ids": list(ids)} if ids is not None else named)
    headers = {"Authorization": f"bearer {target.key.reveal()}", "X-Odoo-Database": target.database}
    return line.ask(f"/json/2/{model}/{method}", json2_result, body=body, headers=headers)
