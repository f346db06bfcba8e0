"""Leases: one holder at a time, and one that lost its lease learns it."""

from datetime import timedelta

import pytest
from django.db import transaction

from connections.leases import LEASE_SECONDS, claim, new_token, release, release_each, renew

pytestmark = pytest.mark.django_db
ANN, BOB = new_token(), new_token()


def renewed(keys, token, now):
    with transaction.atomic():
        return renew(keys, token, now=now)


def test_a_held_lease_is_not_given_twice(clock):
    assert claim(["a", "b"], ANN, now=clock()) == {"a", "b"}
    assert claim(["b", "c"], BOB, now=clock()) == {"c"}
    assert claim(["a", "b"], ANN, now=clock()) == set()  # not even to its holder


def test_a_lease_that_ran_out_goes_to_the_next_and_its_old_holder_learns_it(clock):
    claim(["a"], ANN, now=clock())
    clock.advance(LEASE_SECONDS)
    assert renewed(["a"], ANN, clock()) == set()
    assert claim(["a"], BOB, now=clock()) == {"a"}
    assert renewed(["a"], ANN, clock()) == set()
    assert renewed(["a"], BOB, clock()) == {"a"}


def test_renewing_keeps_a_lease(clock):
    claim(["a"], ANN, now=clock())
    clock.advance(LEASE_SECONDS - 1)
    assert renewed(["a", "unknown"], ANN, clock()) == {"a"}
    clock.advance(LEASE_SECONDS - 1)
    assert claim(["a"], BOB, now=clock()) == set()


def test_releasing_frees_at_once_and_only_ones_own(clock):
    claim(["a"], ANN, now=clock())
    release(["a"], BOB)
    assert claim(["a"], BOB, now=clock()) == set()
    release(["a"], ANN)
    assert claim(["a"], BOB, now=clock()) == {"a"}


def test_releasing_with_a_pause_keeps_everybody_off_until_then(clock):
    claim(["a", "b"], ANN, now=clock())
    release_each({"a": clock() + timedelta(seconds=1), "b": None}, ANN)
    assert claim(["a", "b"], BOB, now=clock()) == {"b"}
    assert claim(["a"], BOB, now=clock.advance(1)) == {"a"}
