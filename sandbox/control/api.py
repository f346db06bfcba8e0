"""The control of a running sandbox: what it holds and what it got, and the levers to make trouble."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import orjson

from sandbox.control.page import render_page
from sandbox.http.answer import Answer, html_answer, json_answer
from sandbox.odoo.daily_life import Life
from sandbox.receiver.receiver import Hook, Receiver

T = TypeVar("T")
_LOCAL = {"127.0.0.1", "localhost", "::1"}
_TOTALS = ("requests", "deliveries", "events", "duplicates", "stale", "signature_ok", "signature_bad")


class Control:
    """`GET /`, `/control/stats`, `/control/orders`, `POST /control`; everything else is the receiver's."""

    def __init__(self, lives: Mapping[str, Life], receiver: Receiver) -> None:
        self.lives = lives
        self.receiver = receiver

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer one HTTP request. `headers` have lower-case names."""
        route = path.partition("?")[0]
        if route.startswith("/hook/"):
            return self.receiver.handle(method, path, headers, body)
        if not _from_here(headers):
            return json_answer({"error": "the control answers only pages of its own"}, 403)
        if method == "POST" and route == "/control":
            return self._command(headers, body)
        pages: dict[str, Callable[[], Answer]] = {
            "/": lambda: html_answer(render_page(self.lives, self.receiver), 200),
            "/control/stats": lambda: json_answer(self.stats()),
            "/control/orders": lambda: json_answer(self.orders()),
        }
        if method == "GET" and route in pages:
            return pages[route]()
        return json_answer(
            {"error": "there are /, /control, /control/stats, /control/orders, /hook/<name>"}, 404
        )

    # --- what there is ------------------------------------------------------------------------------

    def stats(self) -> dict[str, Any]:
        """Counts: `totals` over all hooks, `hooks` and `shops` by name."""
        hooks = {name: hook.stats() for name, hook in self.receiver.hooks.items()}
        totals = {name: sum(each[name] for each in hooks.values()) for name in _TOTALS}
        shops = {name: _shop_stats(life) for name, life in self.lives.items()}
        return {"totals": totals, "hooks": hooks, "shops": shops}

    def orders(self) -> dict[str, Any]:
        """To compare both sides: each shop's orders by state, each hook's latest version per order."""
        return {
            "shops": {
                name: {str(row["id"]): row["state"] for row in life.shop.world.rows("sale.order")}
                for name, life in self.lives.items()
            },
            "hooks": {name: hook.versions for name, hook in self.receiver.hooks.items()},
        }

    # --- what can be done ---------------------------------------------------------------------------

    def _command(self, headers: Mapping[str, str], body: bytes) -> Answer:
        from_page = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        try:
            command = (
                dict(parse_qsl(body.decode(), keep_blank_values=True)) if from_page else orjson.loads(body)
            )
            self.apply(command)
        except (ValueError, TypeError) as error:
            return json_answer({"error": str(error)}, 400)
        if from_page:
            return Answer(303, b"", {"Location": "/"})
        return json_answer({"ok": True})

    def apply(self, command: Mapping[str, Any]) -> None:
        """Carry out one command; as the page and benches send it. Raises ValueError."""
        if not isinstance(command, dict):
            raise ValueError("a command is a JSON object")
        if command.get("reset"):
            self._reset()
        elif "hook" in command:
            for hook in _chosen(self.receiver.hooks, command["hook"], self.receiver.hook):
                self._set_hook(hook, command)
        elif "shop" in command:
            for life in _chosen(self.lives, command["shop"]):
                self._set_shop(life, command)
        else:
            raise ValueError('a command names a "hook" or a "shop" ("*" for all), or says "reset"')

    def _reset(self) -> None:
        for hook in self.receiver.hooks.values():
            hook.reset()
        for life in self.lives.values():
            life.shop.faults.clear()
            life.shop.faults.latency_seconds = 0.0
            life.shop.calls.clear()

    def _set_hook(self, hook: Hook, command: Mapping[str, Any]) -> None:
        if "latency" in command:
            hook.latency_seconds = float(command["latency"])
        if "secret" in command:
            hook.secrets = tuple(part for part in str(command["secret"]).split() if part)
        if "mode" in command:
            self.receiver.set_mode(
                hook.name,
                str(command["mode"]),
                status=int(command.get("status", 500)),
                seconds=float(command.get("seconds", 3600)),
                retry_after=str(command.get("retry_after", "")),
                count=_number(command, "count"),
            )

    def _set_shop(self, life: Life, command: Mapping[str, Any]) -> None:
        faults = life.shop.faults
        if "fault" in command:
            retry_after = command.get("retry_after")
            faults.set(
                str(command["fault"] or ""),
                count=_number(command, "count"),
                retry_after=None if retry_after is None else str(retry_after),
            )
        if "latency" in command:
            faults.latency_seconds = float(command["latency"])
        if "rate" in command:
            life.per_minute = float(command["rate"])
        if "late" in command:
            life.confirm_late(float(command["late"]))
        self._act(life, command)

    def _act(self, life: Life, command: Mapping[str, Any]) -> None:
        if "confirm" in command:
            life.confirm_now(int(command["confirm"]))
        actions = {
            "change": life.change,
            "touch": life.shop.touch,
            "edit_text": life.edit_text,
            "edit_address": life.edit_address,
            "lock": life.shop.lock,
            "cancel": life.cancel,
        }
        for name in actions.keys() & command.keys():
            for order_id in life.open_orders(int(command[name])):
                actions[name](order_id)


def _shop_stats(life: Life) -> dict[str, Any]:
    states: dict[str, int] = {}
    for row in life.shop.world.rows("sale.order"):
        states[row["state"]] = states.get(row["state"], 0) + 1
    return {
        "version": life.shop.version,
        "orders": sum(states.values()),
        "states": states,
        "calls": {f"{model}.{method}": n for (model, method), n in sorted(life.shop.calls.items())},
        "fault": life.shop.faults.kind,
    }


def _chosen(known: Mapping[str, T], name: str, make: Callable[[str], T] | None = None) -> list[T]:
    if name == "*":
        return list(known.values())
    if name not in known and make is None:
        raise ValueError(f"there is no {name!r}; there are: {', '.join(known)}")
    return [known[name] if make is None else make(name)]


def _number(command: Mapping[str, Any], name: str) -> int | None:
    value = command.get(name)
    return None if value in (None, "") else int(value)


def _from_here(headers: Mapping[str, str]) -> bool:
    """A page of another site must not reach the control, not even by a name that resolves to loopback."""
    host = urlsplit(f"//{headers.get('host', '')}").hostname
    origin = headers.get("origin")
    return host in _LOCAL and (origin is None or urlsplit(origin).hostname in _LOCAL)
