"""A database that is called otherwise than in the first run: calls go to today's name, ids keep the first."""

import copy
import json

import pytest

from connections.models import Connection
from sandbox.odoo.sales import Line
from sync.connection_test.preview import preview
from sync.models import PollState
from sync.polling.first_run import first_look
from sync.repair.deep_check import deep_check
from sync.repair.resend import resend


def rename(world, name):
    """In Odoo, and in the connection as people do."""
    world.odoo.shops[name] = world.odoo.shops.pop(world.shop.database)
    world.shop.database = name
    connection = Connection.objects.without_secrets().get()
    connection.database = name
    connection.save()
    world.connection.refresh_from_db()


def ids(world):
    """external_id, odoo_db and the first SKU of each version that arrived."""
    bodies = [d.body for d in world.hook.deliveries]
    return [(b["external_id"], b["odoo_db"], b["items"][0]["sku"]) for b in bodies]


def sell(world):
    """A confirmed order of a product without any code."""
    product = world.shop.add_product("Without a code")
    order_id = world.shop.quotation(world.shop.customer_id, [Line(product)])
    world.shop.confirm(order_id)
    return order_id, product


@pytest.fixture
def renamed(make_world):
    """A shop with one order that its receiver has, and then another name."""
    world = make_world()
    world.poll()
    world.clock.advance(60)
    world.order_id, world.product = sell(world)
    world.wait(minutes=2)
    rename(world, "shop17-new")
    return world


def first(world, order_id, product):
    return (f"odoo_shop17_{order_id}", "shop17", f"ODOO-shop17-{product}")


def test_orders_keep_their_ids_and_new_ones_get_like_ones(renamed):
    world = renamed
    world.shop.edit_order(world.order_id, note="<p>changed</p>")
    order_id, product = sell(world)
    world.wait(minutes=2)
    known_one = first(world, world.order_id, world.product)
    assert ids(world) == [known_one, known_one, first(world, order_id, product)]
    assert world.connection.database == "shop17-new" and world.state.error_code == ""


def test_a_rename_alone_sends_nothing(renamed):
    PollState.objects.update(deep_check_at=renamed.clock())
    assert deep_check(renamed.connection, clock=renamed.clock).error_code == ""
    renamed.wait(minutes=2)
    assert len(ids(renamed)) == 1


def test_sent_again_and_cancelled_under_the_id_that_is_known(renamed):
    world = renamed
    resend(world.connection, order_ids=[world.order_id], clock=world.clock)
    world.wait(seconds=10)
    world.shop.cancel(world.order_id)
    world.shop.unlink(world.order_id)
    deep_check(world.connection, clock=world.clock)
    world.wait(minutes=2)
    assert [b.body["event"] for b in world.hook.deliveries][1:] == ["order.updated", "order.cancelled"]
    assert set(ids(world)) == {first(world, world.order_id, world.product)}


def test_a_preview_shows_them_too(renamed):
    _, body = preview(renamed.connection, now=renamed.clock())
    shown = json.loads(body)
    told = (shown["external_id"], shown["odoo_db"], shown["items"][0]["sku"])
    assert told == first(renamed, renamed.order_id, renamed.product)


def test_twice_renamed_is_still_the_first(renamed):
    rename(renamed, "shop-final")
    order_id, product = sell(renamed)
    renamed.wait(minutes=2)
    assert ids(renamed)[1:] == [first(renamed, order_id, product)]


# --- when the name is settled -----------------------------------------------------------------------------


def test_until_the_first_run_ids_follow_the_name(make_connection):
    connection = make_connection(database="a")
    for name in ("b", "c"):
        connection.database = name
        connection.save()
        assert connection.database_in_ids == name == Connection.objects.get().ids_database


@pytest.mark.parametrize("how", [lambda c: c.save(), lambda c: c.save(update_fields=["database"])])
def test_after_it_they_stay(make_connection, clock, how):
    connection = make_connection(database="a")
    PollState.objects.create(connection=connection, next_poll_at=clock(), started_at=clock())
    connection.database = "b"
    how(connection)
    stored = Connection.objects.get()
    assert (stored.database, stored.database_in_ids) == ("b", "a")


def test_an_order_that_was_sent_before_the_first_run_settles_it(make_world):
    world = make_world()
    order_id, product = sell(world)
    resend(world.connection, last=1, clock=world.clock)
    rename(world, "shop17-new")
    world.poll()
    world.wait(minutes=2)
    assert set(ids(world)) == {first(world, order_id, product)}


def test_renamed_while_the_first_run_begins(make_world, monkeypatch):
    """The person's word comes between the calls of a poll and its rows: that beginning does not count."""
    world = make_world()

    def begin_and_edit(*args, **kwargs):
        beginning = first_look(*args, **kwargs)
        if world.shop.database == "shop17":
            rename(world, "shop17-new")
        return beginning

    monkeypatch.setattr("sync.polling.poll.first_look", begin_and_edit)
    world.poll()
    assert (world.state.started_at, world.connection.database_in_ids) == (None, "shop17-new")
    world.poll()
    world.clock.advance(60)
    order_id, product = sell(world)
    world.wait(minutes=2)
    assert ids(world) == [(f"odoo_shop17-new_{order_id}", "shop17-new", f"ODOO-shop17-new-{product}")]


def test_rows_from_before_there_were_such_names(make_connection, clock):
    """As an installation that is upgraded has them, should they have been written past `save`."""
    connection = make_connection(database="a")
    PollState.objects.create(connection=connection, next_poll_at=clock(), started_at=clock())
    Connection.objects.update(ids_database="")
    connection.refresh_from_db()
    assert connection.database_in_ids == "a"
    connection.database = "b"
    connection.save()
    assert connection.database_in_ids == "a"


def test_a_copy_of_another_database_has_its_own(renamed):
    other = copy.copy(Connection.objects.get())
    other.pk, other.name, other.external_id, other.database = None, "Copy", "copy-1", "other"
    other.take_own_ids()
    other.save()
    assert other.database_in_ids == "other"
    assert Connection.objects.get(name="Shop").database_in_ids == "shop17"
