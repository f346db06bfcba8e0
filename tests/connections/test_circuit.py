"""The rules of a circuit, as a table of what happens to it."""

from datetime import UTC, datetime, timedelta

import pytest

from connections.circuit import (
    Health,
    after_failure,
    after_rate_limit,
    after_success,
    after_wait,
    at,
    calls_allowed,
    next_call_at,
    works_again,
)

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def play(events, *, every=1):
    """Health after events a second apart: F failure, S success, a number waits so many seconds.

    W is HTTP 429, W60 one that asks to wait for 60 s, W-9 one that names a moment 9 s ago.
    """
    health, now = Health(), NOON
    for event in events.split():
        if event == "F":
            health = after_failure(health, now, "receiver_error")
        elif event == "S":
            health = after_success(health, now)
        elif event[0] == "W":
            asked = now + timedelta(seconds=int(event[1:])) if event[1:] else None
            health = after_rate_limit(health, now, asked)
        else:
            now += timedelta(seconds=int(event))
        now += timedelta(seconds=every if event[0] in "FSW" else 0)
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


@pytest.mark.parametrize(
    ("events", "seconds"),
    [
        ("W", 60),  # nothing named
        ("W0", 30),
        ("W-9", 30),
        ("W10", 30),
        ("W300", 300),
        ("W86400", 86400),
        ("W0 30 W0", 60),
        ("W0 30 W-9 60 W0", 120),
        ("W0 30 W0 60 W0 120 W0", 240),
        ("W0 30 W0 60 W0 120 W0 240 W0", 600),
        ("W0 30 W0 60 W0 120 W0 240 W0 600 W0 600 W0", 600),
        ("W0 30 W0 60 W0 120 W900", 900),
        ("W0 30 S W0", 30),  # taken again in between
        ("W0 30 F W0", 60),  # not taken in between
    ],
)
def test_a_wait_is_never_shorter_than_our_own_pause_which_grows(events, seconds):
    *before, _ = events.split()
    _, asked_at = play(" ".join(before))
    health, _ = play(events)
    assert next_call_at(health, asked_at) == asked_at + timedelta(seconds=seconds)
    assert calls_allowed(health, asked_at + timedelta(seconds=seconds - 1)) == 0
    assert calls_allowed(health, asked_at + timedelta(seconds=seconds)) == 1


@pytest.mark.parametrize(
    ("events", "state", "allowed"),
    [
        ("W0 W0 W0 W0 W0 W0 W0 23", "closed", 1),  # answers to calls that left together are one
        ("W0 S 27", "closed", 0),  # one that left before does not end the wait
        ("W0 S 28", "closed", 1),
        ("W300 W0 290", "closed", 0),  # the shorter wait does not end the longer one
        ("W0 W300 290", "closed", 0),
        ("W0 30 S", "closed", None),
        ("W0 " * 9, "closed", 0),  # never a failure
        ("F F F F W0 30 S F F F F", "closed", None),
        ("F F F F W0 F", "open", 0),
        ("F F F F F 120 W0", "half_open", 0),
        ("F F F F F 120 W0 30", "half_open", 1),
        ("F F F F F 120 W0 30 S", "half_open", 1),
        ("F F F F F 120 W0 30 S S", "closed", None),
        ("F F F F F 120 W0 S 10 S", "closed", 0),
    ],
)
def test_a_circuit_that_is_asked_to_wait(events, state, allowed):
    health, now = play(events)
    assert (health.state, calls_allowed(health, now)) == (state, allowed)


def test_a_wait_is_lengthened_and_never_shortened():
    health = after_wait(Health(), NOON + timedelta(hours=1))
    assert after_wait(health, NOON + timedelta(minutes=1)) == health
    assert after_wait(health, NOON + timedelta(hours=2)).wait_until == NOON + timedelta(hours=2)


@pytest.mark.parametrize(
    ("events", "works"),
    [
        ("S", False),
        ("F F F F S", False),
        ("F F F F F 120 S", False),
        ("F F F F F 120 S S", True),
        ("W0 30 S", False),
        ("W0 30 W0 60 W0 120 W0 240 S", False),
        ("W0 30 W0 60 W0 120 W0 240 W0 600 S", True),
        ("W0 30 W0 60 W0 120 W0 240 W0 600 W0", False),
        ("W0 30 W0 60 W0 120 W0 240 W0 S", False),
    ],
)
def test_what_an_outage_held_up_goes_out_when_it_is_over(events, works):
    *before, _ = events.split()
    health, now = play(" ".join(before))
    after, _ = play(events)
    assert works_again(health, after, now) is works
