"""The whole sandbox: shops on Odoo servers, their life, a receiver with a hook for each, and the control."""

import asyncio
import base64
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.control.api import Control
from sandbox.http.server import listen, port_of
from sandbox.odoo.daily_life import Life
from sandbox.odoo.server import Odoo
from sandbox.odoo.shop import Shop
from sandbox.receiver.receiver import Receiver

LIFE_STEP_SECONDS = 0.2


@dataclass(frozen=True)
class Plan:
    """What to build. `per_minute` orders are confirmed in each shop; latencies are seconds.

    Every version is a server of its own with `shops` databases. Port 0 takes free ports. Orders are numbered
    from `after_order` on: whoever remembers the orders of an earlier sandbox must not meet their ids again.
    """

    versions: tuple[int, ...] = (17,)
    shops: int = 1
    orders: int = 20
    after_order: int = 0
    per_minute: float = 2.0
    latency_seconds: float = 0.0
    receiver_latency_seconds: float = 0.0
    port: int = 8069
    receiver_port: int = 8070
    host: str = "127.0.0.1"
    seed: int = 1

    def ports(self) -> list[int]:
        """A port per version, counting up and leaving the receiver's free."""
        if self.port == 0:
            return [0 for _ in self.versions]
        free = (port for port in range(self.port, self.port + 100) if port != self.receiver_port)
        return [next(free) for _ in self.versions]


@dataclass(frozen=True)
class Access:
    """What a poller needs to know to connect one shop. All of it is made up."""

    name: str
    version: int
    url: str
    database: str
    username: str
    api_key: str
    webhook_url: str
    webhook_secret: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Stage:
    """Built from a plan, then started inside an event loop. Everything lives in memory."""

    def __init__(self, plan: Plan, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.plan = plan
        self.receiver = Receiver(clock)
        self.lives = {
            life.shop.database: life for version in plan.versions for life in self._lives(version, clock)
        }
        shops = [life.shop for life in self.lives.values()]
        self.odoos = {
            version: Odoo([shop for shop in shops if shop.version == version]) for version in plan.versions
        }
        self.control = Control(self.lives, self.receiver)
        self.accesses: list[Access] = []
        self._servers: list[asyncio.Server] = []

    def _lives(self, version: int, clock: Callable[[], datetime]) -> Iterable[Life]:
        for number in range(1, self.plan.shops + 1):
            name = f"shop{version}" if number == 1 else f"shop{version}-{number}"
            shop = Shop(version, name, clock)
            shop.world.reserve_id("sale.order", self.plan.after_order)
            shop.faults.latency_seconds = self.plan.latency_seconds
            hook = self.receiver.hook(name)
            hook.secrets = (webhook_secret(name),)
            hook.latency_seconds = self.plan.receiver_latency_seconds
            life = Life(shop, self.plan.per_minute, self.plan.seed)
            life.seed_orders(self.plan.orders)
            yield life

    async def start(self) -> None:
        """Listen, then fill `accesses`. Raises OSError when a port is taken, ValueError off loopback."""
        self._servers.append(await listen(self.control.handle, self.plan.host, self.plan.receiver_port))
        receiver_port = port_of(self._servers[0])
        for port, (version, odoo) in zip(self.plan.ports(), self.odoos.items(), strict=True):
            server = await listen(odoo.handle, self.plan.host, port)
            self._servers.append(server)
            self._describe(version, port_of(server), receiver_port)

    def _describe(self, version: int, port: int, receiver_port: int) -> None:
        for shop in self.odoos[version].shops.values():
            name = shop.database
            self.accesses.append(
                Access(
                    name=name,
                    version=version,
                    url=f"http://{self.plan.host}:{port}",
                    database=name,
                    username=shop.login,
                    api_key=shop.api_key,
                    webhook_url=f"http://{self.plan.host}:{receiver_port}/hook/{name}",
                    webhook_secret=webhook_secret(name),
                )
            )

    async def live(self) -> None:
        """Let the shops live until cancelled."""
        while True:
            await asyncio.sleep(LIFE_STEP_SECONDS)
            for life in self.lives.values():
                life.run_due()

    async def stop(self) -> None:
        """Stop at once: open connections are cut."""
        for server in self._servers:
            server.close()
        self._servers.clear()


def webhook_secret(name: str) -> str:
    """A made-up secret in the form of Standard Webhooks, the same every time."""
    text = f"sandbox-only-webhook-secret-{name}"[:64]
    return "whsec_" + base64.b64encode(text.encode()).decode()
