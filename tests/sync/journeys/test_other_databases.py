"""A connection that is pointed at another database: whatever we know of the first one, a person is asked."""

import pytest

from connections.models import Connection, Lease
from sync.models import PollState, Question, RetryItem, SeenOrder
from sync.polling.turn import Busy
from sync.repair.deep_check import deep_check
from sync.repair.resend import resend


def told(world):
    return [(d.event, d.version) for d in world.hook.deliveries if d.status < 300]


def point_at_another(world, name="other"):
    """At a database with an order of the number 1, made at another moment by another company."""
    world.clock.advance(days=-3)
    fresh = type(world.shop)(17, name, world.clock)
    world.odoo.add(fresh)
    fresh.sell()
    world.clock.advance(days=3)
    world.shop = fresh
    edit(world, database=name, username=fresh.login, api_key=fresh.api_key)


def edit(world, **values):
    for name, value in values.items():
        setattr(world.connection, name, value)
    world.connection.save()


def is_held(world):
    return world.state.hold == "odoo_another_database" and Question.objects.open().count() == 1


def cancelled(world):
    order_id = world.confirmed()
    world.wait(minutes=2)
    world.shop.cancel(order_id)
    world.wait(minutes=2)
    assert told(world) == [("order.confirmed", 1), ("order.cancelled", 2)]
    return order_id


def test_a_person_is_asked_where_all_the_orders_we_know_have_ended(world):
    order_id = cancelled(world)
    point_at_another(world)
    world.shop.edit_order(order_id, note="<p>of another</p>")
    world.wait(minutes=5)
    assert is_held(world)
    assert len(told(world)) == 2


def test_a_deep_check_asks_as_well(world):
    cancelled(world)
    point_at_another(world)
    assert deep_check(world.connection, clock=world.clock).error_code == "odoo_another_database"
    assert is_held(world)


def test_so_does_a_further_slice_of_a_deep_check(world):
    world.confirmed()
    world.wait(minutes=2)
    PollState.objects.update(deep_after_id=0)  # the first slice ended here
    point_at_another(world)
    world.confirmed()
    assert deep_check(world.connection, clock=world.clock).error_code == "odoo_another_database"
    assert is_held(world)
    assert len(told(world)) == 1


def test_a_person_is_asked_where_nobody_wrote_down_when_orders_were_made(world):
    """As of those that another poller had sent."""
    world.confirmed()
    world.wait(minutes=2)
    SeenOrder.objects.update(created_in_odoo=None)
    point_at_another(world)
    world.confirmed()
    world.wait(minutes=5)
    assert is_held(world)
    assert len(told(world)) == 1


def test_ended_orders_tell_databases_apart_that_were_made_of_one_template(world):
    """Their companies were made at one moment."""
    cancelled(world)
    company = dict(world.shop.world.tables["res.company"][1])
    point_at_another(world)
    world.shop.world.tables["res.company"][1]["create_date"] = company["create_date"]
    world.wait(minutes=5)
    assert is_held(world)
    assert len(told(world)) == 2


# --- edited while somebody reads ------------------------------------------------------------------------


def when_asked(world, method, act):
    """Do `act` while the first request of this kind is under way."""
    handle = world.odoo.handle
    waiting = [act]

    def handled(*request):
        answer = handle(*request)
        if waiting and method in str(request):
            waiting.pop()()
        return answer

    world.odoo.handle = handled


def test_a_first_poll_that_overlaps_an_edit_writes_nothing_of_the_database_before(make_world):
    """Another worker begins in the new database meanwhile: it holds another lease."""
    world = make_world(start="all")
    world.confirmed()

    def edited():
        point_at_another(world)
        world.poll()

    when_asked(world, "order_line", edited)
    world.poll()
    world.wait(minutes=5)
    assert told(world) == [("order.confirmed", 1)]
    assert world.hook.deliveries[0].body["odoo_db"] == "other"
    assert world.state.database["database"] == "other"


def test_a_resend_that_overlaps_an_edit_is_told_to_come_again(make_world):
    world = make_world()
    order_id = world.confirmed()
    when_asked(world, "order_line", lambda: point_at_another(world))
    loaded = Connection.objects.get()
    with pytest.raises(Busy):
        resend(loaded, order_ids=[order_id], clock=world.clock)
    assert not RetryItem.objects.exists()


def test_a_poll_that_overlaps_an_edit_gives_its_lease_back(world):
    world.confirmed()
    world.clock.advance(60)
    when_asked(world, "order_line", lambda: edit(world, username="somebody@example.com"))
    world.poll()
    assert not RetryItem.objects.exists()
    assert not Lease.objects.filter(until__gt=world.clock()).exists()


def test_a_check_that_overlaps_an_edit_does_not_hold_the_connection(world):
    """It was pointed at a wrong database, and set right while that was looked at."""
    world.confirmed()
    world.wait(minutes=2)
    place = {name: getattr(world.connection, name) for name in ("database", "username", "api_key")}
    point_at_another(world)
    loaded = Connection.objects.get()
    when_asked(world, "create_date", lambda: edit(world, **place))
    deep_check(loaded, clock=world.clock)
    assert world.state.hold == ""
    assert not Question.objects.exists()


# --- known before the first poll ------------------------------------------------------------------------


def test_what_was_resent_before_the_first_poll_is_not_taken_for_deleted_elsewhere(make_world):
    """The other database has no order of that number."""
    world = make_world()
    world.shop.quotation(world.shop.customer_id, [])
    order_id = world.confirmed()
    resend(world.connection, order_ids=[order_id], clock=world.clock)
    world.deliver()
    world.clock.advance(60)
    point_at_another(world)
    world.wait(minutes=5)
    assert is_held(world)
    assert told(world) == [("order.confirmed", 1)]
