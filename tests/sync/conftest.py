"""A world for journeys, before and after its first poll."""

import pytest
import responses
from django.db import connection as database

from tests.sync.only_writer import OnlyWriter
from tests.world import World


@pytest.fixture
def mock():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def make_world(clock, mock, db, settings):
    settings.ALLOWED_NETWORKS = ["127.0.0.0/8"]
    return lambda version=17, **options: World(clock, mock, version, **options)


@pytest.fixture
def world(make_world):
    """Odoo 17, polled once on an empty shop: what is confirmed from here on has to arrive."""
    world = make_world()
    world.poll()
    world.clock.advance(60)
    return world


@pytest.fixture(autouse=True)
def only_writer():
    """Whatever a test of sync has done: nobody but sync/ledger wrote the ledger."""
    guard = OnlyWriter()
    with database.execute_wrapper(guard):
        yield guard
    assert guard.others == []
