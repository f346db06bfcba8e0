"""`/jsonrpc`: the services common, db and object, with errors as each version words them."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from sandbox.http.answer import Answer, Run, html_answer, json_answer
from sandbox.odoo.errors import (
    OdooError,
    access_denied,
    no_database,
    postgres_down,
    type_error,
    user_error,
    value_error,
)
from sandbox.odoo.html_pages import wrong_content_type
from sandbox.odoo.orm import Env
from sandbox.odoo.schema import has_model
from sandbox.odoo.shop import Shop

_NOSNIFF = {"X-Content-Type-Options": "nosniff"}


class JsonRpc:
    """The `/jsonrpc` endpoint of one server."""

    def __init__(self, shops: Mapping[str, Shop], bare: frozenset[str], list_databases: bool) -> None:
        self.shops = shops
        self.bare = bare
        self.list_databases = list_databases

    @property
    def version(self) -> int:
        return next(iter(self.shops.values())).version

    def version_info(self) -> dict[str, Any]:
        serie = f"{self.version}.0"
        return {
            "server_version": serie,
            "server_version_info": [self.version, 0, 0, "final", 0, ""],
            "server_serie": serie,
            "protocol_version": 1,
        }

    def prepare(self, method: str, headers: Mapping[str, str], body: bytes) -> tuple[str, Run]:
        """The database the request is for ("" when it names none) and the rest of the work."""
        mimetype = headers.get("content-type", "").partition(";")[0].strip()
        if method != "POST" or mimetype not in ("application/json", "application/json-rpc"):
            refused = wrong_content_type(self.version, "/jsonrpc", "jsonrpc")
            return "", lambda pg_down: refused
        try:
            request = orjson.loads(body)
        except orjson.JSONDecodeError:
            return "", lambda pg_down: html_answer("Invalid JSON data", 400, _NOSNIFF)
        if not isinstance(request, dict):
            return "", lambda pg_down: html_answer("Invalid JSON-RPC data", 400, _NOSNIFF)
        params = request.get("params") or {}
        args = params.get("args") or []
        named = params.get("service") in ("common", "object") and args and isinstance(args[0], str)
        return args[0] if named else "", lambda pg_down: self._answer(request, params, args, pg_down)

    def _answer(self, request: Any, params: Mapping[str, Any], args: list[Any], pg_down: bool) -> Answer:
        head = {"jsonrpc": "2.0", "id": request.get("id")}
        try:
            result = self._dispatch(params.get("service", ""), params.get("method", ""), args, pg_down)
        except OdooError as error:
            return json_answer(head | {"error": self._error(error)})
        except Exception as error:  # a real server, too, answers whatever a bad argument sets off
            unexpected = OdooError(f"builtins.{type(error).__name__}", str(error))
            return json_answer(head | {"error": self._error(unexpected)})
        return json_answer(head | {"result": result}, headers=_NOSNIFF)

    def _error(self, error: OdooError) -> dict[str, Any]:
        data = {"name": error.name, "message": error.message, "arguments": [error.message], "context": {}}
        return {
            "code": 0 if self.version >= 19 else 200,
            "message": "Odoo Server Error",
            "data": data | {"debug": traceback_of(self.version, error)},
        }

    def _dispatch(self, service: str, method: str, args: list[Any], pg_down: bool) -> Any:
        services: dict[str, Callable[[str, list[Any], bool], Any]] = {
            "common": self._common,
            "db": self._db,
            "object": self._object,
        }
        if service not in services:
            raise OdooError("builtins.KeyError", service)
        return services[service](method, args, pg_down)

    def _common(self, method: str, args: list[Any], pg_down: bool) -> Any:
        if method == "version":
            return self.version_info()
        if method in ("authenticate", "login"):
            names = ["db", "login", "password", *(["user_agent_env"] if method == "authenticate" else [])]
            _require(f"exp_{method}", names, args)
            shop = self._shop(args[0], pg_down)
            shop.calls["common", method] += 1
            return shop.users.authenticate(args[1], args[2], shop.world.clock()) or False
        raise _no_method(method)

    def _db(self, method: str, args: list[Any], pg_down: bool) -> Any:
        if method == "server_version":
            return self.version_info()["server_version"]
        if method == "list":
            if not self.list_databases:
                raise access_denied()
            return sorted([*self.shops, *self.bare])
        raise _no_method(method)

    def _object(self, method: str, args: list[Any], pg_down: bool) -> Any:
        if method not in ("execute_kw", "execute"):
            raise OdooError("builtins.NameError", f"Method not available {method}")
        if len(args) < 5:
            raise self._too_few(method, args)
        database, uid, secret, model, name, *rest = args
        shop = self._shop(database, pg_down)
        user = shop.users.check(uid, secret, shop.world.clock())
        positional, named = (rest[0] if rest else [], rest[1] if len(rest) > 1 else {})
        if method == "execute":
            positional, named = rest, {}
        named = dict(named or {})
        env = Env(shop, user, named.pop("context", None))
        return self._call(env, model, name, list(positional), named)

    def _call(self, env: Env, model: str, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if not has_model(model):
            raise user_error(f"Object {model} doesn't exist")
        env.shop.calls[model, name] += 1
        try:
            return env.call(model, name, args, kwargs)
        except LookupError as error:
            raise self._unknown_method(model, name) from error

    def _unknown_method(self, model: str, name: str) -> OdooError:
        texts = {
            16: f"type object '{model}' has no attribute '{name}'",
            17: f"The method '{name}' does not exist on the model '{model}'",
        }
        default = f"The method '{model}.{name}' does not exist"
        return OdooError("builtins.AttributeError", texts.get(self.version, default), 404)

    def _too_few(self, method: str, args: list[Any]) -> OdooError:
        if self.version >= 19:
            return value_error(f"not enough values to unpack (expected at least 5, got {len(args)})")
        try:
            _require(method, ["db", "uid", "passwd", "obj", "method", "args"], args)
        except OdooError as error:
            return error
        return type_error(f"{method}() missing 1 required positional argument: 'args'")

    def _shop(self, database: str, pg_down: bool) -> Shop:
        if pg_down:
            raise postgres_down()
        if database in self.bare:
            raise OdooError("builtins.KeyError", "res.users")
        if database not in self.shops:
            raise no_database(database)
        return self.shops[database]


def traceback_of(version: int, error: OdooError) -> str:
    """A stand-in for the traceback a server sends along; AccessDenied comes without one since 19."""
    last = f"{error.name.removeprefix('builtins.')}: {error.message}\n"
    if version >= 19 and error.name.endswith("AccessDenied"):
        return last
    frames = (
        ("odoo/http.py", "_serve_db"),
        ("odoo/service/model.py", "retrying"),
        ("odoo/http.py", "dispatch"),
    )
    lines = [
        f'  File "{file}", line {100 + number}, in {name}\n' for number, (file, name) in enumerate(frames)
    ]
    return "Traceback (most recent call last):\n" + "".join(lines) + last


def _no_method(method: str) -> OdooError:
    return OdooError("builtins.Exception", f"Method not found: {method}")


def _require(function: str, names: list[str], args: list[Any]) -> None:
    missing = [repr(name) for name in names[len(args) :]]
    if not missing:
        return
    listed = " and ".join(missing) if len(missing) < 3 else f"{', '.join(missing[:-1])}, and {missing[-1]}"
    plural = "s" if len(missing) > 1 else ""
    raise type_error(f"{function}() missing {len(missing)} required positional argument{plural}: {listed}")
