"""The recordings as data, and shops filled with the records that real servers handed out."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sandbox.odoo.access import SALES_MODELS, ApiKey
from sandbox.odoo.schema import fields_of
from sandbox.odoo.shop import Shop

FOLDER = Path(__file__).parents[2] / "recordings"
AFTER = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
FIRST_UID = {16: 8, 17: 8, 18: 8, 19: 7}


def recordings(version, *groups):
    """(name, recording) of every file of those groups, in order."""
    for path in sorted((FOLDER / f"v{version}").glob("*.json")):
        if any(path.name.startswith(f"{group}-") and path.name[len(group) + 1].isdigit() for group in groups):
            yield path.stem, json.loads(path.read_text())


def replay(odoo, recording):
    """The sandbox's answer to a recorded request."""
    request = recording["request"]
    body = json.dumps(request["json"]) if "json" in request else request.get("text") or ""
    return odoo.handle(request["method"], request["path"], request["headers"], body.encode())


def body_of(answer):
    if answer.headers["Content-Type"].startswith("application/json"):
        return json.loads(answer.body)
    return answer.body.decode()


def recorded_shop(version, clock=lambda: AFTER):
    """A shop with the recorded records, users and keys of that version."""
    shop = Shop(version, f"odoo{version}", clock, empty=True)
    add_users(shop)
    records = {}
    for _, recording in recordings(version, "execute_kw", "json2"):
        harvest(records, version, *model_and_result(recording))
    records["sale.order"] = with_unseen_orders(records["sale.order"])
    with shop.begin() as tx:
        for model, rows in records.items():
            for row in rows.values():
                tx.create(model, stored(model, row))
    return shop


def with_unseen_orders(known):
    """All 124 orders a server had: 24 of the demo data, 100 made; some were seen only as a count."""
    orders = {key: row for key, row in known.items() if "state" in row}
    for number in range(1, 125):
        written = "2026-11-20 10:00:00" if number < 25 else "2026-11-20 13:00:00"
        bare = {"name": f"S{number:05d}", "state": "sale", "write_date": written, "date_order": written}
        orders.setdefault(number, {"id": number, **bare})
    return orders


def add_users(shop):
    poller, nosales, ownonly, gone = range(FIRST_UID[shop.version], FIRST_UID[shop.version] + 4)
    shop.add_user(2, "admin", "Mitchell Admin")
    user = shop.add_user(poller, "poller@example.com", "Order Poller", password="PASSWORD_POLLER")
    user.keys += [
        ApiKey("API_KEY_POLLER"),
        ApiKey("API_KEY_POLLER_SCOPE_RPC", scope="rpc"),
        ApiKey("API_KEY_POLLER_OTHER_SCOPE", scope="other"),
        ApiKey("API_KEY_EXPIRED", expires_at=AFTER - timedelta(hours=9)),
    ]
    shop.add_user(nosales, "nosales@example.com", key="API_KEY_NOSALES", denied=SALES_MODELS)
    own = shop.add_user(
        ownonly, "ownonly@example.com", "Own Documents Only", key="API_KEY_OWNONLY", own_documents=True
    )
    own.keys.append(ApiKey("API_KEY_REVOKED"))
    shop.add_user(
        gone, "gone@example.com", password="PASSWORD_DEACTIVATED_USER", key="API_KEY_DEACTIVATED_USER"
    )


def model_and_result(recording):
    request, result = recording["request"], recording["response"].get("json")
    if request["path"].startswith("/json/2/"):
        return request["path"].split("/")[3], result
    args = request["json"]["params"]["args"]
    return args[3], result.get("result") if isinstance(result, dict) else None


def harvest(records, version, model, result):
    """Collect the records of an answer, and those its many2one and nested values speak of."""
    rows = result.get("records") if isinstance(result, dict) else result
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict):
            harvest_row(records, version, model, row)


def harvest_row(records, version, model, row):
    known = records.setdefault(model, {}).setdefault(row["id"], {"id": row["id"]})
    fields = fields_of(version, model)
    for name, value in row.items():
        if name not in fields:
            continue
        relation = fields[name].relation
        if relation and isinstance(value, dict):
            harvest_row(records, version, relation, value)
            value = value["id"]
        elif relation and isinstance(value, list) and value and isinstance(value[0], dict):
            harvest(records, version, relation, value)
            value = [each["id"] for each in value]
            for each in value if fields[name].inverse else []:
                records[relation][each][fields[name].inverse] = row["id"]
        elif fields[name].type == "many2one" and value and isinstance(value, list):
            stub = records.setdefault(relation, {}).setdefault(value[0], {"id": value[0]})
            stub.setdefault("display_name", value[1])
            value = value[0]
        if not fields[name].inverse:
            known[name] = value


def stored(model, row):
    """As the database holds it: moments with microseconds, lines that know their order."""
    values = dict(row)
    if "name" in values:
        values.pop("display_name", None)  # the sandbox has to compose it
    values.setdefault("name", values.get("display_name"))
    for name in ("write_date", "date_order", "create_date", "commitment_date"):
        if values.get(name):
            values[name] = datetime.fromisoformat(values[name]).replace(tzinfo=UTC)
    if model == "sale.order":
        values = {"company_id": 1, "user_id": 2, **values}
        values["write_date"] = values["write_date"].replace(microsecond=400_000)
    return values
