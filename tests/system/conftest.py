"""Tasks run at the same moment: in two threads, each with a database connection of its own."""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import responses
from django.db import connections

from connections import faultpoints
from tests.world import World

PATIENCE_SECONDS = 2


@pytest.fixture
def world(transactional_db, clock, settings):
    """Odoo 17, polled once on an empty shop; every thread may use it."""
    settings.ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        world = World(clock, mock)
        world.poll()
        world.clock.advance(60)
        yield world


@pytest.fixture
def at_once():
    """Run these at the same moment; returns what each of them returned."""

    def run(*acts):
        with ThreadPoolExecutor(len(acts)) as pool:
            return [future.result() for future in [pool.submit(_apart, act) for act in acts]]

    return run


def _apart(act):
    try:
        return act()
    finally:
        connections.close_all()


@contextlib.contextmanager
def meeting(point, parties=2):
    """Threads wait for each other, once each, at this fault point; late ones go on alone."""
    barrier, came = threading.Barrier(parties), set()

    def meet(name, about):
        if name == point and threading.get_ident() not in came:
            came.add(threading.get_ident())
            with contextlib.suppress(threading.BrokenBarrierError):  # only one of them came by here
                barrier.wait(PATIENCE_SECONDS)

    with faultpoints.visited(meet):
        yield
    assert came, f"nobody came to {point}"
