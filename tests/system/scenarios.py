"""Rounds with a story of their own: everything killed amid a wave of orders, and two pollers at once."""

from typing import Any

from bench.process_trees import tree
from tests.system.round import STEP_SECONDS, Plan, Round
from tests.system.waiting import until

WAVE = 500
ARRIVED_BEFORE = 100
FROZEN_SECONDS = 75  # longer than a lease


class Whole(Round):
    """500 orders at once; the whole poller is killed when some of them have arrived."""

    def __init__(self, variant: str, **options: Any) -> None:
        super().__init__(
            Plan("whole", shops=1, receiver_latency=0.02, deliveries_at_once=4), variant, **options
        )

    def _live(self) -> None:
        until(self._has_begun, 120, "every connection has begun")
        before = self._events()
        for name in self.shops.names:
            self.shops.tell(shop=name, confirm=WAVE // len(self.shops.names))
        until(lambda: self._events() >= before + ARRIVED_BEFORE, 60, "the wave is arriving", each=0.005)
        self.poller.shoot(self.poller.process.pid, "whole")
        self.arrived_before_kill = self._events() - before
        if self.arrived_before_kill >= WAVE:
            self.result.verdict.other.append("the kill came too late: everything had arrived")

    def _events(self) -> int:
        events: int = self.shops.stats()["totals"]["events"]
        return events


class Pair(Round):
    """Two pollers share the work; later one of them is killed and not missed."""

    def __init__(self, variant: str, **options: Any) -> None:
        super().__init__(Plan("two", shops=3, twins=6, pollers=2), variant, **options)

    def _live(self) -> None:
        until(self._has_begun, 120, "every connection has begun")
        for step in range(15):
            self._step(step)
            self._wait(STEP_SECONDS)
        # Nobody was killed yet: any repeat is a violation by itself.
        self.pollers[1].shoot(self.pollers[1].process.pid, "two")
        for step in range(15, 25):
            self._step(step)
            self._wait(STEP_SECONDS)


class Frozen(Round):
    """Workers stand still for longer than their leases last, then go on with what they had in hand."""

    def __init__(self, variant: str, **options: Any) -> None:
        super().__init__(Plan("frozen"), variant, **options)

    def _live(self) -> None:
        until(self._has_begun, 120, "every connection has begun")
        self._steps(range(3))
        frozen = [self._freeze_one_at_work() for _ in range(3)]
        self._steps(range(3, 3 + round(FROZEN_SECONDS / STEP_SECONDS)))
        for pid in frozen:
            self.poller.thaw(pid)
        self._steps(range(100, 105))

    def _steps(self, numbers: range) -> None:
        for step in numbers:
            self._step(step)
            self._wait(STEP_SECONDS)

    def _freeze_one_at_work(self) -> int:
        """Whichever has just used the processor."""
        before = {member.pid: member.cpu_seconds for member in tree(self.poller.process.pid)[2:]}
        self._step(0)

        def at_work() -> int:
            members = tree(self.poller.process.pid)[2:]
            return next((m.pid for m in members if m.cpu_seconds > before.get(m.pid, 0.0) + 0.03), 0)

        pid = until(at_work, 30, "a worker works", each=0.01)
        self.poller.freeze(pid, "frozen")
        return pid
