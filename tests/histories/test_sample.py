"""Reading that cannot miss: random histories, shrunk when one ends with something wrong.

`python -m tests.histories` plays them by the thousand.
"""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.histories import history, plans
from tests.histories.plans import LARGEST, SETTINGS, Plan

NUMBER = st.integers(0, LARGEST)
PLANS = st.builds(
    Plan,
    settings=st.tuples(*[NUMBER] * SETTINGS),
    steps=st.lists(st.tuples(NUMBER, NUMBER, NUMBER), max_size=30).map(tuple),
)


# The same examples in every run: what lands must not hang on luck. The bench draws new ones.
@pytest.mark.django_db
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(plan=PLANS)
def test_whatever_happens_each_order_ends_at_its_receiver_once_per_version(plan):
    result = history.play(plan)
    assert not result.violations, "\n".join([*map(str, result.violations), *map(str, result.log)])


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(20))
def test_histories_of_known_seeds(seed):
    result = history.play(plans.drawn(seed))
    assert not result.violations
    assert result.tally["polls"] > 0
