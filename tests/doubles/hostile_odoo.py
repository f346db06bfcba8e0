"""An Odoo that answers what it should not: spoilt answers of a shop, beside a neighbour that means well."""

import json
from dataclasses import replace

import orjson

from sandbox.odoo.sales import Line
from sandbox.odoo.server import Odoo
from sandbox.odoo.shop import Shop
from sync import due
from sync.models import PollState, RetryItem, SeenOrder
from sync.polling import poll as polling
from tests.doubles import http as http_doubles
from tests.world import World

HOSTILE_URL, ELSEWHERE = "http://127.0.0.1:8098", "http://127.0.0.1:8099"
DEPTH = 100_000

# What no JSON library would write: the text in quotes becomes these bytes.
RAW = {
    b'"@deep list@"': b"[" * DEPTH + b"]" * DEPTH,
    b'"@deep object@"': b'{"a":' * DEPTH + b"1" + b"}" * DEPTH,
    b'"@deep but allowed@"': b"[" * 900 + b"]" * 900,
    b'"@nan@"': b"NaN",
    b'"@infinity@"': b"-Infinity",
    b'"@overflow@"': b"1e999",
    b'"@digits@"': b"9" * 5000,
    b'"@not utf-8@"': b'"\xff\xfe\xc0"',
    b'"@half a character@"': b'"\\ud83c"',
    b'"@nul@"': b'"a\\u0000b"',
    b'"@open@"': b'"no end',
    b'"@page@"': b"<html><script>alert(1)</script></html>",
}
MARKS = [mark.decode().strip('"') for mark in RAW]


class Hostile:
    """Stands in front of an Odoo. `spoil(verb, result)` returns what goes out as the result of a call.

    Bytes go out as the whole body; `verbs` is what was asked, in order.
    """

    def __init__(self, odoo):
        self.odoo, self.spoil, self.verbs = odoo, None, []

    def handle(self, method, path, headers, body):
        answer = self.odoo.handle(method, path, headers, body)
        verb = _verb(path, body)
        self.verbs.append(verb)
        return self._spoilt(verb, answer, path) if self.spoil else answer

    def _spoilt(self, verb, answer, path):
        if answer.body.startswith(b"<"):
            return answer  # a page: there is no such path
        whole = orjson.loads(answer.body)
        if path == "/jsonrpc" and "result" not in whole:
            return answer
        result = self.spoil(verb, whole["result"] if path == "/jsonrpc" else whole)
        if isinstance(result, bytes):
            return replace(answer, body=result)
        return replace(answer, body=written({**whole, "result": result} if path == "/jsonrpc" else result))


def written(value):
    """The value as JSON, NaN, broken characters and all."""
    text = json.dumps(value).encode()
    for mark, raw in RAW.items():
        text = text.replace(mark, raw)
    return text


def _verb(path, body):
    if path != "/jsonrpc":
        return path.rpartition("/")[2]
    params = orjson.loads(body)["params"]
    return params["args"][4] if params["method"] == "execute_kw" else params["method"]


def spoilt(tree, steps, change):
    """A copy of the tree in which `change` was applied to the part that the steps lead to."""
    if not steps or not isinstance(tree, list | dict) or not tree:
        return change(tree)
    place = steps[0] % len(tree)
    key = list(tree)[place] if isinstance(tree, dict) else place
    part = spoilt(tree[key], steps[1:], change)
    if isinstance(tree, dict):
        return {**tree, key: part}
    return [*tree[:place], part, *tree[place + 1 :]]


class HostileWorld(World):
    """A hostile shop and its neighbour on a server of its own, polled in one batch."""

    def __init__(self, clock, mock, version=17):
        super().__init__(clock, mock, version, odoo_url=HOSTILE_URL)
        self.hostile = Hostile(self.odoo)
        http_doubles.install(mock, self.hostile, HOSTILE_URL)
        self.elsewhere = Shop(18, "nextdoor", clock)
        http_doubles.install(mock, Odoo(self.elsewhere), ELSEWHERE)
        self.neighbour = self.connect(self.elsewhere, "next", name="Neighbour", odoo_url=ELSEWHERE)
        self.neighbours_orders = []

    def order_elsewhere(self):
        shop = self.elsewhere
        order_id = shop.quotation(shop.customer_id, [Line(shop.product_id, quantity=1)])
        shop.confirm(order_id)
        self.neighbours_orders.append(order_id)

    def poll(self):
        """Both in one batch. Returns the log of the hostile one, or None when nothing was asked."""
        PollState.objects.create_missing(self.clock())
        PollState.objects.wake(self.clock())
        token, ids = due.claim_polls(self.clock(), 10)
        assert len(ids) == 2
        logs = polling.poll(token, ids, clock=self.clock, threads=0)
        return next((log for log in logs if log.connection_id == self.connection.pk), None)

    def check_neighbour(self):
        """Everything of the neighbour arrived once, and nothing else is under its name."""
        arrived = [delivery.body["order"]["id"] for delivery in self.receiver.hook("next").deliveries]
        assert sorted(arrived) == sorted(self.neighbours_orders)
        seen = SeenOrder.objects.filter(connection=self.neighbour, seeded=False)
        assert sorted(seen.values_list("order_id", flat=True)) == sorted(self.neighbours_orders)
        items = RetryItem.objects.filter(connection=self.neighbour)
        assert [item.status for item in items] == ["sent"] * len(self.neighbours_orders)

    def arrived(self):
        """Odoo ids of what the hostile shop's receiver took."""
        return {d.body["order"]["id"] for d in self.hook.deliveries if 200 <= d.status < 300}
