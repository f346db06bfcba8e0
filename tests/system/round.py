"""One round: shops live, the poller dies of a plan, is started again, and everything is judged at the end."""

import random
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.system.judge import (
    Key,
    Verdict,
    is_ready,
    judge_deliveries,
    judge_ledger,
    judge_readiness,
    missing,
)
from tests.system.poller_process import Poller
from tests.system.sandbox_process import Shops
from tests.system.scratch import Scratch
from tests.system.waiting import TooLate, until

VERSIONS = (16, 17, 18, 19)
STEP_SECONDS = 1.5
STORY_SECONDS = 300  # for every bomb to have gone off
SETTLE_SECONDS = 420  # leases of the dead end after 60 to 150 s, retries come after 30 to 60 s
NO_KILL = "taken@0"
LONG_AGO = "2020-01-01 00:00:00"


@dataclass(frozen=True)
class Plan:
    """What is done to the poller while the shops live. `kills` as in `tests.system.manage_with_kills`.

    `shots`: so many random processes of the tree are killed. `deep`: deep checks and `repair`:
    reconciliations are due all the time. `shops` is per version.
    """

    name: str
    kills: tuple[str, ...] = ()
    shots: int = 0
    deep: bool = False
    repair: bool = False
    shops: int = 2
    steps: int = 8
    pollers: int = 1
    twins: int = 0  # second connections to shops that have one
    empty: bool = False  # the queue, again and again
    failures: int = 1  # receivers that fail now and then
    receiver_latency: float = 0.1
    deliveries_at_once: int = 16


@dataclass
class Result:
    plan: Plan
    variant: str
    verdict: Verdict = field(default_factory=Verdict)
    kills: int = 0
    restarts: int = 0
    replaced: int = 0
    recovery_seconds: float = 0.0  # from the last kill, or the last order if that came later
    seconds: float = 0.0
    folder: str = ""


class Round:
    """Runs once; `result` is complete when `run` has come back."""

    def __init__(self, plan: Plan, variant: str, *, seed: int = 1, hurried: bool = False) -> None:
        self.plan, self.variant = plan, variant
        self.random = random.Random(f"{seed}:{plan.name}:{variant}")
        self.result = Result(plan, variant)
        self.exempt: set[Key] = set()  # what was there before a start "from now on"
        self.hooks: dict[str, str] = {}  # and the shop each belongs to
        self._settings = {"POLLER_BATCH_SIZE": "2"}
        if hurried:
            self._settings |= {"DJANGO_SETTINGS_MODULE": "tests.system.fast_settings"}

    def run(self) -> Result:
        began = time.monotonic()
        with ExitStack() as stack:
            self.scratch = Scratch(self.variant, **self._settings)
            stack.callback(self._close)
            self._stage(stack)
            try:
                self._live()
                self._settle()
            except (TooLate, RuntimeError) as error:
                self.result.verdict.other.append(str(error))
            self._judge()
        self.result.seconds = time.monotonic() - began
        return self.result

    def _close(self) -> None:
        keep = bool(self.result.verdict.violations) or not self.result.verdict.orders
        self.result.folder = f"{self.scratch.folder} {self.scratch.database_url}" if keep else ""
        self.scratch.close(keep=keep)

    def _stage(self, stack: ExitStack) -> None:
        options = {"shops": self.plan.shops, "orders": 5, "rate": 0, "latency": 0.05}
        options["receiver_latency"] = self.plan.receiver_latency
        self.shops = Shops(self.scratch, VERSIONS, **options)
        stack.callback(self.shops.stop)
        self._connect()
        self.pollers = []
        for number in range(self.plan.pollers):
            poller = Poller(self.scratch, kills=self._kills, name=f"poller-{number}")
            stack.callback(poller.end)
            self.pollers.append(poller)
        self.poller = self.pollers[0]

    def _connect(self) -> None:
        """Half of the shops start with everything that is open, half from now on; some have a twin."""
        accesses = self.shops.accesses + [self._twin(each) for each in self.shops.accesses[: self.plan.twins]]
        self.hooks = {access["name"]: access["database"] for access in accesses}
        fields = {"poll_interval_seconds": 2, "deliveries_at_once": self.plan.deliveries_at_once}
        self.scratch.connect(accesses[::2], **fields, start="all")
        self.scratch.connect(accesses[1::2], **fields, start="now")
        orders = self.shops.evidence()["shops"]
        self.exempt = {(each["name"], order) for each in accesses[1::2] for order in orders[each["database"]]}

    def _twin(self, access: Mapping[str, Any]) -> dict[str, Any]:
        """One more connection to the same database, with a hook of its own."""
        name = f"{access['name']}-twin"
        url = access["webhook_url"].rpartition("/")[0]
        self.shops.tell(hook=name, secret=access["webhook_secret"], latency=self.plan.receiver_latency)
        return {**access, "name": name, "webhook_url": f"{url}/{name}"}

    @property
    def _kills(self) -> tuple[str, ...]:
        return self.plan.kills or (NO_KILL,)

    # --- the story ----------------------------------------------------------------------------------

    def _live(self) -> None:
        until(self._has_begun, STORY_SECONDS, "every connection has begun")
        deadline = time.monotonic() + STORY_SECONDS
        step = 0
        while step < self.plan.steps or not self._is_over():
            if time.monotonic() > deadline:
                raise TooLate(f"{self.plan.name}: only {len(self._own_kills)} kills in {STORY_SECONDS} s")
            self._step(step)
            step += 1
            self._wait(STEP_SECONDS)
        self.shops.tell(shop="*", confirm=1, change=2)

    def _has_begun(self) -> bool:
        self._revive()
        begun = self.scratch.number("SELECT count(*) FROM sync_pollstate WHERE window_to IS NOT NULL")
        return begun == len(self.hooks)

    def _is_over(self) -> bool:
        return len(self._own_kills) >= (len(self.plan.kills) or self.plan.shots)

    @property
    def _own_kills(self) -> list[dict[str, object]]:
        return [kill for kill in self.poller.kills if kill["point"] != "replaced"]

    def _step(self, step: int) -> None:
        """What goes on in the shops; every now and then a receiver fails for a moment."""
        chosen = self.random.choice(self.shops.names)
        self.shops.tell(shop="*", confirm=2, change=4)
        self.shops.tell(shop=chosen, touch=6, late=self.random.uniform(0.5, 4))
        self.shops.tell(shop=chosen, cancel=3)
        if step % 3 == 1:
            for name in self.random.sample(self.shops.names, self.plan.failures):
                self.shops.tell(hook=name, mode="500", count=2)
        if self.plan.shots and step % 3 == 2 and not self._is_over():
            self.poller.shoot(self._target(), "random")
        if self.plan.empty and step % 2:
            self.scratch.empty_queue()
        self._make_due()

    def _target(self) -> int:
        """The main process more often than by chance."""
        family = self.poller.family
        return family[0] if self.random.random() < 0.15 else self.random.choice(family)

    def _make_due(self) -> None:
        if self.plan.deep:
            self.shops.tell(shop="*", edit_text=1)
            self._make_all_due("deep_check_at")
        if self.plan.repair:
            self._make_all_due("reconcile_at")

    def _make_all_due(self, column: str) -> None:
        """One by one: a statement over all would lock them in an order of its own."""
        for (pk,) in self.scratch.query("SELECT connection_id FROM sync_pollstate"):
            change = f"{column} = '{LONG_AGO}' WHERE connection_id = {int(pk)}"
            self.scratch.query(f"UPDATE sync_pollstate SET {change}")

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._revive()
            time.sleep(0.1)

    def _revive(self) -> None:
        self.result.restarts += sum(poller.revive() for poller in self.pollers)

    # --- the end ------------------------------------------------------------------------------------

    def _settle(self) -> None:
        self._ended_at = datetime.now(UTC)
        until(self._has_arrived, SETTLE_SECONDS, "the receiver has everything", each=0.5)
        until(self._is_ready, SETTLE_SECONDS, "the poller is at peace", each=0.5)
        last = max([self._ended_at.timestamp(), *(kill["at"] for kill in self.poller.kills)])
        self.result.recovery_seconds = time.time() - last

    def _has_arrived(self) -> bool:
        self._revive()
        if self.plan.deep:
            self.scratch.query(
                f"UPDATE sync_pollstate SET deep_check_at = '{LONG_AGO}' WHERE deep_check_at > "
                f"'{datetime.now(UTC):%Y-%m-%d %H:%M:%S}'"
            )
        return not self._missing()

    def _missing(self) -> list[str]:
        return missing(self.shops.evidence(), self.hooks, self.exempt, texts=self.plan.deep)

    def _is_ready(self) -> bool:
        self._revive()
        return is_ready(self.scratch, self._ended_at)

    def _judge(self) -> None:
        result, verdict, evidence = self.result, self.result.verdict, self.shops.evidence()
        kills = self.poller.kills
        result.kills = len(self._own_kills)
        result.replaced = len(kills) - result.kills
        verdict.lost += missing(evidence, self.hooks, self.exempt, texts=self.plan.deep)
        judge_deliveries(evidence, kills, verdict)
        judge_ledger(self.scratch, verdict)
        judge_readiness(self.scratch, getattr(self, "_ended_at", datetime.now(UTC)), verdict)
        for name, calls in evidence["calls"].items():
            if calls["most_at_once"] > 1:
                verdict.other.append(f"{name} was called {calls['most_at_once']} times at once")
