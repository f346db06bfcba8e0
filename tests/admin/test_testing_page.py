"""The test of a connection on its page: live, kept, and with a preview for who may see payloads."""

import json

import pytest
import responses
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse
from django.utils import timezone

from connections.models import Connection
from odoopoller.sandbox.protocol import Odoo
from odoopoller.sandbox.receiver import Receiver
from odoopoller.sandbox.sales import Line
from odoopoller.sandbox.shop import Shop
from sync.admin import testing_page
from sync.models import ConnectionTest, RetryItem, SeenOrder
from sync.testing import Stage
from tests import fakes
from tests.admin.conftest import HOSTILE

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
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
ODOO_URL, HOOK_URL = "http://127.0.0.1:8069", "http://127.0.0.1:8070"


def page(connection):
    return reverse("admin:connections_connection_test_one", args=[connection.pk])


def result_of(client, connection, **more):
    """What comes, piece by piece."""
    response = client.post(page(connection), **more)
    return [piece.decode() for piece in response.streaming_content]


@pytest.fixture
def world(settings, db):
    """A sandbox shop with one order, its receiver, and a connection between them."""
    settings.ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        shop, receiver = Shop(17, "shop17", timezone.now), Receiver(timezone.now)
        receiver.set_secrets("main", SECRET)
        fakes.install(mock, Odoo(shop), ODOO_URL)
        fakes.install_receiver(mock, receiver, HOOK_URL)
        shop.confirm(shop.quotation(shop.customer_id, [Line(shop.product_id, quantity=3)]))
        values = {"name": "Shop", "external_id": "s", "odoo_url": ODOO_URL, "database": shop.database}
        values |= {"username": shop.login, "api_key": shop.api_key, "webhook_secret": SECRET}
        yield Connection.objects.create(**values, webhook_url=f"{HOOK_URL}/hook/main")


def test_every_stage_comes_by_itself_and_the_result_stays(admin_client, world):
    pieces = result_of(admin_client, world)
    assert len(pieces) > 10 and all("desk-stage" in piece for piece in pieces[:-1])
    test = ConnectionTest.objects.get()
    names = [stage["name"] for stage in test.stages]
    assert names.index("The newest order becomes a payload") < names.index("The receiver takes a test event")
    assert "The receiver refuses a wrong signature" in names and test.finished_at
    assert json.loads(bytes(test.preview))["order"]["name"] == "S00001"
    html = admin_client.get(page(world)).content.decode()
    assert "Last tested by admin" in html and "What the newest order would send" in html
    assert not SeenOrder.objects.exists() and not RetryItem.objects.exists()


def typed(connection, **values):
    sane = {name: getattr(connection, name) for name in TYPED}
    return sane | {"enabled": "on", "send_secret_header": "on"} | values


def test_what_is_typed_is_tested_before_it_is_saved(admin_client, world):
    address = reverse("admin:connections_connection_try", args=[world.pk])
    response = admin_client.post(address, typed(world))
    html = b"".join(response.streaming_content).decode()
    assert "The receiver takes a test event" in html and "desk-verdict" in html
    wrong = typed(world, username="nobody@example.com", api_key="typed-by-mistake")
    html = b"".join(admin_client.post(address, wrong).streaming_content).decode()
    assert "It does not work yet" in html and "typed-by-mistake" not in html
    world.refresh_from_db()
    assert world.username != "nobody@example.com" and not ConnectionTest.objects.exists()


def test_a_new_connection_is_tested_before_there_is_one(admin_client, world):
    address = reverse("admin:connections_connection_try_new")
    new = typed(world, name="New", external_id="new", api_key=world.api_key, webhook_secret=SECRET)
    html = b"".join(admin_client.post(address, new).streaming_content).decode()
    assert "Everything works" in html or "look at the warnings" in html
    assert Connection.objects.count() == 1
    gaps = admin_client.post(address, new | {"database": ""}).content.decode()
    assert "Something is missing" in gaps and "Write the name of the database" in gaps


def test_a_stored_key_is_not_tried_at_another_address(admin_client, world):
    address = reverse("admin:connections_connection_try", args=[world.pk])
    moved = admin_client.post(address, typed(world, odoo_url="https://evil.example.com"))
    assert not moved.streaming and "type the API key again" in moved.content.decode()


def test_who_may_not_change_it_tries_nothing(staff, world):
    address = reverse("admin:connections_connection_try", args=[world.pk])
    assert staff(VIEW, TEST).post(address, typed(world)).status_code == 403
    assert staff(VIEW, "connections.change_connection").post(address, typed(world)).status_code == 403
    assert staff(VIEW, TEST, "connections.change_connection").get(address).status_code == 405


def test_the_preview_is_for_who_may_see_payloads(staff, world):
    client = staff(VIEW, TEST)
    result_of(client, world)
    assert "What the newest order would send" not in client.get(page(world)).content.decode()


def test_a_test_is_kept_in_the_language_of_nobody_and_shown_in_the_reader_s(admin_client, world):
    pieces = result_of(admin_client, world, headers={"Accept-Language": "es"})
    assert any("El receptor" in piece for piece in pieces)
    assert "The receiver takes a test event" in [s["name"] for s in ConnectionTest.objects.get().stages]


def test_what_fails_says_what_to_do_and_hides_nothing_harmful(staff, shop, monkeypatch):
    found = [Stage("Signing in", True), Stage(HOSTILE, False, "unknown", HOSTILE, 1.5)]
    monkeypatch.setattr(testing_page, "run_test", lambda connection, *, now: iter(found))
    html = "".join(result_of(staff(VIEW, TEST), shop()))
    assert "It does not work yet" in html and "Show the technical detail below to an engineer." in html
    assert "<script>alert" not in html


def test_an_unreadable_secret_is_explained(admin_client, shop, monkeypatch):
    def refuse(connection, *, now):
        raise ImproperlyConfigured("A stored secret cannot be read with POLLER_ENCRYPTION_KEY.")

    monkeypatch.setattr(testing_page, "run_test", refuse)
    assert "POLLER_ENCRYPTION_KEY" in "".join(result_of(admin_client, shop()))


def test_what_was_found_is_kept_when_nobody_waits_for_the_rest(admin_client, shop, monkeypatch):
    found = [Stage("Signing in", True), Stage("Never asked", True)]
    monkeypatch.setattr(testing_page, "run_test", lambda connection, *, now: iter(found))
    response = admin_client.post(page(shop()))
    pieces = iter(response.streaming_content)
    next(pieces)
    test = ConnectionTest.objects.get()
    assert [stage["name"] for stage in test.stages] == ["Signing in"] and test.finished_at is None
