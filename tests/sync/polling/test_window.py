"""Which span of time a poll reads."""

from datetime import UTC, datetime, timedelta

import pytest

from sync.polling.window import clock_ran_back, read_at, since

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(("call_seconds", "expected"), [(0, -1), (0.2, -2), (1.5, -3), (30, -31)])
def test_a_window_ends_before_the_answer_was_begun(call_seconds, expected):
    assert read_at(NOON, call_seconds) == NOON + timedelta(seconds=expected)


def test_the_next_window_begins_a_look_back_earlier():
    assert since(NOON, 1200) == NOON - timedelta(minutes=20)


@pytest.mark.parametrize(
    ("what", "server_moved", "we_moved", "end"),
    [
        ("both clocks run", 600, 600, None),
        ("a few seconds of drift", 590, 600, None),
        ("the server's clock jumped ahead", 4200, 600, None),
        ("the server's clock was set back an hour", -3000, 600, -3600),
        ("ours was set back: no conclusion", 600, -3000, None),
    ],
)
def test_a_clock_that_was_set_back_is_noticed(what, server_moved, we_moved, end):
    found = clock_ran_back(
        NOON,
        NOON,
        server_now=NOON + timedelta(seconds=server_moved),
        now=NOON + timedelta(seconds=we_moved),
    )
    assert found == (None if end is None else NOON + timedelta(seconds=end)), what
