"""A small dose of `tests.system.crashes`: the real poller is killed, starts again, misses nothing."""

import pytest

from tests.system.round import Plan, Round

pytestmark = pytest.mark.slow

# A worker in the middle of a delivery, then everybody between what is owed and the window.
PLAN = Plan("small", ("answered@6", "owed@6:main"), shops=1, steps=4)


def survived(variant):
    result = Round(PLAN, variant, hurried=True).run()
    assert result.verdict.violations == []
    assert (result.kills, result.restarts) == (2, 1)
    assert result.verdict.duplicates > 0


def test_kills_cost_nothing_but_time_on_sqlite():
    survived("sqlite")


@pytest.mark.postgres
def test_kills_cost_nothing_but_time_on_postgresql(postgres_url):
    survived("postgres")
