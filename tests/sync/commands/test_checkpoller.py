"""manage.py checkpoller: no progress is a failure, much work is not."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from sync.models import PollState, SyncLog

FINE = "What is due gets done.\n"


def ago(minutes):
    return timezone.now() - timedelta(minutes=minutes)


def polled(connection, minutes):
    SyncLog.objects.create(connection=connection, started_at=ago(minutes), finished_at=ago(minutes))


def said():
    out = StringIO()
    call_command("checkpoller", stdout=out)
    return out.getvalue()


def test_a_poller_without_connections_is_fine(db):
    assert said() == FINE


def test_nothing_done_for_minutes_is_a_failure(connection):
    PollState.objects.create(connection=connection, next_poll_at=ago(3))
    polled(connection, 5)
    with pytest.raises(CommandError, match="1 connection has been waiting"):
        said()


@pytest.mark.parametrize(("due_minutes_ago", "polled_minutes_ago"), [(1, 5), (3, 1), (-1, 90)])
def test_work_that_goes_on_is_fine(connection, due_minutes_ago, polled_minutes_ago):
    PollState.objects.create(connection=connection, next_poll_at=ago(due_minutes_ago))
    polled(connection, polled_minutes_ago)
    assert said() == FINE


def test_what_is_switched_off_does_not_wait(make_connection):
    PollState.objects.create(connection=make_connection(enabled=False), next_poll_at=ago(60))
    assert said() == FINE
