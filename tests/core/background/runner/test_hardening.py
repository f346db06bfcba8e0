"""Who can write to the database gets no code run: not by a schedule, a hook, or a pickle in a task's row."""

import pickle
from base64 import b64decode, b64encode
from datetime import timedelta
from importlib import import_module

import pytest
from django.db import connection as database
from django.urls import reverse
from django.utils import timezone
from django_q.models import Failure, OrmQ, Schedule, Success, Task
from django_q.monitor import save_task
from django_q.signing import BadSignature, SignedPackage

from core.background import schedules
from core.background.runner.hardening import text_of
from sync import findings

pytestmark = pytest.mark.django_db

RAN = []


def mark(*args, **kwargs):
    RAN.append(args)


class PlantedPickle:
    def __reduce__(self):
        return (mark, ("unpickled",))


def stored(value):
    return b64encode(pickle.dumps(value)).decode()


@pytest.fixture(autouse=True)
def nothing_ran(monkeypatch):
    for closing in (
        "core.background.schedules.close_old_connections",
        "django_q.monitor.close_old_django_connections",
    ):
        monkeypatch.setattr(closing, lambda: None)  # it is the test's
    RAN.clear()
    yield
    assert RAN == []


def queued():
    return [SignedPackage.loads(row.payload) for row in OrmQ.objects.order_by("pk")]


# --- Schedules ------------------------------------------------------------------------------------------


def test_the_clusters_scheduler_is_ours():
    assert import_module("django_q.cluster").scheduler is schedules.queue_due
    assert import_module("django_q.scheduler").scheduler is schedules.queue_due


MARK = f"{__name__}.mark"


@pytest.mark.parametrize(
    "row",
    [
        {"name": "mine", "func": MARK},
        {"name": None, "func": MARK},
        {"name": "mine", "func": MARK, "kwargs": "q_options={'sync': True}"},
        {"name": "mine", "func": "sync.tasks.tick", "hook": MARK},
        {"name": "mine", "func": MARK, "schedule_type": "O"},
        {"name": "bad", "func": MARK, "args": "os.system("},
        {"name": "bad", "func": MARK, "schedule_type": "X"},
        {"name": "Poller: tick", "func": MARK},
    ],
)
def test_a_foreign_schedule_never_runs_and_holds_up_no_other(row):
    Schedule.objects.update(next_run=timezone.now() + timedelta(hours=1))
    Schedule.objects.create(next_run=timezone.now() - timedelta(hours=1), **row)
    Schedule.objects.filter(name="poller: watch").update(next_run=timezone.now() - timedelta(seconds=1))
    assert schedules.queue_due() == 1
    assert [task["func"] for task in queued()] == ["sync.tasks.watch"]


@pytest.mark.parametrize(
    "damage",
    [
        {"func": MARK},
        {"hook": MARK},
        {"args": "1, 2"},
        {"kwargs": "q_options={'sync': True}"},
        {"kwargs": "{'q_options': {'chain': [('os.system', ('id',))]}}"},
        {"intended_date_kwarg": "x"},
        {"cluster": "other"},
        {"repeats": 0},
    ],
)
def test_what_runs_is_what_the_code_says_not_the_row(damage):
    Schedule.objects.update(next_run=timezone.now() + timedelta(hours=1))
    late = timezone.now() - timedelta(seconds=1)
    Schedule.objects.filter(name="poller: tick").update(next_run=late, **damage)
    assert schedules.queue_due() == 1
    [task] = queued()
    assert (task["func"], task["args"], task["kwargs"]) == ("sync.tasks.tick", (), {})
    assert not {"hook", "chain", "sync"} & set(task)


def test_the_clock_goes_on_and_makes_up_for_nothing():
    now = timezone.now()
    Schedule.objects.update(next_run=now + timedelta(hours=1))
    row = Schedule.objects.filter(name="poller: housekeeping")
    before = now - timedelta(minutes=12)
    row.update(next_run=before)
    assert [schedules.queue_due(), schedules.queue_due()] == [1, 0]
    assert row.get().next_run == before + timedelta(minutes=15)


def test_a_queue_that_is_away_moves_no_clock_and_kills_no_guard(monkeypatch):
    late = timezone.now() - timedelta(minutes=1)
    Schedule.objects.update(next_run=late)

    def away(*args, **kwargs):
        raise ConnectionError

    monkeypatch.setattr("core.background.schedules.async_task", away)
    assert schedules.queue_due() == 0
    assert set(Schedule.objects.values_list("next_run", flat=True)) == {late}


def test_a_foreign_schedule_is_a_finding_while_it_lasts():
    assert findings.watch() == []
    row = Schedule.objects.create(name="mine", func="os.system")
    [finding] = findings.watch()
    assert finding.code == "foreign_schedule" and "os.system" in finding.detail
    row.delete()
    Schedule.objects.filter(name="poller: tick").update(func="os.system")
    assert [finding.code for finding in findings.watch()] == ["foreign_schedule"]
    schedules.ensure()
    Schedule.objects.create(name="poller: of a newer version", func="sync.tasks.newer")
    assert findings.watch() == []


# --- Tasks that ended -----------------------------------------------------------------------------------


def task_row(model=Failure, result=None, **values):
    """A row whose pickles are as given, written past the model."""
    now = timezone.now()
    row = model.objects.create(
        id="0" * 32, name="task", func="sync.tasks.tick", started=now, stopped=now, success=model is Success
    )
    planted = stored(PlantedPickle())
    with database.cursor() as cursor:
        cursor.execute(
            "UPDATE django_q_task SET args = %s, kwargs = %s, result = %s",
            [planted, planted, result or planted],
        )
    Task.objects.filter(pk=row.pk).update(**values)
    return row


@pytest.mark.parametrize("model", [Failure, Success])
def test_no_page_unpickles_a_task(admin_client, model):
    row = task_row(model)
    name = model._meta.model_name
    for address in (
        reverse(f"admin:django_q_{name}_changelist"),
        reverse(f"admin:django_q_{name}_changelist") + "?q=task",
        reverse(f"admin:django_q_{name}_change", args=[row.pk]),
        reverse(f"admin:django_q_{name}_history", args=[row.pk]),
    ):
        assert admin_client.get(address).status_code == 200


def test_the_page_shows_the_text_of_a_failure(admin_client):
    row = task_row(result=stored("TaskFailed at tasks.py:7; the log says more : ñ"))
    page = admin_client.get(reverse("admin:django_q_failure_change", args=[row.pk]))
    assert "TaskFailed at tasks.py:7; the log says more : ñ" in page.content.decode()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (stored("a text"), "a text"),
        (stored("x" * 300), "x" * 300),
        (stored("x" * 70_000), "x" * 70_000),
        (stored(None), ""),
        (None, ""),
        (stored(7), "This result is not text."),
        (stored(["a", "b"]), "This result is not text."),
        (stored({"a": "b"}), "This result is not text."),
        (stored(PlantedPickle()), "This result is not text."),
        (b64encode(b"cos\nsystem\n(S'id'\ntR.").decode(), "This result is not text."),
        (b64encode(b"\x80\x05").decode(), "This result cannot be read."),
        ("no base64!", "This result cannot be read."),
        (stored("x" * 300_000), "This result cannot be read."),
    ],
)
def test_a_result_is_read_without_unpickling(value, text):
    assert text_of(value) == text


def package(**values):
    now = timezone.now()
    task = {"id": "0" * 32, "name": "task", "func": "sync.tasks.tick", "args": (), "kwargs": {}}
    return task | {"started": now, "stopped": now, "success": False, "result": "failed", **values}


def test_the_monitor_neither_unpickles_a_planted_row_nor_calls_its_hook():
    """It looks for an earlier result of the same task, whose id stands in the queue for all to read."""
    task_row(hook=MARK)
    save_task(package(), None)
    row = Task.objects.get()
    assert (row.attempt_count, text_of(row.result)) == (1, "failed")
    assert row.args == stored(PlantedPickle()), "written back as it was"


def test_a_failure_is_kept_as_before():
    save_task(package(args=(1, [2]), kwargs={"a": "b"}), None)
    with database.cursor() as cursor:
        cursor.execute("SELECT args, result FROM django_q_task")
        [(args, result)] = cursor.fetchall()
    assert pickle.loads(b64decode(args)) == (1, [2])
    assert text_of(result) == "failed"


# --- The queue ------------------------------------------------------------------------------------------


def test_what_waits_is_unpickled_only_with_our_signature(admin_client):
    _, stamp, signature = SignedPackage.dumps("text").split(":")
    payload = b64encode(pickle.dumps(PlantedPickle())).decode().rstrip("=")
    for text in (f"{payload}:{stamp}:{signature}", payload, stored(PlantedPickle())):
        with pytest.raises(BadSignature):
            SignedPackage.loads(text)
        OrmQ.objects.create(key="odoopoller", payload=text, lock=timezone.now())
    assert admin_client.get(reverse("admin:django_q_ormq_changelist")).status_code == 200
