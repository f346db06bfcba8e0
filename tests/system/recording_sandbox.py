"""The sandbox with a witness: what each delivery was, byte for byte, and how many calls a shop had at once.

`python -m tests.system.recording_sandbox` takes the options of `manage.py sandbox`; `GET /control/evidence`
answers JSON.
"""

import hashlib
import sys
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Any

import django

from sandbox.http.answer import Answer, json_answer
from sandbox.management.commands import sandbox
from sandbox.odoo.daily_life import Life
from sandbox.odoo.server import Odoo
from sandbox.odoo.shop import Shop
from sandbox.run import Stage

LATEST_REQUESTS = 1_000_000


class Calls:
    """Of one shop: how many there were, and how many at the same time."""

    def __init__(self) -> None:
        self.count = self.most_at_once = 0
        self._busy_until: list[float] = []

    def begin(self, seconds: float) -> None:
        """A call that is answered in so many seconds."""
        now = time.monotonic()
        self._busy_until = [until for until in self._busy_until if until > now]
        self._busy_until.append(now + seconds)
        self.count += 1
        self.most_at_once = max(self.most_at_once, len(self._busy_until))


class Witness:
    """Stands before the servers of a stage and writes down what passes."""

    def __init__(self, stage: Stage) -> None:
        self.lives, self.receiver = stage.lives, stage.receiver
        self.requests: deque[dict[str, Any]] = deque(maxlen=LATEST_REQUESTS)
        # By hook and order: the newest version accepted, and its body.
        self.bodies: dict[str, dict[str, tuple[int, Any]]] = defaultdict(dict)
        self.calls = {database: Calls() for database in stage.lives}
        self._shop = ""
        self._control = stage.control.handle
        stage.control.handle = self._handle  # type: ignore[method-assign]
        for odoo in stage.odoos.values():
            self._watch_calls(odoo)

    def _handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if path == "/control/evidence":
            return json_answer(self.evidence())
        answer = self._control(method, path, headers, body)
        if path.startswith("/hook/") and method == "POST":
            self._keep(path.removeprefix("/hook/"), answer)
        return answer

    def _keep(self, name: str, answer: Answer) -> None:
        last = self.receiver.hook(name).deliveries[-1]
        accepted = 200 <= last.status < 300
        self.requests.append(
            {
                "hook": name,
                "at": last.at.timestamp(),
                "seconds": answer.delay_seconds,
                "accepted": accepted,
                "signature": last.signature,
                "event_id": last.event_id,
                "order": last.order,
                "version": last.version,
                "digest": hashlib.sha256(last.raw).hexdigest(),
            }
        )
        if accepted and last.version >= self.bodies[name].get(last.order, (0, None))[0]:
            self.bodies[name][last.order] = (last.version, last.body)

    def _watch_calls(self, odoo: Odoo) -> None:
        """The shop a call is for is the one whose faults are asked."""
        for shop in odoo.shops.values():
            shop.faults.take = self._taking(shop)  # type: ignore[method-assign]
        handle = odoo.handle

        def watched(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
            self._shop = ""
            answer = handle(method, path, headers, body)
            if self._shop:
                self.calls[self._shop].begin(answer.delay_seconds)
            return answer

        odoo.handle = watched  # type: ignore[method-assign]

    def _taking(self, shop: Shop) -> Any:
        take = shop.faults.take

        def taking() -> str:
            self._shop = shop.database
            return take()

        return taking

    def evidence(self) -> dict[str, Any]:
        """`shops` and `hooks` by name and order, to be compared; `requests` as they came; `calls` by shop."""
        return {
            "shops": {name: _orders(life) for name, life in self.lives.items()},
            "hooks": {
                name: {order: _seen(version, body) for order, (version, body) in orders.items()}
                for name, orders in self.bodies.items()
            },
            "requests": list(self.requests),
            "calls": {
                name: {"count": calls.count, "most_at_once": calls.most_at_once}
                for name, calls in self.calls.items()
            },
        }


def _orders(life: Life) -> dict[str, Any]:
    shop = life.shop
    return {f"odoo_{shop.database}_{row['id']}": _facts(shop, row) for row in shop.world.rows("sale.order")}


def _facts(shop: Shop, row: Mapping[str, Any]) -> dict[str, Any]:
    lines = [line for line in shop.lines(row["id"]) if not line.get("display_type")]
    return {
        "state": row["state"],
        "total": row.get("amount_total", 0.0),
        "quantity": sum(line["product_uom_qty"] for line in lines),
        "texts": sorted(line["name"] for line in lines),
    }


def _seen(version: int, body: Any) -> dict[str, Any]:
    return {
        "version": version,
        "state": body["order"]["state"],
        "total": body["order"]["amount_total"],
        "quantity": sum(item["quantity"] for item in body["items"]),
        "texts": sorted(item["name"] for item in body["items"]),
    }


class WitnessedStage(Stage):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.witness = Witness(self)


if __name__ == "__main__":
    django.setup()
    sandbox.Stage = WitnessedStage  # type: ignore[misc]
    sandbox.Command().run_from_argv(["manage.py", "sandbox", *sys.argv[1:]])
