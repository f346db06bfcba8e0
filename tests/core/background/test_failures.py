"""Work that fails again and again is a finding, whatever work it is, and ends with its first success."""

from datetime import timedelta
from functools import partial

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.urls import reverse
from django.utils import timezone
from django_q.exceptions import TimeoutException

from connections.models import Connection
from core.background import failures
from core.background.safe_errors import TaskFailed
from core.models import AlertChannelState, FailingWork, Finding, ScheduleStatus
from core.monitoring.alerts import notify
from sync import background, retention, tasks
from sync import findings as sync_findings
from sync.models import PollState, Reconciliation
from sync.repair import deep_check, recovery
from sync.repair import reconcile as reconciling
from sync.runner.ticker import Tick, Ticker
from tests import factories

pytestmark = pytest.mark.django_db
SECRET = "hunter2Zx7Lw"


def breaks(*args, **more):
    raise OverflowError(f"date value out of range: {SECRET}")


def found():
    """What the watch says of failing work: (connection, detail)."""
    rows = [row for row in sync_findings.watch() if row.code == "scheduled_work_fails"]
    return [(row.connection_id, row.detail) for row in rows]


def tried(work, *args, times=1):
    for _ in range(times):
        with pytest.raises((TaskFailed, SystemExit, OverflowError)):
            work(*args)


def work_run():
    background.counted(background.RUN, failures.POLLER, lambda: recovery.work("token", 1))


def check_deeply(*ids):
    background.deep_check(ids, timezone.now, lambda: False)


def reconcile(number):
    connection = Connection.objects.get(pk=number)
    work = partial(reconciling.reconcile_due, connection)
    background.counted(background.COMPARISON, [number], work)


SCHEDULED = {
    # what breaks -> the work that a schedule or the queue runs, and how it is called in the finding
    "sync.retention.rules": (tasks.housekeep, "housekeep: OverflowError ×3"),
    "sync.background.due_groups": (tasks.check, "check: OverflowError ×3"),
    "sync.due.claim_polls": (tasks.tick, "tick: OverflowError ×3"),
    "sync.retention.wake_overdue": (tasks.watch, "wake_overdue: OverflowError ×3"),
    "sync.metrics.hourly.count_hours": (tasks.watch, "count_hours: OverflowError ×3"),
    "sync.metrics.counters.count": (tasks.watch, "count: OverflowError ×3"),
    "core.monitoring.alerts.notify.alert": (tasks.watch, "alert: OverflowError ×3"),
    "sync.repair.recovery.work": (lambda: work_run(), "work_run: OverflowError ×3"),
}


@pytest.mark.parametrize("broken", SCHEDULED)
def test_work_of_the_poller_that_fails_three_times_is_a_finding(monkeypatch, broken):
    work, said = SCHEDULED[broken]
    with monkeypatch.context() as patch:
        patch.setattr(broken, breaks)
        tried(work, times=2)
        assert found() == []
        tried(work)
        [(connection, detail)] = found()
        assert connection is None and said in detail
        assert SECRET not in detail
    work()
    assert found() == []


OF_CONNECTIONS = {
    "sync.polling.poll.poll": (lambda pk: tasks.poll("token", [pk]), "poll: OverflowError ×3"),
    "sync.deliveries.dispatcher.deliver_due": (
        lambda pk: tasks.deliver("token", [pk]),
        "deliver: OverflowError ×3",
    ),
    "sync.repair.deep_check.deep_check": (lambda pk: check_deeply(pk), "deep_check: OverflowError ×3"),
    "sync.repair.reconcile.ask": (lambda pk: reconcile(pk), "reconcile: OverflowError ×3"),
}


@pytest.mark.parametrize("broken", OF_CONNECTIONS)
def test_work_on_a_connection_that_fails_three_times_is_a_finding_of_it(
    monkeypatch, settings, make_connection, broken
):
    settings.ALLOWED_NETWORKS = ["127.0.0.0/8"]
    bad, good = (make_connection(odoo_url="http://127.0.0.1:9") for _ in range(2))
    PollState.objects.create_missing(timezone.now())
    work, said = OF_CONNECTIONS[broken]
    with monkeypatch.context() as patch:
        patch.setattr(broken, breaks)
        tried(work, bad.pk, times=3)
    work(good.pk)  # another one's success ends nothing
    assert found() == [(bad.pk, said)]
    work(bad.pk)
    assert found() == []


def deep_log(connection):
    now = timezone.now()
    return deep_check.SyncLog(connection=connection, kind="deep_check", started_at=now, finished_at=now)


def test_one_connection_that_breaks_does_not_keep_the_others_from_their_check(monkeypatch, make_connection):
    shops, seen = [make_connection() for _ in range(3)], []

    def check(connection, clock):
        seen.append(connection.pk)
        return breaks() if connection == shops[0] else deep_log(connection)

    monkeypatch.setattr(deep_check, "deep_check", check)
    tried(check_deeply, *(shop.pk for shop in shops))
    assert sorted(seen) == [shop.pk for shop in shops]
    assert [row.connection_id for row in FailingWork.objects.all()] == [shops[0].pk]


def test_of_a_disabled_connection_nothing_is_told(connection):
    failures.failed("work", "ValueError", [connection.pk])
    FailingWork.objects.update(failures=9)
    assert len(found()) == 1
    Connection.objects.update(enabled=False)
    assert found() == []


def test_what_nobody_tried_for_days_is_forgotten(connection):
    failures.failed("work of an older version", "ValueError")
    FailingWork.objects.update(failures=9, failed_at=timezone.now() - timedelta(days=3))
    assert found() == []
    failures.failed("work of an older version", "ValueError")
    assert FailingWork.objects.get().failures == 1


def test_a_reconciliation_that_breaks_says_so_at_once_and_comes_again_soon(monkeypatch, make_world):
    world = make_world()
    world.poll()
    monkeypatch.setattr(reconciling, "_compare", breaks)
    with pytest.raises(OverflowError):
        reconciling.reconcile_due(world.connection, clock=world.clock)
    row = Reconciliation.objects.get()
    assert (row.progress, row.error_code, row.error_detail) == ("failed", "unknown", "OverflowError")
    assert world.state.reconcile_at == world.clock() + timedelta(minutes=10)
    codes = {finding.code for finding in sync_findings.watch(clock=world.clock)}
    assert "reconciliation_failed" in codes


# --- Work that dies without a word


def test_a_check_of_a_connection_that_takes_too_long_counts(monkeypatch, connection):
    def hangs(connection, clock):
        raise TimeoutException("Task exceeded maximum timeout")

    monkeypatch.setattr(deep_check, "deep_check", hangs)
    tried(check_deeply, connection.pk, times=3)
    assert found() == [(connection.pk, "deep_check: TimeoutException ×3")]


def test_a_task_that_takes_too_long_counts(monkeypatch):
    def hangs(*args, **more):
        raise TimeoutException("Task exceeded maximum timeout")

    monkeypatch.setattr(retention, "rules", hangs)
    tried(tasks.housekeep, times=3)
    assert found() == [(None, "housekeep: TimeoutException ×3")]
    assert ScheduleStatus.objects.get(name="sync.tasks.housekeep").error == "TimeoutException"


def test_work_whose_worker_is_killed_each_time_counts(monkeypatch):
    def killed(*args, **more):
        raise KeyboardInterrupt  # as good as a kill: nothing of ours writes it down

    with monkeypatch.context() as patch:
        patch.setattr(retention, "rules", killed)
        for _ in range(4):
            with pytest.raises(KeyboardInterrupt):
                tasks.housekeep()
            ScheduleStatus.objects.update(started_at=timezone.now() - timedelta(minutes=10))
    assert found() == [(None, "housekeep: killed ×3")]
    tasks.housekeep()
    assert found() == []


def test_work_under_way_is_not_taken_for_dead(monkeypatch):
    ScheduleStatus.objects.create(
        name="sync.tasks.housekeep", started_at=timezone.now() - timedelta(seconds=100)
    )
    tasks.housekeep()
    assert not FailingWork.objects.exists()


def test_a_tick_of_runpoller_that_breaks_is_a_finding_until_one_succeeds(monkeypatch):
    monkeypatch.setattr("sync.runner.ticker.close_old_connections", lambda: None)
    ticker = Ticker(workers=1)
    with monkeypatch.context() as patch:
        patch.setattr(Tick, "run", breaks)
        for _ in range(3):
            ticker._tick_once()
    assert found() == [(None, "tick: OverflowError ×3")]
    monkeypatch.setattr(Tick, "run", lambda self, now: 0)
    ticker._tick_once()
    assert found() == []


# --- The watch itself


def test_a_look_that_breaks_leaves_the_others_and_ends_no_finding(monkeypatch, connection):
    PollState.objects.create(connection=connection, next_poll_at=timezone.now() - timedelta(hours=1))
    assert {row.code for row in sync_findings.watch()} == {"poll_overdue"}
    PollState.objects.update(clock_offset_seconds=9999)
    looks = [breaks if look is sync_findings._overdue else look for look in sync_findings.LOOKS]
    monkeypatch.setattr(sync_findings, "LOOKS", tuple(looks))
    for _ in range(3):
        codes = {row.code for row in sync_findings.watch()}
    assert codes == {"poll_overdue", "odoo_clock_skew", "scheduled_work_fails"}
    assert Finding.objects.get(code="scheduled_work_fails").detail == "breaks: OverflowError ×3"
    monkeypatch.undo()


def test_where_counting_breaks_findings_are_looked_for_and_told_all_the_same(monkeypatch):
    heard = []
    monkeypatch.setattr("sync.metrics.counters.count", breaks)
    monkeypatch.setattr("core.monitoring.alerts.notify.alert", lambda findings, now: heard.append(findings))
    tried(tasks.watch, times=4)
    assert [[row.code for row in findings] for findings in heard[-1:]] == [["scheduled_work_fails"]]


def test_one_channel_that_breaks_leaves_the_others_their_alerts(monkeypatch, connection):
    for name in ("A", "B", "C"):
        factories.channel(name, kind="email", target="ops@example.com")
    told = []

    def tell(channel, now):
        return breaks() if channel.name == "A" else told.append(channel.name) or True

    monkeypatch.setattr(notify, "_tell", tell)
    assert notify.alert([], timezone.now()) == 2
    assert told == ["B", "C"]
    state = AlertChannelState.objects.get(channel__name="A")
    assert (state.failures, state.error_code, state.error_detail) == (1, "unknown", "OverflowError")


def test_work_does_not_fail_because_its_failure_cannot_be_written_down(monkeypatch):
    def away(*args, **more):
        raise OperationalError

    monkeypatch.setattr(FailingWork.objects, "filter", away)
    failures.failed("work", "ValueError")
    failures.succeeded(["work"])


# --- Where people see it


def test_people_see_it_in_the_admin_in_status_and_in_an_alert(
    monkeypatch, admin_client, capsys, mailoutbox, settings
):
    settings.EMAIL_URL = "smtp://mail"
    factories.channel("Ops", kind="email", target="ops@example.com")
    monkeypatch.setattr(retention, "rules", breaks)
    tried(tasks.housekeep, times=3)
    tasks.watch()
    title = "Scheduled work fails repeatedly"
    finding = Finding.objects.get(code="scheduled_work_fails")
    for page in (
        reverse("admin:index"),
        reverse("admin:core_finding_changelist"),
        reverse("admin:core_finding_change", args=[finding.pk]),
    ):
        html = admin_client.get(page).content.decode()
        assert title in html and "housekeep: OverflowError ×3" in html, page
    with pytest.raises(SystemExit) as ended:
        call_command("status")
    said = capsys.readouterr().out
    assert ended.value.code == 1 and title in said and "log of runpoller" in said
    [mail] = mailoutbox
    assert title in mail.body and "housekeep: OverflowError ×3" in mail.body
    assert SECRET not in mail.body + said
