"""When a connection is polled next."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.polling.interval import next_poll_at, pause

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("longest", "quiet_for", "expected"),
    [
        (None, timedelta(days=9), MINUTE),
        (timedelta(minutes=15), timedelta(0), MINUTE),
        (timedelta(minutes=15), timedelta(hours=1), MINUTE),
        (timedelta(minutes=15), timedelta(hours=5), timedelta(minutes=5)),
        (timedelta(minutes=15), timedelta(days=9), timedelta(minutes=15)),
        (timedelta(seconds=10), timedelta(days=9), MINUTE),
    ],
)
def test_a_shop_is_asked_less_often_the_longer_it_is_quiet_if_a_person_said_so(longest, quiet_for, expected):
    assert pause(MINUTE, longest, quiet_for=quiet_for) == expected


@given(number=st.integers(1, 10**9), late=st.floats(0, 3600), seconds=st.integers(5, 86_400))
def test_a_poll_comes_at_most_one_pause_after_the_last_and_never_at_once(number, late, seconds):
    began_at = NOON + timedelta(seconds=late)
    gap = (next_poll_at(began_at, timedelta(seconds=seconds), number=number) - began_at).total_seconds()
    assert seconds / 4 <= gap <= seconds + 1e-5


@given(number=st.integers(1, 10**9), seconds=st.integers(5, 86_400))
def test_a_connection_that_is_polled_in_time_keeps_its_moments(number, seconds):
    first = NOON
    for _ in range(3):
        first = next_poll_at(first, timedelta(seconds=seconds), number=number)
    second = next_poll_at(first + timedelta(milliseconds=300), timedelta(seconds=seconds), number=number)
    assert abs((second - first).total_seconds() - seconds) < 0.31


def test_polls_that_began_at_once_are_spread_over_the_pause():
    """As after a standstill: no tenth of the minute gets more than a fifth beyond its share."""
    moments = [NOON] * 10_000
    for _ in range(2):
        moments = [next_poll_at(moment, MINUTE, number=number) for number, moment in enumerate(moments)]
    tenths = [int(moment.timestamp() % 60 // 6) for moment in moments]
    assert max(tenths.count(tenth) for tenth in range(10)) <= 1200
