"""Another language, on the page of a connection: it asks first, and says how many orders it is about."""

from datetime import timedelta

import pytest
from django.utils import timezone

from connections.models import Connection
from sync.events.decide import BY_STAMP
from sync.models import PollState, SeenOrder
from tests.core.admin.conftest import said
from tests.sync.admin.test_connection_page import ADD, page, typed

ASKED = "2 open orders of the last 7 days are sent again"


@pytest.fixture
def spoken(shop, owe):
    """A connection whose receiver knows two open orders; of four others it would hear nothing."""
    connection = shop()
    PollState.objects.update(window_to=timezone.now(), deep_check_at=timezone.now() + timedelta(hours=1))
    for number in range(1, 7):
        owe(connection, number)
    told = SeenOrder.objects.filter(order_id__in=[1, 2, 3, 4])
    told.update(announced="confirmed")
    SeenOrder.objects.filter(order_id=3).update(state="cancel")
    SeenOrder.objects.filter(order_id=4).update(write_date=timezone.now() - timedelta(days=8))
    SeenOrder.objects.filter(order_id=6).update(announced="cancelled", state="cancel")
    return connection


def hashes():
    return list(SeenOrder.objects.order_by("order_id").values_list("content_hash", flat=True))


def test_it_asks_first(admin_client, spoken):
    html = admin_client.post(page(spoken), typed(spoken, language="es_MX")).content.decode()
    assert ASKED in html
    assert Connection.objects.get().language == ""


@pytest.mark.parametrize(("change", "known"), [("send", set()), ("keep", {1, 2, 4, 5})])
def test_and_does_what_was_chosen(admin_client, spoken, change, known):
    data = typed(spoken, language="es_MX", language_change=change)
    assert "was changed successfully" in said(admin_client.post(page(spoken), data, follow=True))
    assert Connection.objects.get().language == "es_MX"
    assert {number for number, known_by in enumerate(hashes(), 1) if known_by == BY_STAMP} == known
    assert PollState.objects.get().deep_check_at <= timezone.now()


@pytest.mark.parametrize(
    "values", [{"name": "Renamed"}, {"events": ["order.confirmed"], "language": "es_MX"}]
)
def test_what_sends_nothing_again_asks_nothing(admin_client, spoken, values):
    response = admin_client.post(page(spoken), typed(spoken, **values), follow=True)
    assert "was changed successfully" in said(response)


def test_of_a_receiver_that_wants_no_changes_nothing_is_marked_unasked(admin_client, spoken):
    admin_client.post(page(spoken), typed(spoken, name="Renamed", language_change="keep"))
    assert BY_STAMP not in hashes()


def test_a_new_connection_names_its_language_without_a_question(admin_client):
    assert "language_change" not in admin_client.get(ADD).content.decode()
    admin_client.post(ADD, typed(language="es_MX"), follow=True)
    assert Connection.objects.get().language == "es_MX"


def test_its_history_says_what_was_chosen(admin_client, spoken):
    admin_client.post(page(spoken), typed(spoken, language="es_MX", language_change="keep"))
    html = admin_client.get(page(spoken).replace("change", "history")).content.decode()
    assert "Language of names: – → es_MX" in html and "Leave them as they are" in html
