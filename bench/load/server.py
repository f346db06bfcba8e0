"""The sandbox as load: who called when, when an order was confirmed and when a receiver had it.

`python -m bench.load.server` takes the options of `manage.py sandbox`. `POST /control/load` confirms orders,
at once or one after the other; `GET /control/load` answers what came of it since the last `{"mark": true}`.
"""

import asyncio
import hashlib
import sys
import time
from array import array
from collections import defaultdict
from collections.abc import Mapping
from random import Random
from typing import Any

import django
import orjson

from sandbox.http.answer import Answer, json_answer
from sandbox.management.commands import sandbox
from sandbox.odoo.daily_life import Life
from sandbox.run import Stage
from tests.system.recording_sandbox import Witness

PATH = "/control/load"
STEP_SECONDS = 0.05
CONFIRMED_AT_ONCE = 50  # then the servers get their turn


class LoadWitness(Witness):
    """Keeps moments (seconds of the epoch), and no bodies."""

    def __init__(self, stage: Stage) -> None:
        self.times: dict[str, array[float]] = defaultdict(lambda: array("d"))
        self.confirmed: dict[str, float] = {}
        self._left: list[tuple[Life, int]] = []  # orders to confirm as soon as possible
        self._among: list[Life] = []
        self._per_second = self._owed = 0.0
        self._random = Random(1)
        self._stepped_at = time.monotonic()
        super().__init__(stage)

    def _handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if path == PATH:
            return self._load(method, body)
        answer = self._control(method, path, headers, body)
        if path.startswith("/hook/") and method == "POST":
            self._keep(path.removeprefix("/hook/"), answer)
        return answer

    def _keep(self, name: str, answer: Answer) -> None:
        last = self.receiver.hook(name).deliveries[-1]
        self.requests.append(
            {
                "hook": name,
                "at": last.at.timestamp(),
                "seconds": answer.delay_seconds,
                "accepted": 200 <= last.status < 300,
                "signature": last.signature,
                "event_id": last.event_id,
                "order": last.order,
                "version": last.version,
                "digest": hashlib.sha256(last.raw).hexdigest(),
            }
        )

    def _taking(self, shop: Any) -> Any:
        take, times, name = super()._taking(shop), self.times, shop.database

        def taking() -> str:
            times[name].append(time.time())
            return str(take())

        return taking

    def _load(self, method: str, body: bytes) -> Answer:
        if method == "GET":
            return json_answer(self.told())
        command = orjson.loads(body)
        if command.get("mark"):
            self._mark()
        lives = [self.lives[name] for name in command["shops"]] if "shops" in command else self.lives.values()
        if "confirm" in command:
            self._left += [(life, int(command["confirm"])) for life in lives]
            if command.get("wait", True):
                while self._left:
                    self._confirm_some()
        if "per_second" in command:
            self._per_second, self._owed, self._among = float(command["per_second"]), 0.0, list(lives)
        return json_answer({"ok": True})

    def _mark(self) -> None:
        self.times.clear()
        self.confirmed.clear()
        self.requests.clear()
        for calls in self.calls.values():
            calls.count = calls.most_at_once = 0

    def step(self) -> None:
        """Confirm what is due by now."""
        now = time.monotonic()
        seconds, self._stepped_at = now - self._stepped_at, now
        self._confirm_some()
        self._owed += self._per_second * seconds
        while self._owed >= 1:
            self._owed -= 1
            self._confirm(self._random.choice(self._among), 1)

    def _confirm_some(self) -> None:
        if self._left:
            life, number = self._left.pop()
            now = min(number, CONFIRMED_AT_ONCE)
            self._confirm(life, now)
            if number > now:
                self._left.append((life, number - now))

    def _confirm(self, life: Life, number: int) -> None:
        for order_id in life.confirm_now(number):
            self.confirmed[f"odoo_{life.shop.database}_{order_id}"] = time.time()

    def told(self) -> dict[str, Any]:
        """`calls`: by shop the moments of calls; `confirmed`: by order; `requests` to the receivers."""
        return {
            "calls": {name: times.tolist() for name, times in self.times.items()},
            "most_at_once": max((calls.most_at_once for calls in self.calls.values()), default=0),
            "confirmed": self.confirmed,
            "waiting": sum(number for _, number in self._left),
            "requests": list(self.requests),
        }


class LoadStage(Stage):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.witness = LoadWitness(self)

    async def live(self) -> None:
        """No life of their own: ten thousand shops would cost more than those who poll them."""
        while True:
            await asyncio.sleep(STEP_SECONDS)
            self.witness.step()


if __name__ == "__main__":
    django.setup()
    sandbox.Stage = LoadStage  # type: ignore[misc]
    sandbox.Command().run_from_argv(["manage.py", "sandbox", *sys.argv[1:]])
