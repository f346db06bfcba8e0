"""What Odoo tells of our user without being asked to read orders: whose orders it sees, when its key ends."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from connections.errors import Contract, RemoteError
from connections.odoo.client import OdooClient

KEYS_END_SINCE = 18
RECORDS_SINCE = 18  # `has_group` is a method of records
ALL_ORDERS = "sales_team.group_sale_salesman_all_leads"
OWN_ORDERS = "sales_team.group_sale_salesman"
SHOWN_CHARACTERS = 100
HIDDEN_COMPANY = "hidden_company"


class SalesRights(Enum):
    """Whose orders a user sees: Odoo hides the others without an error."""

    ALL = "all"
    OWN = "own"
    NONE = "none"  # in neither group of the sales app, as a portal user


def sales_rights(client: OdooClient) -> SalesRights:
    """Only the user's groups tell. Raises RemoteError."""
    if in_group(client, ALL_ORDERS):
        return SalesRights.ALL
    return SalesRights.OWN if in_group(client, OWN_ORDERS) else SalesRights.NONE


def in_group(client: OdooClient, group: str) -> bool:
    ids = [client.server.uid] if client.server.major >= RECORDS_SINCE else None
    return client.call("res.users", "has_group", ids=ids, group_ext_id=group) is True


def key_ends(client: OdooClient) -> list[tuple[datetime, str]]:
    """When the user's API keys end, soonest first, with names; Odoo 18 and newer. Raises RemoteError."""
    if client.server.major < KEYS_END_SINCE:
        # Not even asked: an unknown field leaves a traceback in the server's log.
        raise Contract("odoo_unknown_field", "keys have no end before Odoo 18")
    keys = client.search_read(
        "res.users.apikeys",
        domain=[["user_id", "=", client.server.uid]],
        fields=["name", "expiration_date"],
    )
    ends = [(_expiry(key.get("expiration_date")), shown(key.get("name"))) for key in keys]
    return sorted((end, name) for end, name in ends if end is not None)


def company_ids(client: OdooClient) -> list[int]:
    """The companies that the user sees. Raises RemoteError."""
    me = client.read("res.users", ids=[client.server.uid], fields=["company_ids"])
    listed = me[0].get("company_ids") if me else None
    return [number for number in listed if type(number) is int] if isinstance(listed, list) else []


def hidden_company(client: OdooClient, company_id: int | None) -> dict[str, int]:
    """The company of the connection where the user does not see it: of such a one Odoo shows no order."""
    try:
        is_hidden = company_id is not None and company_id not in company_ids(client)
    except RemoteError:  # this server does not say
        return {}
    return {HIDDEN_COMPANY: company_id} if is_hidden and company_id is not None else {}


def look(client: OdooClient, company_id: int | None = None) -> Mapping[str, Any]:
    """What is worth remembering of the account; what a server does not say is left out."""
    found: dict[str, Any] = {**hidden_company(client, company_id)}
    try:
        rights = sales_rights(client)
    except RemoteError:
        rights = SalesRights.ALL  # a server that does not say
    found["own_documents_only"] = rights is SalesRights.OWN
    found["no_sales_rights"] = rights is SalesRights.NONE
    try:
        ends = key_ends(client)
    except RemoteError:
        ends = []
    if ends:
        found["key_ends_at"] = ends[0][0].isoformat()
    return found


def shown(text: object) -> str:
    """What a server calls something, short enough for a page; "" for what is no text."""
    return text[:SHOWN_CHARACTERS] if isinstance(text, str) else ""


def _expiry(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text).replace(tzinfo=UTC) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment if moment and 2000 <= moment.year < 9000 else None
