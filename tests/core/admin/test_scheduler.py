"""Scheduled work leaves word of how it went, and can be run at once."""

import pytest
from django.db import OperationalError
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from core.background import schedule_status, schedules
from core.background.safe_errors import TaskFailed
from core.models import ScheduleStatus
from sync import retention, tasks
from tests.core.admin.conftest import said

pytestmark = pytest.mark.django_db
LIST = reverse("admin:django_q_schedule_changelist")


def test_a_good_run_leaves_its_result():
    tasks.housekeep()
    job = ScheduleStatus.objects.get(name="sync.tasks.housekeep")
    assert job.good_at == job.finished_at and job.finished_at >= job.started_at
    assert (job.result, job.error) == ("", "")
    tasks.check()
    assert ScheduleStatus.objects.get(name="sync.tasks.check").result == "0 deep checks, 0 reconciliations"


def test_a_bad_run_leaves_its_error_and_the_last_good_one(monkeypatch):
    tasks.watch()
    good_at = ScheduleStatus.objects.get().good_at

    def fail(*args):
        raise ValueError("with a secret in it")

    monkeypatch.setattr(tasks.sync_findings, "watch", fail)
    with pytest.raises(TaskFailed, match="ValueError") as failed:
        tasks.watch()
    assert "secret" not in str(failed.value)
    job = ScheduleStatus.objects.get()
    assert (job.error, job.good_at) == ("ValueError", good_at)


def test_a_long_one_tells_how_far_it_is(monkeypatch):
    heard = []

    def rows(*args, **more):
        heard.append(ScheduleStatus.objects.get().result)
        return 0

    monkeypatch.setattr(retention, "_in_chunks", rows)
    tasks.housekeep()
    assert heard[0].startswith("1/") and heard[0].endswith(" leases")
    assert len(set(heard)) == len(heard)


def test_work_does_not_fail_because_its_record_does(monkeypatch):
    def away(*args, **more):
        raise OperationalError

    monkeypatch.setattr(schedule_status.ScheduleStatus.objects, "filter", away)
    assert tasks.check() == "0 deep checks, 0 reconciliations"


def test_results_are_words():
    assert schedule_status.words({"logs": 3, "leases": 0}) == "logs 3"
    assert (schedule_status.words(None), schedule_status.words(0), schedule_status.words("x" * 500)) == (
        "",
        "0",
        "x" * 300,
    )


def test_every_schedule_is_listed_with_how_it_went(admin_client):
    tasks.check()
    ScheduleStatus.objects.create(
        name="sync.tasks.housekeep", started_at=timezone.now(), result="3/12 attempts"
    )
    html = admin_client.get(LIST).content.decode()
    assert "0 deep checks, 0 reconciliations" in html
    assert "running" in html and "3/12 attempts" in html
    for wanted in schedules.WANTED:
        assert wanted.name in html


def test_each_can_be_run_now_and_only_ours(admin_client):
    mine = Schedule.objects.get(name="poller: housekeeping")
    other = Schedule.objects.create(name="theirs", func="os.getcwd")
    for row in (mine, other):
        press = reverse("admin:django_q_schedule_run_now_one", args=[row.pk])
        response = admin_client.post(press, {"_form_submitted": "True"}, follow=True)
    assert [row.func() for row in OrmQ.objects.all()] == ["sync.tasks.housekeep"]
    assert "left alone" in said(response)
    assert ScheduleStatus.objects.get().asked_by == "admin"


def test_what_was_asked_for_and_has_not_ended_is_not_queued_again(admin_client):
    mine = Schedule.objects.get(name="poller: housekeeping")
    press = reverse("admin:django_q_schedule_run_now_one", args=[mine.pk])

    def pressed():
        return said(admin_client.post(press, {"_form_submitted": "True"}, follow=True))

    assert "1 is on its way." in pressed() and "No poller is running" in pressed()
    for _ in range(100):
        admin_client.post(press, {"_form_submitted": "True"})
    again = pressed()
    assert "1 was asked for before and has not ended" in again and "is on its way" not in again
    assert OrmQ.objects.count() == 1
    tasks.housekeep()
    assert "1 is on its way." in pressed()
    ScheduleStatus.objects.update(asked_at=timezone.now() - schedules.LOST * 2)  # the queue lost it
    assert "1 is on its way." in pressed() and OrmQ.objects.count() == 3


def test_nobody_runs_it_without_the_right(staff):
    row = Schedule.objects.get(name="poller: housekeeping")
    press = reverse("admin:django_q_schedule_run_now_one", args=[row.pk])
    assert staff("django_q.view_schedule").post(press, {"_form_submitted": "True"}).status_code == 403
    assert not OrmQ.objects.exists()
