"""Moments that other machines name: they may lengthen our own pauses and never shorten them."""

from datetime import timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest
import responses

from connections.circuit import OPEN_AFTER, WAIT_SECONDS, Health
from connections.circuit_store import SideState
from connections.errors import Temporary
from connections.models import Circuit
from connections.receiver.delivery import Outcome, Verdict
from core.models import AlertChannelState
from core.monitoring.alerts import notify
from sandbox.http.answer import Answer
from sync import due, findings
from sync.deliveries.session import DeliverySession, never
from sync.models import DeliveryAttempt, PollState, RetryItem, RunKind, SyncLog
from sync.repair import deep_check, reconcile, recovery
from sync.repair import resend as resending
from sync.repair.recovery import Choice
from tests import factories
from tests.conftest import NOON
from tests.factories import owed

PAST = format_datetime(NOON - timedelta(minutes=7), usegmt=True)
SOON = [
    pytest.param("0", id="at once"),
    pytest.param(PAST, id="a date that is over"),
    pytest.param("Sun, 06 Nov 1994 08:49:37 GMT", id="a date of another century"),
    pytest.param("1", id="a second"),
    pytest.param("-1", id="less than nothing"),
    pytest.param("", id="nothing"),
]
STEPS = (0, 30, 90, 210, 450, 1050)  # when one version is tried within an hour, without jitter


@pytest.fixture
def bounded(world):
    """The receiver breaks where it is asked without end, so that the test ends."""
    receive, asked = world.receive, []

    def answer(*request):
        asked.append(world.clock())
        if len(asked) > 100:
            raise RuntimeError("asked without end")
        return receive(*request)

    world.receive = answer
    return asked


def deliver_for(world, seconds=0, *, tick=10, **parts):
    """Time passes with the poller delivering: an hour without polls is told quickly."""
    end = world.clock() + timedelta(seconds=seconds, **parts)
    while world.clock() < end:
        world.clock.advance(tick)
        world.deliver()


def seconds(moments):
    return [round((moment - moments[0]).total_seconds()) for moment in moments]


# --- The receiver


@pytest.mark.parametrize("retry_after", SOON)
def test_one_version_keeps_its_usual_steps(world, bounded, retry_after):
    world.receiver.set_mode("main", "429", retry_after=retry_after)
    world.confirmed()
    world.poll()
    deliver_for(world, hours=1)
    assert len(bounded) == len(STEPS) == DeliveryAttempt.objects.count()
    for at, step in zip(seconds(bounded), STEPS, strict=True):
        assert step <= at <= step * 1.1 + 60
    circuit = Circuit.objects.get(side="webhook")
    assert (circuit.state, circuit.failures, circuit.waits) == ("closed", 0, len(STEPS))
    assert [item.status for item in world.items()] == ["pending"]


@pytest.mark.parametrize("retry_after", ["0", PAST])
def test_many_versions_share_one_pace(world, bounded, retry_after):
    world.receiver.set_mode("main", "429", retry_after=retry_after)
    for _ in range(30):
        world.confirmed()
    world.poll()
    deliver_for(world, hours=1, tick=15)
    pauses = [later - before for before, later in pairwise(bounded)]
    assert len(bounded) <= 11
    for pause, own in zip(pauses, (*WAIT_SECONDS, *[WAIT_SECONDS[-1]] * 9), strict=False):
        assert pause >= timedelta(seconds=own)


def test_new_orders_are_no_reason_to_ask_sooner(world, bounded):
    world.receiver.set_mode("main", "429", retry_after="0")
    for _ in range(60):
        world.confirmed()
        world.poll()
        deliver_for(world, minutes=1, tick=20)
    assert len(bounded) <= 11


@pytest.mark.parametrize(
    ("asked", "attempts"),
    [("20", len(STEPS)), ("300", len(STEPS)), ("1000", 4), ("1800", 2), ("99999999", 1)],
)
def test_a_longer_wait_is_kept(world, bounded, asked, attempts):
    world.receiver.set_mode("main", "429", retry_after=asked)
    world.confirmed()
    world.poll()
    deliver_for(world, minutes=59, tick=15)
    assert len(bounded) == attempts


@pytest.mark.parametrize("status", ["503", "500", "408"])
def test_a_wait_that_is_over_shortens_no_step_of_another_error(world, bounded, status):
    world.receiver.set_mode("main", status, retry_after="0", count=4)
    world.confirmed()
    world.poll()
    deliver_for(world, hours=1)
    assert [d.status for d in world.hook.deliveries] == [int(status)] * 4 + [200]
    assert seconds(bounded)[-1] >= STEPS[4]


@pytest.mark.parametrize("verdict", [Verdict.DELIVERED, Verdict.WAIT, Verdict.AGAIN])
def test_an_answer_that_was_under_way_does_not_end_a_wait(world, verdict):
    """Two went out together; one was asked to wait for an hour."""
    now = world.clock()
    session = DeliverySession(
        world.connection,
        SideState(Health(), Health(), False),
        clock=world.clock,
        closing=never,
        until=now + timedelta(minutes=1),
    )
    items = [RetryItem(order_id=number) for number in range(3)]
    session.give(items)
    alive = {Verdict.DELIVERED: True, Verdict.WAIT: None, Verdict.AGAIN: False}
    session.judge(items[0], Outcome(Verdict.WAIT, None, now, 1, retry_at=now + timedelta(hours=1)))
    session.judge(items[1], Outcome(verdict, alive[verdict], now, 1, retry_at=now))
    assert session.free_senders() == 0 and session.take() is None
    assert session.due_at(now, now) == now + timedelta(hours=1)
    assert session.side.health.waits == 1


def test_after_a_long_row_of_waits_everything_goes_out_with_the_first_that_is_taken(world, bounded):
    world.receiver.set_mode("main", "429", retry_after="0")
    for _ in range(8):
        world.confirmed()
    world.poll()
    deliver_for(world, hours=2, tick=30)
    assert Circuit.objects.get(side="webhook").waits >= OPEN_AFTER
    assert max(item.attempts for item in world.items()) >= 2
    world.poll()
    assert {finding.code for finding in findings.watch(clock=world.clock)} == {"receiver_rate_limited"}
    world.receiver.set_mode("main", "ok")
    deliver_for(world, minutes=10)
    assert len(world.got()) == 8
    world.poll()
    assert findings.watch(clock=world.clock) == []
    assert Circuit.objects.get(side="webhook").waits == 0


def test_a_receiver_that_limits_its_rate_gets_everything_all_the_same(world):
    """Twenty in any minute, and no word of how long to wait."""
    taken = []
    receive = world.receive

    def answer(*request):
        if len(world.hook.deliveries) > 400:
            raise RuntimeError("asked without end")
        lately = [at for at in taken if at > world.clock() - timedelta(minutes=1)]
        world.receiver.set_mode("main", "429" if len(lately) >= 20 else "ok", retry_after="0")
        if len(lately) < 20:
            taken.append(world.clock())
        return receive(*request)

    world.receive = answer
    for _ in range(150):
        world.confirmed()
    world.poll()
    deliver_for(world, minutes=25)
    assert len(world.got()) == 150
    assert sum(d.status == 429 for d in world.hook.deliveries) <= 25


def test_a_reset_circuit_has_forgotten_its_waits(world):
    world.receiver.set_mode("main", "429", retry_after="3600", count=2)
    world.confirmed()
    world.wait(seconds=61)
    Circuit.objects.reset()
    circuit = Circuit.objects.get(side="webhook")
    assert (circuit.waits, circuit.wait_until) == (0, None)


# --- Odoo


@pytest.mark.parametrize("retry_after", ["0", PAST, ""])
def test_an_odoo_that_names_no_time_is_asked_at_a_growing_pace(make_world, retry_after):
    world = make_world(poll_interval_seconds=10)
    world.poll()
    before = SyncLog.objects.count()
    world.shop.faults.set("rate_limit", retry_after=retry_after)
    world.wait(hours=1)
    polls = list(SyncLog.objects.order_by("id").values_list("started_at", flat=True))[before:]
    assert 5 <= len(polls) <= 11
    for number, (first, second) in enumerate(pairwise(polls)):
        assert second - first >= timedelta(seconds=WAIT_SECONDS[min(number, len(WAIT_SECONDS) - 1)])
    circuit = Circuit.objects.get(side="odoo")
    assert (circuit.state, circuit.failures) == ("closed", 0)
    world.shop.faults.clear()
    world.confirmed()
    world.wait(minutes=11)
    assert len(world.got()) == 1
    assert Circuit.objects.get(side="odoo").waits == 0


def answers_503(world, retry_after):
    """As a proxy with Odoo gone behind it."""
    page = Answer(503, b"<title>Back soon</title>", {"Retry-After": retry_after, "Content-Type": "text/html"})
    handle, world.odoo.handle = world.odoo.handle, lambda *request: page
    return handle


@pytest.mark.parametrize("retry_after", ["0", PAST])
def test_a_wait_that_is_over_keeps_no_circuit_closed(make_world, retry_after):
    world = make_world(poll_interval_seconds=5)
    world.poll()
    answers_503(world, retry_after)
    world.wait(minutes=10, tick=5)
    assert Circuit.objects.get(side="odoo").state in ("open", "half_open")
    assert SyncLog.objects.filter(error_code="odoo_unavailable").count() <= 5 + 10 / 2


def test_a_wait_that_a_maintenance_page_names_is_kept(world):
    world.poll()
    handle = answers_503(world, "1800")
    world.wait(seconds=61)
    world.odoo.handle = handle
    polls = SyncLog.objects.count()
    world.wait(minutes=28, tick=30)
    assert SyncLog.objects.count() == polls
    world.wait(minutes=3)
    assert SyncLog.objects.count() > polls


def test_while_odoo_asks_to_wait_nothing_else_asks_it(world, monkeypatch):
    """Deep check, comparison and resend ask the same Odoo as the polls."""
    order_id = world.confirmed()
    world.wait(minutes=2)
    world.shop.faults.set("rate_limit", retry_after="3600", count=1)
    world.poll()
    asked = sum(world.shop.calls.values())
    PollState.objects.update(deep_check_at=world.clock(), reconcile_at=world.clock())
    assert due.claim_deep_checks(world.clock(), 10) == []
    assert due.claim_reconciliations(world.clock(), 10) == []
    with pytest.raises(Temporary) as caught:
        resending.resend(world.connection, order_ids=[order_id], clock=world.clock)
    assert (caught.value.code, caught.value.detail[:9]) == ("odoo_rate_limited", "until 202")
    assert compare(world).error_code == "odoo_rate_limited"
    assert sum(world.shop.calls.values()) == asked
    world.clock.advance(seconds=3601)
    world.poll()  # first: checks are for what can be read
    assert due.claim_deep_checks(world.clock(), 10) == [world.connection.pk]
    assert due.claim_reconciliations(world.clock(), 10) == [world.connection.pk]
    assert len(resending.resend(world.connection, order_ids=[order_id], clock=world.clock)) == 1


def compare(world):
    since = world.clock() - timedelta(days=2)
    return reconcile.run_step(
        reconcile.ask(world.connection, since=since, repair=False, now=world.clock()), clock=world.clock
    )


def resend(world):
    with pytest.raises(Temporary):
        resending.resend(world.connection, last=1, clock=world.clock)


@pytest.mark.parametrize(
    "check",
    [
        lambda world: deep_check.deep_check(world.connection, clock=world.clock),
        compare,
        resend,
    ],
    ids=["deep check", "comparison", "resend"],
)
@pytest.mark.parametrize(("retry_after", "seconds"), [("0", 30), ("3600", 3600)])
def test_what_odoo_asks_of_a_check_holds_for_its_polls(world, check, retry_after, seconds):
    world.confirmed()
    world.wait(minutes=2)
    world.shop.faults.set("rate_limit", retry_after=retry_after, count=1)
    check(world)
    wait = Circuit.objects.get(side="odoo").wait_until - world.clock()
    assert round(wait.total_seconds()) == seconds  # some time passes while Odoo is asked
    assert world.poll() is None
    world.clock.advance(seconds + 1)
    assert world.poll().error_code == ""
    assert Circuit.objects.get(side="odoo").waits == 0


def test_a_comparison_that_is_half_done_waits_as_well(world, monkeypatch):
    monkeypatch.setattr(reconcile, "PAGE", 1)
    monkeypatch.setattr(reconcile, "SLICE_SECONDS", 0)
    for _ in range(2):
        world.confirmed()
    world.wait(minutes=2)
    wanted = compare(world)
    assert wanted.progress == "waiting"
    world.shop.faults.set("rate_limit", retry_after="60", count=1)
    assert reconcile.run_step(wanted, clock=world.clock).progress == "waiting"
    assert reconcile.run_step(wanted, clock=world.clock).progress == "waiting"
    world.clock.advance(61)
    while wanted.progress == "waiting":
        wanted = reconcile.run_step(wanted, clock=world.clock)
    assert (wanted.progress, wanted.orders_compared) == ("done", 2)


def test_orders_sent_again_in_bulk_wait_as_long_as_odoo_asks(world):
    world.confirmed()
    world.wait(minutes=2)
    rows = Choice(kind=RunKind.RESEND, since=world.clock() - timedelta(hours=1)).rows()
    run = recovery.start(rows, kind=RunKind.RESEND, token="t", by="ana", now=world.clock())
    world.shop.faults.set("rate_limit", retry_after="1800")
    asked = sum(world.shop.calls.values())
    for _ in range(30):
        for token, (number,) in due.claim_runs(world.clock(), 4):
            recovery.work(token, number, clock=world.clock)
        world.clock.advance(59)
    run.refresh_from_db()
    assert run.error_code == "odoo_rate_limited"
    assert sum(world.shop.calls.values()) - asked <= 1


def test_a_nudge_does_not_end_a_wait(world):
    world.poll()
    world.shop.faults.set("rate_limit", retry_after="1800", count=1)
    world.poll()
    polls = SyncLog.objects.count()
    for _ in range(20):
        PollState.objects.update(nudged_at=world.clock(), error_code="")
        world.wait(seconds=60)
    assert SyncLog.objects.count() == polls


# --- A channel of alerts


@pytest.mark.parametrize(
    ("retry_after", "minutes"), [("0", 1), (PAST, 1), ("30", 1), ("1200", 20), ("99999", 60), ("soon", 1)]
)
def test_a_channel_that_asks_to_wait_is_left_alone_but_not_for_ever(world, mock, retry_after, minutes):
    url = "https://hooks.slack.com/services/T0/B0/canary"
    mock.add(responses.POST, url, status=429, headers={"Retry-After": retry_after})
    factories.channel("Ops", kind="slack", target=url)
    owed(world.connection, status="failed", next_retry_at=None)
    notify.alert(findings.watch(clock=world.clock), world.clock())
    state = AlertChannelState.objects.get()
    assert state.error_code == "receiver_rate_limited"
    assert state.next_try_at == world.clock() + timedelta(minutes=minutes)
