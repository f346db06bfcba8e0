"""The test of a connection on its page: asked for, done by the poller, kept, with a preview for some."""

import json

import pytest
import responses
from django.core.exceptions import ImproperlyConfigured
from django.db import connection as database
from django.urls import reverse
from django.utils import timezone

from connections import leases
from connections.models import Connection
from core.background.heartbeat import Heartbeat
from core.models.staged_test import BEGUN_WITHIN, DONE_WITHIN
from sync import background
from sync.connection_test import on_request
from sync.connection_test.run import Stage
from sync.models import ConnectionTest, RetryItem, SeenOrder, UnsavedTest
from tests.core.admin.conftest import HOSTILE, said, spoil_secrets
from tests.factories import SECRET
from tests.world import World

TYPED = ("name", "external_id", "odoo_url", "database", "username", "protocol", "webhook_url", "events")
TYPED += (
    "poll_interval_seconds",
    "lookback_seconds",
    "start",
    "deliveries_at_once",
    "most_disappearances",
    "most_disappearances_percent",
)
VIEW, TEST = "connections.view_connection", "connections.test_connection"


def page(connection):
    return reverse("admin:connections_connection_test_one", args=[connection.pk])


def part(connection):
    return reverse("admin:connections_connection_test_part", args=[connection.pk])


def work():
    """What a poller does meanwhile."""
    return background.work_off(seconds=60)


def result_of(client, connection, **more):
    """What the page shows when the poller has done it."""
    assert client.post(page(connection), **more).status_code == 302
    work()
    return client.get(page(connection), **more).content.decode()


@pytest.fixture
def world(settings, db):
    """A sandbox shop with one order, its receiver, and a connection between them."""
    settings.ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        world = World(timezone.now, mock)
        world.confirmed()
        yield world.connection


def test_every_stage_is_kept_and_the_result_stays(admin_client, world):
    html = result_of(admin_client, world)
    test = ConnectionTest.objects.get()
    names = [stage["name"] for stage in test.stages]
    assert len(names) > 10 and html.count('class="poller-stage"') == len(names)
    assert names.index("The newest order becomes a payload") < names.index("The receiver takes a test event")
    assert "The receiver refuses a wrong signature" in names and test.finished_at
    assert json.loads(bytes(test.preview))["order"]["name"] == "S00001"
    assert "Last tested by admin" in html and "What the newest order would send" in html
    assert "data-poller-renew" not in html
    assert not SeenOrder.objects.exists() and not RetryItem.objects.exists()


def test_each_stage_shows_while_the_next_is_under_way(admin_client, shop, monkeypatch):
    connection, seen = shop(), []

    def stages(connection, *, now):
        for name in ("first", "second"):
            yield Stage(name, True)
            seen.append(admin_client.get(part(connection)).content.decode())

    monkeypatch.setattr(on_request, "run_test", stages)
    result_of(admin_client, connection)
    assert ["first" in seen[0], "second" in seen[0], "second" in seen[1]] == [True, False, True]
    assert all("The next stage is under way" in html and "data-poller-renew" in html for html in seen)


def test_pressing_again_joins_the_test_under_way(admin_client, staff, shop, monkeypatch):
    connection, asked = shop(), []
    monkeypatch.setattr(on_request, "run_test", lambda c, *, now: asked.append(c) or iter(()))
    admin_client.post(page(connection))
    other = staff(VIEW, TEST)
    for _ in range(100):
        other.post(page(connection))
    response = other.get(page(connection))
    assert "This connection is being tested already" in said(response)
    work()
    assert len(asked) == 1 and ConnectionTest.objects.get().asked_by == "admin"
    other.post(page(connection))
    assert ConnectionTest.objects.get().asked_by == "staff-1"


def test_one_that_waits_says_for_what(admin_client, shop):
    connection = shop()
    html = admin_client.post(page(connection), follow=True).content.decode()
    assert "No poller is running" in html and "data-poller-renew" in html
    Heartbeat(workers=1).record(timezone.now())
    html = admin_client.get(part(connection)).content.decode()
    assert "It begins within seconds" in html and "admin asked for it" in html


def test_one_that_nobody_began_in_time_is_not_begun_later(admin_client, shop):
    connection = shop()
    admin_client.post(page(connection))
    ConnectionTest.objects.update(started_at=timezone.now() - BEGUN_WITHIN)
    assert work() == 0
    html = admin_client.get(page(connection)).content.decode()
    assert "No poller began this test within an hour" in html and "data-poller-renew" not in html
    admin_client.post(page(connection))
    assert ConnectionTest.objects.waiting(timezone.now()).exists()


def test_one_whose_poller_was_stopped_says_so_and_may_be_asked_for_again(admin_client, shop):
    connection = shop()
    admin_client.post(page(connection))
    ConnectionTest.objects.update(waits=False, started_at=timezone.now() - DONE_WITHIN)
    assert "The test broke off" in admin_client.get(page(connection)).content.decode()
    assert "being tested already" not in admin_client.post(page(connection), follow=True).content.decode()


def test_what_a_command_tests_waits_for_its_end(admin_client, shop, monkeypatch):
    connection = shop()
    monkeypatch.setattr(on_request, "run_test", lambda c, *, now: iter(()))
    admin_client.post(page(connection))
    with on_request.only_test(connection.pk):
        assert work() == 0
    assert work() == 1


def typed(connection, **values):
    sane = {name: getattr(connection, name) for name in TYPED}
    return sane | {"enabled": "on", "send_secret_header": "on"} | values


def tried(client, address, values):
    """What the form shows when the poller has tested what was typed."""
    first = client.post(address, values).content.decode()
    assert "data-poller-renew" in first
    work()
    return client.get(f"{address}part/").content.decode()


def test_what_is_typed_is_tested_before_it_is_saved(admin_client, world):
    address = reverse("admin:connections_connection_try", args=[world.pk])
    html = tried(admin_client, address, typed(world))
    assert "The receiver takes a test event" in html and "poller-verdict" in html
    wrong = typed(world, username="nobody@example.com", api_key="typed-by-mistake")
    html = tried(admin_client, address, wrong)
    assert "It does not work yet" in html and "typed-by-mistake" not in html
    world.refresh_from_db()
    assert world.username != "nobody@example.com" and not ConnectionTest.objects.exists()
    assert UnsavedTest.objects.get().typed is None


def test_a_new_connection_is_tested_before_there_is_one(admin_client, world):
    address = reverse("admin:connections_connection_try_new")
    new = typed(world, name="New", external_id="new", api_key=world.api_key.reveal(), webhook_secret=SECRET)
    html = tried(admin_client, address, new)
    assert "It works, but look at the warnings" in html
    assert Connection.objects.count() == 1
    gaps = admin_client.post(address, new | {"database": ""}).content.decode()
    assert "Something is missing" in gaps and "Write the name of the database" in gaps


def test_what_was_typed_last_is_tested(admin_client, world):
    address = reverse("admin:connections_connection_try_new")
    new = typed(world, name="New", external_id="new", api_key="wrong", webhook_secret=SECRET)
    admin_client.post(address, new)
    html = tried(admin_client, address, new | {"api_key": world.api_key.reveal()})
    assert "It does not work yet" not in html and UnsavedTest.objects.count() == 1


def test_what_is_typed_while_a_test_runs_is_not_tested_beside_it(admin_client, world):
    address = reverse("admin:connections_connection_try", args=[world.pk])
    admin_client.post(address, typed(world))
    UnsavedTest.objects.update(waits=False)
    assert "is still being tested" in admin_client.post(address, typed(world)).content.decode()
    assert work() == 0


def test_typed_and_stored_are_not_tested_at_once(admin_client, world):
    admin_client.post(page(world))
    admin_client.post(reverse("admin:connections_connection_try", args=[world.pk]), typed(world))
    leases.claim([f"test:{world.pk}"], "another", now=timezone.now())
    assert work() == 0


def test_what_somebody_else_typed_is_not_shown(staff, world):
    rights = (VIEW, TEST, "connections.change_connection")
    address = reverse("admin:connections_connection_try", args=[world.pk])
    staff(*rights).post(address, typed(world))
    assert staff(*rights).get(f"{address}part/").content == b""


def test_typed_secrets_are_encrypted_while_they_wait(admin_client, world):
    address = reverse("admin:connections_connection_try", args=[world.pk])
    admin_client.post(address, typed(world, api_key="typed-canary"))
    with database.cursor() as cursor:
        cursor.execute("SELECT typed FROM sync_unsavedtest")
        [stored] = cursor.fetchone()
    assert b"canary" not in bytes(stored)
    assert "typed-canary" not in str(UnsavedTest.objects.get().typed)


def test_a_stored_key_is_not_tried_at_another_address(admin_client, world):
    address = reverse("admin:connections_connection_try", args=[world.pk])
    moved = admin_client.post(address, typed(world, odoo_url="https://evil.example.com"))
    assert "type the API key again" in moved.content.decode() and not UnsavedTest.objects.exists()


def test_a_stored_key_that_cannot_be_read_is_not_tried(admin_client, world):
    spoil_secrets()
    address = reverse("admin:connections_connection_try", args=[world.pk])
    assert "POLLER_ENCRYPTION_KEY" in admin_client.post(address, typed(world)).content.decode()
    assert not UnsavedTest.objects.exists()


def test_who_may_not_change_it_tries_nothing(staff, world):
    address = reverse("admin:connections_connection_try", args=[world.pk])
    assert staff(VIEW, TEST).post(address, typed(world)).status_code == 403
    assert staff(VIEW, "connections.change_connection").post(address, typed(world)).status_code == 403
    assert staff(VIEW, TEST, "connections.change_connection").get(address).status_code == 405


def test_the_preview_is_for_who_may_see_payloads(staff, world):
    assert "What the newest order would send" not in result_of(staff(VIEW, TEST), world)


def test_a_test_is_kept_in_the_language_of_nobody_and_shown_in_the_reader_s(admin_client, world):
    assert "El receptor" in result_of(admin_client, world, headers={"Accept-Language": "es"})
    assert "The receiver takes a test event" in [s["name"] for s in ConnectionTest.objects.get().stages]
    assert "The receiver takes a test event" in admin_client.get(page(world)).content.decode()


def test_what_fails_says_what_to_do_and_hides_nothing_harmful(staff, shop, monkeypatch):
    found = [Stage("Signing in", True), Stage(HOSTILE, False, "unknown", HOSTILE, 1.5)]
    monkeypatch.setattr(on_request, "run_test", lambda connection, *, now: iter(found))
    html = result_of(staff(VIEW, TEST), shop())
    assert "It does not work yet" in html and "Show the technical detail below to an engineer." in html
    assert "<script>alert" not in html


def test_an_unreadable_secret_is_explained(admin_client, shop, monkeypatch):
    def refuse(connection, *, now):
        raise ImproperlyConfigured("A stored secret cannot be read with POLLER_ENCRYPTION_KEY.")

    monkeypatch.setattr(on_request, "run_test", refuse)
    assert "POLLER_ENCRYPTION_KEY" in result_of(admin_client, shop())


def test_what_was_found_is_kept_when_our_own_code_fails_over_the_rest(admin_client, shop, monkeypatch):
    def fails(connection, *, now):
        yield Stage("Signing in", True)
        raise ValueError

    monkeypatch.setattr(on_request, "run_test", fails)
    with pytest.raises(ValueError):
        result_of(admin_client, shop())
    test = ConnectionTest.objects.get()
    assert [stage["name"] for stage in test.stages] == ["Signing in"]
    assert not test.is_under_way(timezone.now()) and not leases.Lease.objects.exists()
