"""What is due is claimed once, by the first that comes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from connections.models import Lease
from sync import due
from sync.models import PollState

pytestmark = pytest.mark.django_db
LATER = timedelta(minutes=1)


def state_of(connection, now, **values):
    return PollState.objects.create(connection=connection, **{"next_poll_at": now + LATER} | values)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, (False, False)),
        ({"next_poll_at": -LATER}, (True, False)),
        ({"nudged_at": -LATER}, (True, False)),
        ({"deliver_at": -LATER}, (False, True)),
        ({"deliver_at": LATER}, (False, False)),
    ],
)
def test_one_look_tells_whether_anything_is_due(connection, values, expected):
    now = timezone.now()
    state_of(connection, now, **{name: now + gap for name, gap in values.items()})
    assert due.due_kinds(now) == expected


def test_a_disabled_connection_is_never_due(make_connection):
    now = timezone.now()
    state_of(make_connection(enabled=False), now, next_poll_at=now, deliver_at=now)
    assert due.due_kinds(now) == (False, False)


def test_what_another_host_polled_since_we_looked_is_not_polled_again(connection):
    now = timezone.now()
    state_of(connection, now)
    _, ours = due._claim("next_poll_at", {connection.pk: connection.odoo_lease_key}, now)
    assert ours == []
    assert not Lease.objects.exists()


def test_a_claim_is_due_again_when_its_lease_ends(connection):
    now = timezone.now()
    state_of(connection, now, next_poll_at=now)
    token, ours = due.claim_polls(now, 10)
    assert ours == [connection.pk]
    assert due.claim_polls(now, 10)[1] == []
    assert Lease.objects.get().until == PollState.objects.get().next_poll_at
    assert Lease.objects.get().token == token
