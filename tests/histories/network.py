"""HTTP without a socket: calls take time, go wrong in every way, and others act while one is under way."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

import orjson
from requests.structures import CaseInsensitiveDict

from connections.errors import Temporary
from connections.http import guard
from connections.http.client import Answer
from connections.models import Circuit, Side
from sandbox.odoo.server import http_date
from sandbox.receiver import signatures
from tests.histories.fake_threads import through_thread

KEPT = "taken and answered with 500"
PATIENCE_SECONDS = 30  # then the caller gives up
# Most calls are quick.
LATENCIES = (0.01, 0.02, 0.05, 0.05, 0.1, 0.2, 0.4, 0.9, 1.7, 6, 24)


@dataclass
class Trouble:
    """How the next `left` calls go wrong; None is until further notice."""

    kind: str = ""
    left: int | None = 0
    retry_after: int = 0

    def take(self):
        if self.left is None:
            return self.kind
        if self.left <= 0:
            return ""
        self.left -= 1
        return self.kind


@dataclass
class Taken:
    """One event that the receiver accepted. `heard`: the worker got the answer and lived on."""

    run: object
    body: dict
    raw: bytes
    event_id: str
    answered: bool
    kept_silent: bool = False  # taken, and refused all the same
    at: object = None

    @property
    def order_id(self):
        return self.body["order"]["id"]

    @property
    def mark(self):
        """See `story.Life`; None where nothing of the order was left to send."""
        return self.body["order"]["origin"]

    @property
    def event(self):
        return self.body["event"]

    @property
    def version(self):
        return self.body["version"]

    @property
    def heard(self):
        return self.answered and not self.run.dead and not self.run.robbed


@dataclass
class Hook:
    """One connection's receiver."""

    connection_id: int
    secrets: tuple
    trouble: Trouble = field(default_factory=Trouble)
    taken: list = field(default_factory=list)
    calls: int = 0
    bad_signatures: int = 0


class Wire:
    """Stands where `connections.http.client` would open a connection."""

    def __init__(self, world, odoo):
        self.world, self.odoo = world, odoo
        self.hooks = {}
        self.meanwhile = []  # (calls to let pass, what somebody else does then)
        self.faults = Counter()
        self.slow = 0
        self._turn = 0

    def attempt(self, method, url, headers, body, limits, started):
        """Takes the place of `connections.http.client._attempt`."""
        guard.call.fresh = self.chance() % 4 != 0
        until = self.world.monotonic() + limits.whole_seconds
        return through_thread(lambda: self._call(method, url, headers, body, until, limits))

    def _call(self, method, url, headers, body, until, limits):
        assert not self.world.runs.in_transaction, "an HTTP call inside a transaction"
        run = self.world.runs.current
        run.calls += 1
        run.check("call", run.calls)
        if self.world.monotonic() > until:
            raise Temporary("timeout")  # the process slept, and `sockets` lets nothing leave so late
        seconds = LATENCIES[self.chance() * self.slow % len(LATENCIES)]
        path = url.split("/", 3)[3]
        if path.startswith("hook/"):
            self._check_circuit(self.hooks[path], until - limits.whole_seconds)
            answer = self._deliver(self.hooks[path], headers, body, seconds)
        else:
            answer = self._ask(method, "/" + path, headers, body, seconds)
        run.check("answer", run.calls)
        return answer

    def chance(self):
        """Chance, the same every time."""
        self._turn = (self._turn * 1103515245 + 12345) % 2**31
        return self._turn // 65536

    def _ask(self, method, path, headers, body, seconds):
        self.world.pass_time(seconds / 2)
        self._others_act()
        answer = self._odoo_answers(method, path, headers, body)
        self._others_act()
        self.world.pass_time(seconds / 2)
        if answer.dropped:
            raise Temporary("disconnected")
        if answer.delay_seconds >= PATIENCE_SECONDS:
            self.world.pass_time(PATIENCE_SECONDS)
            raise Temporary("timeout")
        dressed = CaseInsensitiveDict(answer.headers)
        dressed["Date"] = http_date(self.world.server_now())
        return Answer(answer.status, dressed, answer.body, seconds)

    def _odoo_answers(self, method, path, headers, body):
        database = self._database_of(path, headers, body)
        if database is None:
            return self.odoo.handle(method, path, headers, body or b"")
        self.world.asked(database, path, headers, body)
        fault = database.shop.faults.kind
        self.faults[fault] += bool(fault)
        with database.answering():
            return self.odoo.handle(method, path, headers, body or b"")

    def _database_of(self, path, headers, body):
        """The one that is asked, if it is there under this name."""
        named = CaseInsensitiveDict(headers).get("X-Odoo-Database", "")
        if path == "/jsonrpc":
            args = orjson.loads(body)["params"].get("args") or [""]
            named = args[0]
        return next((each for each in self.world.databases if each.name == named), None)

    def _deliver(self, hook, headers, body, seconds):
        hook.calls += 1
        kind = hook.trouble.take()
        retry_after = hook.trouble.retry_after
        self.faults[kind] += bool(kind)
        self.world.pass_time(min(seconds, 20))
        if kind == "refuse_connection":
            raise Temporary("not_listening")
        if kind in ("", "hang", "drop", KEPT):
            self._take(hook, headers, body, kind)
        self._others_act()
        if kind == "hang":
            self.world.pass_time(PATIENCE_SECONDS - min(seconds, 20))
            raise Temporary("timeout")
        if kind == "drop":
            raise Temporary("disconnected")
        extra = {"Retry-After": str(retry_after)} if retry_after and kind in ("429", "503") else {}
        status = {"": 200, KEPT: 500}.get(kind) or int(kind)
        return Answer(status, CaseInsensitiveDict(extra), b"told to", min(seconds, 20))

    def _take(self, hook, headers, body, kind):
        lowered = {name.lower(): value for name, value in headers.items()}
        verdict = signatures.check(hook.secrets, lowered, body, self.world.clock())
        hook.bad_signatures += verdict != "ok"
        run = self.world.runs.current
        event_id = lowered["webhook-id"]
        hook.taken.append(
            Taken(run, orjson.loads(body), body, event_id, not kind, kind == KEPT, self.world.now)
        )

    def _check_circuit(self, hook, started):
        """What leaves while the circuit is known to be open is a finding."""
        circuit = Circuit.objects.filter(connection=hook.connection_id, side=Side.WEBHOOK).first()
        left_at = self.world.at_monotonic(started)
        if circuit is None or circuit.paused_at:
            return
        since = left_at - (circuit.opened_at or left_at)
        if circuit.state == "open" and timedelta(0) < since < timedelta(seconds=120):
            self.world.own_faults.append(f"sent {since} after the circuit opened")

    def _others_act(self):
        """What was arranged to happen while this call is under way."""
        if len(self.world.runs.stack) > 1 or not self.meanwhile:
            return
        left, act = self.meanwhile.pop()
        if left > 0:
            self.meanwhile.append((left - 1, act))
        else:
            act()
