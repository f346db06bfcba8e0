"""A renamed database in the admin: shown on the page, found by the ids that receivers know."""

import pytest
from django.urls import reverse
from django.utils import timezone

from connections.models import Connection
from sync.models import PollState
from tests.sync.admin.test_connection_page import page
from tests.sync.admin.test_search import FIND, story_of


@pytest.fixture
def renamed(shop):
    connection = shop(name="Tienda Lugo", database="lugo")
    PollState.objects.update(started_at=timezone.now())
    connection.database = "lugo-2026"
    connection.save()
    return connection


def test_the_page_shows_both_names_where_they_differ(admin_client, renamed, make_connection):
    assert "Database in ids" in admin_client.get(page(renamed)).content.decode()
    assert "Database in ids" not in admin_client.get(page(make_connection())).content.decode()


def test_an_order_is_found_by_the_id_its_receiver_has(admin_client, renamed, owe, shop):
    owe(renamed, 42)
    owe(shop(database="lugo-2026x"), 42)
    assert admin_client.get(FIND, {"q": "odoo_lugo_42"}).url == story_of(renamed, 42)
    assert admin_client.get(FIND, {"q": "odoo_lugo-2026_42"}).status_code == 200


def test_a_connection_is_found_by_its_former_name(admin_client, renamed):
    found = admin_client.get(FIND, {"q": "lugo"})
    assert found.url == reverse("admin:connections_connection_change", args=[renamed.pk])


def test_nobody_types_it(admin_client, renamed):
    assert 'name="ids_database"' not in admin_client.get(page(renamed)).content.decode()
    assert Connection._meta.get_field("ids_database").editable is False
