"""Alerts: once for each cause and window, an end, no storm, and nothing lost to a crash."""

import json
from datetime import time, timedelta

import pytest
import responses
from django.core import mail

from connections.models import Circuit
from core.models import Alert, AlertChannel, AlertChannelState, AlertNotice, Finding
from core.monitoring.alerts import notify
from core.monitoring.alerts.database_down import Emergency
from core.monitoring.alerts.rules import is_quiet
from sync import findings
from sync.models import RetryItem
from sync.retention import housekeep
from tests import factories
from tests.factories import owed, owing

SLACK = "https://hooks.slack.com/services/T0/B0/canary"
HOOK = "https://alerts.example.com/in"


@pytest.fixture
def slack(mock):
    return mock.add(responses.POST, SLACK, body="ok")


@pytest.fixture
def channel(db, slack, world):
    return factories.channel("Ops", kind="slack", target=SLACK)


@pytest.fixture
def minute(world):
    """What the schedule does each minute; returns the messages that left."""

    def minute(count=1):
        left = 0
        for _ in range(count):
            world.clock.advance(60)
            world.poll()
            left += notify.alert(findings.watch(clock=world.clock), world.clock())
        return left

    return minute


def texts(mock, url=SLACK):
    return [json.loads(call.request.body).get("text") for call in mock.calls if call.request.url == url]


def refuse(world, count=1):
    for number in range(1, count + 1):
        owed(world.connection, number=number, status="failed", next_retry_at=None)


def test_a_problem_is_told_once_with_how_many_and_since_when(world, channel, minute, mock):
    refuse(world, 3)
    assert [minute() for _ in range(3)].count(1) == 1
    [text] = texts(mock)
    assert "Shop: The receiver refused orders five times" in text
    assert "how many: 3" in text and "since 2026-11-20 12:" in text


def test_5000_failures_give_one_alert(world, channel, minute, mock):
    now = world.clock()
    values = {"status": "failed", "write_date": now, "created_at": now, "next_retry_at": None}
    RetryItem.objects.bulk_create(owing(world.connection, number=n, **values) for n in range(5000))
    minute(10)
    assert len(texts(mock)) == 1 and "how many: 5000" in texts(mock)[0]
    assert Alert.objects.filter(code="items_need_a_person").count() == 1


def test_many_connections_fail_in_one_message(world, channel, minute, mock, make_connection):
    for n in range(50):
        owed(make_connection(external_id=f"other-{n}", enabled=False), status="failed", next_retry_at=None)
    minute()
    [text] = texts(mock)
    assert "50 problems" in text and "… and 30 more" in text


def test_the_end_is_told_with_what_was_caught_up(world, channel, minute, mock):
    world.receiver.set_mode("main", "500")
    for _ in range(6):
        world.confirmed()
    world.wait(minutes=2)
    assert Circuit.objects.get(side="webhook").state != "closed"
    minute()
    world.receiver.set_mode("main", "ok")
    world.wait(minutes=5)
    assert len(world.got()) == 6
    minute(7)
    first, second = texts(mock)
    assert "Recovered" not in first and "Recovered: Shop" in second
    assert "6 orders were delivered since" in second


def test_what_comes_and_goes_is_told_once_in_a_window(world, channel, minute, mock):
    for _ in range(5):
        circuit = factories.circuit(world.connection, "webhook", state="open")
        minute()
        circuit.delete()
        minute()
    assert len(texts(mock)) == 1
    assert Alert.objects.filter(code="webhook_circuit_open").count() == 5


def test_an_end_waits_until_it_stayed_and_covers_all_that_was_told(world, channel, minute, mock):
    circuit = factories.circuit(world.connection, "webhook", state="open")
    minute()
    circuit.delete()
    minute(4)
    assert len(texts(mock)) == 1
    minute(3)
    assert len(texts(mock)) == 2
    assert not Alert.objects.filter(ended_at__isnull=True).exists()
    assert minute() == 0


def test_what_lasts_is_told_again_after_a_day(world, channel, minute, mock):
    refuse(world)
    minute()
    world.clock.advance(hours=23)
    assert minute() == 0
    world.clock.advance(hours=1)
    assert minute() == 1
    assert "Still: Shop" in texts(mock)[-1]


@pytest.mark.parametrize(
    ("days", "told"),
    [([20, 13, 10, 6, 3, 0.5], [13, 6, 0.5]), ([0.5], [0.5])],
)
def test_a_key_that_ends_is_told_at_14_7_and_1_days(world, channel, minute, mock, days, told):
    ends_at = world.clock() + timedelta(days=30)
    heard = []
    for left in days:
        world.clock.now = ends_at - timedelta(days=left)
        world.poll()
        world.state.__class__.objects.update(account={"key_ends_at": ends_at.isoformat()})
        if minute():
            heard.append(left)
        AlertChannel.objects.update(remind_hours=0)
    assert heard == told


def test_a_crash_before_it_is_written_down_repeats_the_message(world, channel, minute, mock, monkeypatch):
    refuse(world)

    def crash(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(notify, "_record", crash)
    with pytest.raises(KeyboardInterrupt):
        minute()
    monkeypatch.undo()
    assert minute() == 1
    assert len(texts(mock)) == 2


def test_a_channel_that_fails_is_tried_again_ever_more_patiently(world, channel, minute, mock):
    mock.replace(responses.POST, SLACK, status=500)
    refuse(world)
    minute(8)
    state = AlertChannelState.objects.get()
    assert (state.failures, state.error_code) == (4, "receiver_error")
    minute()
    assert Finding.objects.filter(code="alert_channel_fails").exists()
    mock.replace(responses.POST, SLACK, body="ok")
    world.clock.advance(hours=1)
    assert minute() == 1
    assert AlertChannelState.objects.get().failures == 0


def test_quiet_hours_hold_back_what_is_told_when_they_end(world, channel, minute, mock):
    AlertChannel.objects.update(quiet_from=time(11), quiet_to=time(14))
    refuse(world)
    assert minute() == 0
    world.clock.advance(hours=2)
    assert minute() == 1


@pytest.mark.parametrize(
    ("start", "end", "quiet"),
    [(22, 7, False), (11, 13, True), (12, 13, True), (11, 12, False), (13, 12, False), (20, 13, True)],
)
def test_quiet_hours_may_pass_midnight(clock, start, end, quiet):
    assert is_quiet(AlertChannel(quiet_from=time(start), quiet_to=time(end)), clock()) is quiet


def test_a_digest_collects(world, channel, minute, mock, make_connection):
    AlertChannel.objects.update(digest_minutes=60)
    refuse(world)
    assert minute() == 1
    for n in range(3):
        owed(make_connection(external_id=f"other-{n}", enabled=False), status="failed", next_retry_at=None)
    assert minute(2) == 0
    world.clock.advance(hours=1)
    assert minute() == 1
    assert "3 problems" in texts(mock)[-1]


def test_only_the_chosen_causes(world, channel, minute):
    AlertChannel.objects.update(causes=["receiver_gone"])
    refuse(world)
    assert minute() == 0


def test_one_host_tells_at_a_time(world, channel, minute, monkeypatch):
    refuse(world)
    monkeypatch.setattr(notify.leases, "claim", lambda *args, **more: set())
    assert minute() == 0


def test_by_mail(world, channel, minute, settings):
    settings.EMAIL_URL = "smtp://mail.example.com"
    AlertChannel.objects.create(
        name="Mail", kind="email", target="a@example.com, b@example.com", language="es"
    )
    refuse(world)
    assert minute() == 2
    [message] = mail.outbox
    assert message.to == ["a@example.com", "b@example.com"]
    assert message.subject.startswith("[OdooPoller] Shop: ")


def test_a_name_from_before_it_was_refused_stops_no_mail(world, minute, settings):
    settings.EMAIL_URL, settings.ENVIRONMENT = "smtp://mail.example.com", "Test\r\nBcc: x@example.com"
    factories.channel("Mail\nX: y", kind="email", target="a@example.com", language="en")
    world.connection.name = "Shop\nBcc: evil@example.com\r\n\r\nAll is well \u202e\x1b[2J"
    world.connection.save()
    refuse(world)
    assert minute() == 1
    [message] = mail.outbox
    assert message.subject.startswith(
        "[OdooPoller Test Bcc: x@example.com] Shop Bcc: evil@example.com All is"
    )
    assert "\n" not in message.subject
    assert message.body.startswith("Shop Bcc: evil@example.com All is well [2J: ")
    assert notify.send_test(AlertChannel.objects.get()) == ("", "")
    assert "“Mail X: y”" in mail.outbox[-1].body


def test_mail_that_is_not_set_up_says_so(channel):
    place = AlertChannel(name="Mail", kind="email", target="a@example.com", language="en")
    assert notify.send_test(place) == ("email_not_set_up", "")


def test_by_webhook_signed(world, minute, mock):
    mock.add(responses.POST, HOOK, status=204)
    factories.channel("Hook", kind="webhook", target=HOOK, secret="whsec_" + "QUJD" * 8)
    refuse(world, 2)
    assert minute() == 1
    request = next(call.request for call in mock.calls if call.request.url == HOOK)
    body = json.loads(request.body)
    [problem] = body["problems"]
    assert (problem["code"], problem["connection_id"], problem["number"]) == (
        "items_need_a_person",
        "shop-1",
        2,
    )
    assert request.headers["webhook-signature"].startswith("v1,")


def test_a_private_address_is_refused(world, settings):
    settings.ALLOWED_NETWORKS = []
    place = AlertChannel(name="x", kind="webhook", target="https://127.0.0.1/x", language="en")
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add_passthru("https://127.0.0.1")
        assert notify.send_test(place)[0] == "receiver_blocked_address"


def test_a_link_leads_to_the_connection(world, channel, minute, mock, settings):
    settings.CSRF_TRUSTED_ORIGINS = ["https://poller.example.com"]
    refuse(world)
    minute()
    place = f"https://poller.example.com/admin/connections/connection/{world.connection.pk}/change/"
    assert place in texts(mock)[0]


def test_names_cannot_write_slacks_markup(world, channel, minute, mock):
    world.connection.name = "<!channel> & co"
    world.connection.save()
    refuse(world)
    minute()
    assert "&lt;!channel&gt; &amp; co" in texts(mock)[0]


def test_old_alerts_age_out_and_their_notices_with_them(world, channel, minute):
    refuse(world)
    minute()
    RetryItem.objects.all().delete()
    minute()
    world.clock.advance(days=31)
    housekeep(world.clock())
    assert not Alert.objects.filter(code="items_need_a_person").exists()
    assert not AlertNotice.objects.exists()


class TestEmergency:
    @pytest.fixture
    def told(self, monkeypatch):
        told = []
        monkeypatch.setattr(
            "core.monitoring.alerts.database_down.send", lambda place, m, now: told.append(m) or ("", "")
        )
        monkeypatch.setattr(
            "core.monitoring.alerts.database_down.threading.Thread.start", lambda thread: thread._target()
        )
        return told

    def test_a_database_that_is_away_is_told_from_memory(self, clock, db, told):
        factories.channel("Ops", kind="slack", target=SLACK)
        emergency = Emergency()
        emergency.database_works(clock())
        for _ in range(10):
            emergency.database_is_away(clock.advance(30))
        assert len(told) == 1 and "does not answer" in told[0].text
        emergency.database_works(clock.advance(30))
        assert len(told) == 2 and "answers again" in told[1].text

    def test_a_short_absence_is_not_worth_a_word(self, clock, db, told):
        factories.channel("Ops", kind="slack", target=SLACK)
        emergency = Emergency()
        emergency.database_works(clock())
        emergency.database_is_away(clock.advance(30))
        emergency.database_is_away(clock.advance(60))
        emergency.database_works(clock.advance(30))
        assert told == []
