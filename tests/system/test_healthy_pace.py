"""A healthy connection keeps its pace while every button is pressed a hundred times on those that hang."""

import subprocess
import sys
import threading

import pytest
from django.utils import timezone

from core.background import slots
from sandbox.http.server import render, take_request
from sandbox.odoo.sales import Line
from sandbox.odoo.server import Odoo
from sandbox.odoo.shop import Shop
from sandbox.receiver.receiver import Receiver
from tests.conftest import ROOT
from tests.connections.http.loopback_server import Loopback
from tests.factories import SECRET
from tests.system.poller_processes import Pollers, eventually
from tests.system.test_runpoller import template  # noqa: F401 - a fixture

pytestmark = pytest.mark.slow
POLL_AND_DELIVERY = 2
COMMANDS = [["reconcile"], ["reconcile", "--repair"], ["resend", "--last=3"]]
ALERT = 1  # the minute's watch may tell the channel that hangs


class Hanging:
    """Takes every request and answers none; counts how many wait at the same time."""

    def __init__(self):
        self.now = self.most = 0
        self.paths = set()
        self._lock = threading.Lock()

    def __call__(self, server, sock):
        if not server.receive(sock):
            return
        with self._lock:
            self.paths.add(server.requests[-1].split()[1].decode())
            self.now += 1
            self.most = max(self.most, self.now)
        sock.recv(1)  # until the client gives up, or is killed
        with self._lock:
            self.now -= 1


def answering(handle):
    lock = threading.Lock()

    def handler(server, sock):
        buffer = bytearray()
        while True:
            while (request := take_request(buffer)) is None:
                piece = sock.recv(65536)
                if not piece:
                    return
                buffer += piece
            *request, keep = request
            with lock:
                answer = handle(*request)
            sock.sendall(render(answer, keep))

    return handler


@pytest.fixture
def servers():
    """Loopback servers that end with the test: servers(handler) -> its address without a slash."""
    made = []

    def start(handler):
        made.append(Loopback(handler))
        return made[-1].url.rstrip("/")

    yield start
    for server in made:
        server.close()


@pytest.fixture
def healthy():
    shop, receiver = Shop(17, "shop17", timezone.now), Receiver(timezone.now)
    receiver.set_secrets("main", SECRET)
    return shop, receiver


@pytest.fixture
def poller(tmp_path, template, environment):  # noqa: F811
    pollers = Pollers(tmp_path, template, environment | {"POLLER_ALLOWED_NETWORKS": "127.0.0.0/8"})
    yield pollers
    pollers.end()


def delivered(shop, receiver):
    """Sell something; returns once its receiver has it."""
    order = shop.quotation(shop.customer_id, [Line(shop.product_id, quantity=1)])
    shop.confirm(order)
    eventually(lambda: order in [d.body["order"]["id"] for d in receiver.hook("main").deliveries])


@pytest.fixture
def started():
    """Processes that end with the test."""
    made = []

    def start(*line, **how):
        made.append(subprocess.Popen([sys.executable, *line], cwd=ROOT, text=True, **how))
        return made[-1]

    yield start
    for process in made:
        process.kill()
        process.communicate()


def test_a_healthy_connection_keeps_its_pace(poller, servers, started, healthy):
    shop, receiver = healthy
    hanging = Hanging()
    address = servers(hanging)
    there = [servers(answering(Odoo(shop).handle)), servers(answering(receiver.handle)) + "/hook/main"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    hurried = poller.environment | {"DJANGO_SETTINGS_MODULE": "tests.system.hurried_settings"}
    names = [shop.database, shop.login, shop.api_key]
    person = started("-m", "tests.system.press_every_button", *there, *names, address, env=hurried, **pipes)
    assert person.stdout.readline() == "connected\n"
    poller.start("--workers=3").until_ready()
    delivered(shop, receiver)

    for line in COMMANDS:
        started(str(ROOT / "manage.py"), *line, "-c", "hangs", env=hurried, **pipes)
    person.stdin.write("go\n")
    person.stdin.flush()
    while person.poll() is None:
        delivered(shop, receiver)
    assert person.stdout.read() == "pressed\n"
    for _ in range(2):
        delivered(shop, receiver)
        assert hanging.now >= 2, "much of what was asked for is still hanging"

    at_once = slots.SLOTS[slots.TEST] + slots.SLOTS[slots.RUN] + slots.SLOTS[slots.CHECK]
    assert hanging.most <= POLL_AND_DELIVERY + ALERT + at_once + len(COMMANDS)
