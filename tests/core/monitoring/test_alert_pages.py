"""The pages of alerts: channels are made and tested, secrets are not shown, alerts are read only."""

import pytest
from django.urls import reverse
from django.utils import timezone

from connections.causes import NEVER_SENT
from core.models import Alert, AlertChannel, AlertChannelState, AlertNotice, ChannelTest
from core.monitoring.admin.alerts import CAUSES
from sync import background
from sync.causes import WATCH
from sync.connection_test import on_request
from tests.core.admin.conftest import said

ADD = reverse("admin:core_alertchannel_add")
LIST = reverse("admin:core_alertchannel_changelist")
SLACK = "https://hooks.slack.com/services/T0/B0/canary"
SANE = {
    "name": "Ops",
    "enabled": "on",
    "kind": "slack",
    "target": SLACK,
    "language": "es",
    "window_minutes": 60,
    "remind_hours": 24,
    "digest_minutes": 0,
}


def change(channel):
    return reverse("admin:core_alertchannel_change", args=[channel.pk])


@pytest.fixture
def channel(admin_client):
    admin_client.post(ADD, SANE)
    return AlertChannel.objects.get()


def test_a_channel_is_made_and_its_address_is_never_shown(admin_client, channel):
    assert (channel.target.reveal(), channel.language, channel.causes) == (SLACK, "es", [])
    for page in (change(channel), LIST):
        assert "canary" not in admin_client.get(page).content.decode()


def test_an_empty_address_keeps_the_stored_one(admin_client, channel):
    admin_client.post(change(channel), SANE | {"target": "", "name": "Night", "causes": ["receiver_gone"]})
    channel = AlertChannel.objects.get()
    assert (channel.name, channel.target.reveal(), channel.causes) == ("Night", SLACK, ["receiver_gone"])


def test_every_finding_may_be_chosen():
    assert set(NEVER_SENT) <= set(CAUSES)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"name": "Ops\nBcc: x@example.com"}, "There is a line break"),
        ({"target": ""}, "Give the address"),
        ({"target": "hooks.slack.com/x"}, "Begin with https://"),
        ({"kind": "email", "target": "a@example.com, nobody"}, "valid email"),
        ({"quiet_from": "22:00"}, "Give both"),
        ({"window_minutes": 0}, "greater than or equal to 1"),
        ({"kind": "webhook", "target": "https://x.example.com/", "secret": "hello"}, "tick “Legacy secret”"),
    ],
)
def test_what_cannot_work_is_refused_with_a_sentence(admin_client, values, sentence):
    html = admin_client.post(ADD, SANE | values).content.decode()
    assert sentence in html and not AlertChannel.objects.exists()


def test_a_signing_secret_that_is_not_standard_needs_a_tick(admin_client):
    webhook = SANE | {"kind": "webhook", "target": "https://x.example.com/", "secret": "canary-plain"}
    assert "canary" not in admin_client.post(ADD, webhook).content.decode()
    admin_client.post(ADD, webhook | {"legacy_secret": "on"})
    assert AlertChannel.objects.get().secret.reveal() == "canary-plain"
    admin_client.post(change(AlertChannel.objects.get()), webhook | {"secret": "", "name": "Night"})
    channel = AlertChannel.objects.get()
    assert (channel.name, channel.secret.reveal()) == ("Night", "canary-plain"), "a stored one is kept"


def test_another_kind_needs_another_address(admin_client, channel):
    html = admin_client.post(change(channel), SANE | {"kind": "email", "target": ""}).content.decode()
    assert "Give the address" in html


def test_a_channel_is_tested_by_the_poller_and_its_page_tells_how_it_went(admin_client, channel, monkeypatch):
    press = reverse("admin:core_alertchannel_test_alert_one", args=[channel.pk])

    def pressed():
        return admin_client.post(press, {"_form_submitted": "True"}, follow=True)

    def told():
        background.work_off(seconds=60)
        return admin_client.get(change(channel)).content.decode()

    monkeypatch.setattr(on_request, "send_test", lambda channel: ("receiver_not_found", "HTTP 404"))
    assert "1 channel is tested in the background." in said(pressed())
    assert "1 channel is being tested already." in said(pressed())
    assert "No poller is running" in admin_client.get(change(channel)).content.decode()
    html = told()
    assert "HTTP 404" in html and "The channel takes a test" in html and "It does not work yet" in html
    monkeypatch.setattr(on_request, "send_test", lambda channel: ("", ""))
    pressed()
    assert "Everything works" in told() and ChannelTest.objects.count() == 1


def test_who_may_only_look_sees_no_fields_of_secrets(staff, channel):
    client = staff("core.view_alertchannel")
    html = client.get(change(channel)).content.decode()
    assert "Ops" in html and 'name="target"' not in html and "canary" not in html


def test_alerts_tell_whom_they_were_told_to(admin_client, channel, connection):
    now = timezone.now()
    AlertChannelState.objects.create(channel=channel, told_at=now, error_code="receiver_timeout")
    alert = Alert.objects.create(
        connection=connection, code="items_need_a_person", number=7, since=now, seen_at=now
    )
    AlertNotice.objects.create(channel=channel, alert=alert, kind="problem", told_at=now)
    Alert.objects.create(code="disk_full_soon", since=now, seen_at=now, ended_at=now)
    html = admin_client.get(reverse("admin:core_alert_changelist")).content.decode()
    assert "the poller itself" in html and connection.name in html
    page = admin_client.get(reverse("admin:core_alert_change", args=[alert.pk])).content.decode()
    assert "Ops (Problem)" in page
    assert admin_client.get(LIST).status_code == 200


def test_every_cause_the_watch_can_find_may_be_chosen():
    assert set(CAUSES) >= set(WATCH) - {"odoo_circuit_open"}
