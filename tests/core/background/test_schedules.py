"""Schedules that belong to the code: made once, mended, never doubled; those of others never run."""

import logging

import pytest
from django.utils import timezone
from django_q.models import Schedule

from connections import leases
from core.background import schedules

pytestmark = pytest.mark.django_db


def rows():
    return list(Schedule.objects.order_by("name").values_list("name", "func", "schedule_type", "minutes"))


WHOLE = [
    ("poller: deep checks and reconciliations", "sync.tasks.check", "I", 1),
    ("poller: housekeeping", "sync.tasks.housekeep", "I", 5),
    ("poller: tick", "sync.tasks.tick", "I", 1),
    ("poller: watch", "sync.tasks.watch", "I", 1),
]


def test_migrate_has_made_them():
    assert rows() == WHOLE


def test_they_are_made_once():
    Schedule.objects.all().delete()
    assert [schedules.ensure() for _ in range(3)] == [len(WHOLE), 0, 0]
    assert rows() == WHOLE


def test_their_clock_is_left_alone():
    Schedule.objects.update(next_run=None)
    schedules.ensure()
    assert set(Schedule.objects.values_list("next_run", flat=True)) == {None}


@pytest.mark.parametrize(
    "damage",
    [{"func": "os.system"}, {"minutes": 60}, {"repeats": 0}, {"args": "("}, {"cluster": "other"}],
)
def test_they_are_mended(damage):
    Schedule.objects.filter(name="poller: tick").update(**damage)
    assert schedules.ensure() == 1
    assert rows() == WHOLE
    assert Schedule.objects.filter(name="poller: tick", **damage).count() == 0


def test_doubles_go():
    Schedule.objects.create(name="poller: tick", func="sync.tasks.tick", schedule_type="I", minutes=1)
    assert schedules.ensure() == 1
    assert rows() == WHOLE


def test_one_process_at_a_time_makes_them():
    Schedule.objects.all().delete()
    leases.claim([schedules.LEASE_KEY], leases.new_token(), now=timezone.now())
    assert schedules.ensure() == 0
    assert rows() == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"name": "mine"}, "(mine) names os.getcwd, which is not the poller's. It never runs."),
        ({"name": None, "args": "1, 'two'"}, "(no name) names os.getcwd, which is not the poller's."),
        ({"name": "bad", "args": "os.system("}, "It never runs."),
        ({"name": "bad", "schedule_type": "X"}, "It never runs."),
        ({"name": "mine", "func": "sync.tasks.tick"}, "(mine) names sync.tasks.tick, which is not the"),
    ],
)
def test_others_are_left_alone_and_named(row, said, caplog):
    Schedule.objects.create(**{"func": "os.getcwd"} | row)
    with caplog.at_level(logging.WARNING, "poller.schedules"):
        schedules.ensure()
    assert said in caplog.text
    assert len(rows()) == len(WHOLE) + 1
