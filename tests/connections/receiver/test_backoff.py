"""When a failed delivery is tried again."""

from datetime import UTC, datetime, timedelta

import pytest

from connections.receiver.backoff import STEPS_SECONDS, next_retry_at

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(1, 30), (2, 60), (3, 120), (4, 240), (5, 600), (6, 3600), (9, 21600), (99, 21600)],
)
def test_steps(attempts, seconds):
    at = next_retry_at(attempts, NOON, chance=lambda: 0)
    assert (at - NOON).total_seconds() == seconds


def test_jitter_only_adds_and_at_most_a_tenth():
    latest = next_retry_at(5, NOON, chance=lambda: 0.999)
    assert timedelta(seconds=600) < latest - NOON < timedelta(seconds=660)


@pytest.mark.parametrize(("asked", "seconds"), [(10, 30), (300, 300)])
def test_the_receivers_word_only_delays(asked, seconds):
    at = next_retry_at(1, NOON, retry_at=NOON + timedelta(seconds=asked), chance=lambda: 0)
    assert (at - NOON).total_seconds() == seconds


def test_tries_never_end_within_72_hours():
    assert sum(STEPS_SECONDS) + 10 * STEPS_SECONDS[-1] > 72 * 3600
