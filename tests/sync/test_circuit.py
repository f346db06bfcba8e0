"""The rules of a circuit, as a table of what happens to it."""

from datetime import UTC, datetime, timedelta

import pytest

from sync.circuit import Health, after_failure, after_success, after_wait, at, calls_allowed, next_call_at

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def play(events, *, every=1):
    """Health after events a second apart: F failure, S success, a number waits so many seconds."""
    health, now = Health(), NOON
    for event in events.split():
        if event == "F":
            health = after_failure(health, now, "receiver_error")
        elif event == "S":
            health = after_success(health, now)
        else:
            now += timedelta(seconds=int(event))
        now += timedelta(seconds=every if event in "FS" else 0)
    return at(health, now), now


@pytest.mark.parametrize(
    ("events", "state", "allowed"),
    [
        ("", "closed", None),
        ("F F F F", "closed", None),
        ("F F F F S F", "closed", None),
        ("F F F F F", "open", 0),
        ("F F F F F S", "open", 0),  # the late answer to a call that left before it opened
        ("F F F F F 118", "open", 0),
        ("F F F F F 119", "half_open", 1),
        ("F F F F F 120 S", "half_open", 1),
        ("F F F F F 120 S S", "closed", None),
        ("F F F F F 120 S F", "open", 0),
        ("F F F F F 120 F 118", "open", 0),
        ("F F F F F 120 F 119", "half_open", 1),
        ("F F F F F 120 S S F F F F", "closed", None),
    ],
)
def test_circuit(events, state, allowed):
    health, now = play(events)
    assert (health.state, calls_allowed(health, now)) == (state, allowed)


def test_a_failed_probe_starts_the_clock_again():
    health, now = play("F F F F F 200 F")
    assert next_call_at(health, now) == now + timedelta(seconds=119)


def test_being_asked_to_wait_is_no_failure():
    health = after_wait(Health(failures=4), NOON + timedelta(seconds=30))
    assert calls_allowed(health, NOON) == 0
    assert calls_allowed(health, NOON + timedelta(seconds=30)) is None
    assert next_call_at(health, NOON) == NOON + timedelta(seconds=30)
    assert health.failures == 4
