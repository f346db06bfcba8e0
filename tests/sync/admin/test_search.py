"""One box finds whatever a person has in hand, by index, and leads straight to it."""

import pytest
from django.db import connection as database
from django.urls import reverse

from sync.admin.search import orders
from sync.models import RetryItem, SeenOrder
from tests.factories import owed_next, sent_as, tried

FIND = reverse("admin:find")


def story_of(connection, order_id):
    seen = SeenOrder.objects.get(connection=connection, order_id=order_id)
    return reverse("admin:sync_seenorder_change", args=[seen.pk])


@pytest.mark.parametrize(
    "question",
    [
        "S00042",
        "s00042",
        " S00042 ",
        "42",
        "web-7",
        "WEB-7",
        "evt_abc",
        "odoo_lugo_42",
        "S00042 lugo",
        "Tienda Lugo s00042",
        "s0004",
    ],
)
def test_an_order_is_found_by_whatever_one_has(question, admin_client, shop, owe):
    lugo = shop(name="Tienda Lugo", database="lugo")
    owe(lugo, 42, event_id="evt_abc")
    SeenOrder.objects.update(reference="WEB-7")
    owe(shop(name="Tienda Vigo"), 7, order_name="S00107")
    response = admin_client.get(FIND, {"q": question})
    assert response.status_code == 302 and response.url == story_of(lugo, 42)


def test_a_version_that_was_sent_long_ago_is_found_by_its_event(admin_client, shop, owe):
    lugo = shop()
    item = owe(lugo, 42)
    sent_as(item, event_id="evt_old")
    item.delete()
    assert admin_client.get(FIND, {"q": "evt_old"}).url == story_of(lugo, 42)


def test_several_make_a_short_list(admin_client, shop, owe):
    owe(shop(name="Tienda Lugo"), 42), owe(shop(name="Tienda Vigo"), 42)
    html = admin_client.get(FIND, {"q": "s00042"}).content.decode()
    assert "Tienda Lugo" in html and "Tienda Vigo" in html


def test_a_connection_is_found_by_its_name_and_id(admin_client, shop):
    lugo = shop(name="Tienda Lugo", external_id="lugo-1")
    page = reverse("admin:connections_connection_change", args=[lugo.pk])
    assert admin_client.get(FIND, {"q": "lugo"}).url == page
    assert admin_client.get(FIND, {"q": "LUGO-1"}).url == page


def test_a_shop_called_so_goes_before_an_order_of_that_number(admin_client, shop, owe):
    seven = shop(name="Tienda 7")
    owe(shop(name="Tienda 8"), 7)
    page = reverse("admin:connections_connection_change", args=[seven.pk])
    assert admin_client.get(FIND, {"q": "tienda 7"}).url == page


def test_an_order_goes_before_a_shop_called_like_it(admin_client, shop, owe):
    owe(shop(name="42"), 42)
    html = admin_client.get(FIND, {"q": "42"}).content.decode()
    assert "S00042" in html


@pytest.mark.parametrize("question", ["", "zzz", "%", "'; --", "9" * 40, "x" * 5000, "odoo_x_1", "<script>"])
def test_what_is_not_there_is_said_politely(question, admin_client, shop, owe):
    owe(shop(), 1)
    response = admin_client.get(FIND, {"q": question})
    assert response.status_code == 200
    assert "<script>&" not in response.content.decode()


def test_one_finds_only_what_one_may_see(staff, shop, owe):
    owe(shop(name="Tienda Lugo"), 42)
    assert staff().get(FIND, {"q": "S00042"}).status_code == 403
    only_shops = staff("connections.view_connection").get(FIND, {"q": "S00042"})
    assert "Nothing is known" in only_shops.content.decode()


# --- an order has had other names, and other orders its name ----------------------------------------------


@pytest.fixture
def renamed(shop, owe):
    """Order 57 of Lugo was S00042 when it was sent and is S00099."""
    lugo = shop(name="Tienda Lugo")
    owe(lugo, 57, order_name="S00042", status="sent")
    SeenOrder.objects.update(order_name="S00099", version=2)
    return lugo


@pytest.mark.parametrize("question", ["S00042", "s00042", "42", "S00042 lugo", "lugo S00042", "S00099", "57"])
def test_an_order_is_found_by_every_name(question, admin_client, renamed):
    assert admin_client.get(FIND, {"q": question}).url == story_of(renamed, 57)


def test_a_name_that_is_anothers_now_shows_both_with_their_ids(admin_client, renamed, owe):
    owe(renamed, 58, order_name="S00042")
    html = admin_client.get(FIND, {"q": "S00042"}).content.decode()
    for shown in ("S00099", "S00042", "Odoo id 57", "Odoo id 58"):
        assert shown in html


def test_its_story_says_what_it_was_called(admin_client, renamed):
    html = admin_client.get(story_of(renamed, 57)).content.decode()
    assert "Called before" in html and "S00042" in html


def test_a_story_without_another_name_says_nothing_of_it(admin_client, shop, owe):
    lugo = shop()
    owe(lugo, 42)
    assert "Called before" not in admin_client.get(story_of(lugo, 42)).content.decode()


@pytest.mark.parametrize("model", ["sentorder", "retryitem", "deliveryattempt", "seenorder"])
@pytest.mark.parametrize("term", ["S00042", "s00099", "57", "S00099"])
def test_lists_find_every_version_by_any_name(admin_client, renamed, owe, model, term):
    first = RetryItem.objects.get()
    second = owed_next(first, order_name="S00099", version=2, event_id="evt_2", status="pending")
    for item in (first, second):
        sent_as(item)
        tried(item)
    owe(renamed, 60)
    shown = listed(admin_client, model, q=term, status="all")
    assert sorted(row.version for row in shown) == ([2] if model == "seenorder" else [1, 2])
    assert {row.order_id for row in shown} == {57}


def test_lists_tell_orders_of_one_name_apart(admin_client, renamed, owe):
    owe(renamed, 58, order_name="S00042")
    html = admin_client.get(
        reverse("admin:sync_retryitem_changelist"), {"q": "S00042", "status": "all"}
    ).content.decode()
    assert "Odoo id" in html and ">57<" in html.replace(" ", "") and ">58<" in html.replace(" ", "")


@pytest.mark.parametrize("model", ["sentorder", "retryitem", "deliveryattempt"])
def test_an_event_finds_its_version_only(admin_client, renamed, model):
    first = RetryItem.objects.get()
    second = owed_next(first, order_name="S00099", version=2, event_id="evt_2", status="pending")
    for item in (first, second):
        sent_as(item)
        tried(item)
    assert [row.version for row in listed(admin_client, model, q="evt_2", status="all")] == [2]


def listed(client, model, **query):
    if model != "retryitem":
        query.pop("status")
    return list(client.get(reverse(f"admin:sync_{model}_changelist"), query).context["cl"].result_list)


def test_names_are_found_by_index(db):
    if database.vendor == "postgresql":  # of an empty table it would rather read all
        database.cursor().execute("SET LOCAL enable_seqscan = off")
    plan = SeenOrder.objects.filter(order_name__upper="S1").explain()
    assert "seenorder_name_upper" in plan
    assert orders("S1") == []
