"""`/json/2/<model>/<method>` of Odoo 19: bearer keys, named arguments, real HTTP statuses."""

import json
from collections.abc import Mapping
from typing import Any

from sandbox.http.answer import Answer, Run, json_answer
from sandbox.odoo.access import User
from sandbox.odoo.errors import OdooError, http_error
from sandbox.odoo.html_pages import NO_DATABASE, wrong_content_type
from sandbox.odoo.jsonrpc import traceback_of
from sandbox.odoo.orm import Env, Method
from sandbox.odoo.schema import has_model
from sandbox.odoo.shop import Shop

_ROUTE = "/json/2/&lt;__model__&gt;/&lt;__method__&gt;"


class Json2:
    """The JSON-2 endpoint of one server."""

    def __init__(self, shops: Mapping[str, Shop], bare: frozenset[str]) -> None:
        self.shops = shops
        self.bare = bare

    def prepare(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[str, Run]:
        """The database the request is for and the rest of the work."""
        database = headers.get("x-odoo-database", "") or self._only_database()

        def run(pg_down: bool) -> Answer:
            shop = self.shops.get(database)
            if shop is None or pg_down:
                return NO_DATABASE
            return self._answer(shop, method, path, headers, body)

        return database, run

    def _only_database(self) -> str:
        names = [*self.shops, *self.bare]
        return names[0] if len(names) == 1 else ""

    def _answer(self, shop: Shop, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            parts = path.removeprefix("/json/2/").split("/")
            if method != "POST" or len(parts) != 2:
                raise http_error("NotFound", "Did you mean POST /json/2/<model>/<method>?", 404)
            if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
                return wrong_content_type(shop.version, _ROUTE, "json2")
            user = self._user(shop, headers.get("authorization", ""))
            result = self._call(shop, user, parts[0], parts[1], _parse(body))
        except OdooError as error:
            return self._refusal(shop, error)
        except Exception as error:  # a real server, too, answers whatever a bad argument sets off
            return self._refusal(shop, OdooError(f"builtins.{type(error).__name__}", str(error)))
        return json_answer(result, headers={"X-Content-Type-Options": "nosniff"})

    def _user(self, shop: Shop, authorization: str) -> User:
        scheme, _, key = authorization.partition(" ")
        if scheme.lower() != "bearer":
            text = "User not authenticated, use an API Key with a Bearer Authorization header."
            raise http_error("Unauthorized", text, 401)
        user = shop.users.by_key(key.strip(), shop.world.clock())
        if user is None:
            raise http_error("Unauthorized", "Invalid apikey", 401)
        return user

    def _call(self, shop: Shop, user: User, model: str, name: str, params: dict[str, Any]) -> Any:
        if not has_model(model):
            raise http_error("NotFound", f"the model '{model}' does not exist", 404)
        ids, context = params.pop("ids", []), params.pop("context", None)
        env = Env(shop, user, context)
        try:
            method = env.method(model, name)
        except LookupError as error:
            text = f"The method '{model}.{name}' does not exist"
            raise http_error("NotFound", text, 404) from error
        if ids and not method.on_records:
            raise http_error("UnprocessableEntity", f"cannot call {model}.{name} with ids", 422)
        _check_arguments(method, params)
        shop.calls[model, name] += 1
        return env.run(model, name, method, list(ids), [], params)

    def _refusal(self, shop: Shop, error: OdooError) -> Answer:
        by_http = error.name.startswith("werkzeug.")
        value: dict[str, Any] = {
            "name": error.name,
            "message": error.message,
            "arguments": [error.message, error.status] if by_http else [error.message],
            "context": {},
            "debug": traceback_of(shop.version, error),
        }
        headers = {"WWW-Authenticate": "Bearer "} if error.status == 401 else {}
        return json_answer(value, error.status, headers)


def _check_arguments(method: Method, params: Mapping[str, Any]) -> None:
    try:
        method.signature.bind(**params)
    except TypeError as error:
        raise http_error("UnprocessableEntity", str(error), 422) from None


def _parse(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")  # the standard library's, for its error texts
    except json.JSONDecodeError as error:
        raise http_error("BadRequest", f"could not parse the body as json: {error}", 400) from None
    return value if isinstance(value, dict) else {}
