"""Upgrades send nothing by themselves: of an Odoo under a connection, and of our own rules of hashing."""

import hashlib

import orjson
import pytest
from django.db import connection

from sandbox.odoo.sales import Line
from sync.events import payload
from sync.models import PollState, SeenOrder, SyncLog
from sync.repair.deep_check import deep_check
from sync.repair.reconcile import reconcile_due
from sync.repair.resend import resend

STEPS = [(16, 17), (16, 18), (16, 19), (17, 18), (17, 19), (18, 19)]
MODULES = frozenset({"delivery", "sale_loyalty"})


def sell_everything(world):
    """Orders of every kind of goods, one of them locked. Returns their ids."""
    shop = world.shop
    goods = [shop.product_id, shop.add_product("Instalación", code="INS", kind="service")]
    goods += shop.add_variants("Camiseta", {"Color": ["Rojo", "Azul"]}, code="CAM")
    loose = shop.add_product("Tuercas a granel")
    template = shop.world.get("product.product", loose)["product_tmpl_id"]
    with shop.begin() as tx:
        tx.write("product.template", template, {"type": "consu", "is_storable": False})
    lines = [[Line(product, quantity=2)] for product in [*goods, loose]]
    reward = Line(goods[1], price=-1.0, more={"is_reward_line": True})
    lines.append([Line(shop.product_id), reward, Line(name="By hand")])
    mobile = shop.add_partner("Ana", mobile="+52 1") if world.shop.version < 19 else shop.customer_id
    orders = [shop.sell(lines=each) for each in lines] + [shop.sell(mobile)]
    shop.lock(orders[0])
    return orders


def check_again(world, orders):
    """Every way of reading an order once more."""
    for order_id in orders:
        world.shop.touch(order_id)
    world.wait(minutes=2)
    world.clock.advance(60)
    log = deep_check(world.connection, clock=world.clock)
    assert log is not None and log.orders_found >= len(orders)
    reconcile_due(world.connection, clock=world.clock)
    world.wait(minutes=2)


@pytest.mark.parametrize(("before", "after"), STEPS)
def test_an_upgrade_in_place_sends_nothing(make_world, before, after):
    """Minutes after the server was probed, when it is not probed again without a reason."""
    world = make_world(before)
    world.shop.reader.modules = MODULES
    world.poll()
    world.clock.advance(60)
    orders = sell_everything(world)
    world.wait(minutes=2)
    assert len(world.got()) == len(orders)

    world.shop.upgrade(after)
    check_again(world, orders)
    assert len(world.got()) == len(orders)
    assert not SyncLog.objects.exclude(error_code="").exists()
    assert world.state.error_code == ""

    world.shop.edit_order(orders[1], note="<p>Ring twice</p>")
    world.wait(minutes=2)
    assert [(event, version) for _, event, version in world.got()[len(orders) :]] == [("order.updated", 2)]


@pytest.mark.parametrize(("before", "after"), STEPS)
def test_goods_are_told_alike_before_and_after_an_upgrade(make_world, before, after):
    world = make_world(before)
    world.shop.reader.modules = MODULES
    world.poll()
    world.clock.advance(60)
    orders = sell_everything(world)
    world.wait(minutes=2)
    world.shop.upgrade(after)
    world.clock.advance(60)
    resend(world.connection, order_ids=orders, clock=world.clock)
    world.wait(minutes=2)
    sent = {}
    for delivery in world.hook.deliveries:
        sent.setdefault(delivery.body["order"]["id"], []).append(delivery.body)
    for first, second in sent.values():
        assert first["items"] == second["items"] and first["customer"] == second["customer"]
        told = {**first["order"], **{key: second["order"][key] for key in ("locked", "state")}}
        assert told == second["order"]
    kinds = {(i["product_type"], i["is_storable"]) for body, _ in sent.values() for i in body["items"]}
    assert kinds == {("consu", True), ("consu", False), ("service", False), (None, None)}


def test_a_turn_remembers_what_it_learnt_of_the_server(world):
    world.confirmed()
    world.wait(minutes=2)
    world.shop.upgrade(19)
    world.clock.advance(60)
    deep_check(world.connection, clock=world.clock)
    assert PollState.objects.get().server["major"] == 19
    probes = world.shop.calls["sale.order", "fields_get"]
    world.clock.advance(60)
    deep_check(world.connection, clock=world.clock)
    assert world.shop.calls["sale.order", "fields_get"] == probes


# --- Our own


def wrapped(content, gift="wrapped"):
    """What a coming release might add to each order."""
    return {**content, "order": content["order"] | {"gift": gift}}


@pytest.fixture
def next_release(monkeypatch):
    """A key more in the body, and rules 2 that know it. Called again with another value for it."""
    make, (whole,) = payload.content, payload.RULES[1]

    def without_gift(content):
        order = {key: value for key, value in content["order"].items() if key != "gift"}
        return whole(content | {"order": order})

    def install(gift="wrapped"):
        monkeypatch.setattr(payload, "content", lambda *args, **named: wrapped(make(*args, **named), gift))
        monkeypatch.setattr(payload, "RULES", {**payload.RULES, 1: (without_gift,), 2: (whole,)})

    return install


def rules():
    return set(SeenOrder.objects.values_list("hash_rules", flat=True))


def test_a_release_that_adds_a_key_sends_nothing_by_itself(world, next_release):
    orders = [world.confirmed() for _ in range(5)]
    world.wait(minutes=2)
    assert rules() == {1}

    next_release()
    check_again(world, orders)
    assert len(world.got()) == 5
    assert rules() == {2}, "from now on they are compared by the rules of the release"

    known = dict(SeenOrder.objects.values_list("order_id", "content_hash"))
    world.shop.edit_order(orders[0], note="<p>Ring twice</p>")
    world.wait(minutes=2)
    assert [(event, version) for _, event, version in world.got()[5:]] == [("order.updated", 2)]
    assert world.hook.deliveries[-1].body["order"]["gift"] == "wrapped"
    check_again(world, orders)
    assert len(world.got()) == 6
    again = dict(SeenOrder.objects.values_list("order_id", "content_hash"))
    assert {number for number in again if again[number] != known[number]} == {orders[0]}


def test_a_change_that_comes_with_the_release_is_sent(world, next_release):
    order_id = world.confirmed()
    world.wait(minutes=2)
    next_release()
    world.shop.edit_order(order_id, client_order_ref="PO 7")
    world.wait(minutes=2)
    assert [(event, version) for _, event, version in world.got()] == [
        ("order.confirmed", 1),
        ("order.updated", 2),
    ]
    assert rules() == {2}


def test_what_only_the_new_key_tells_is_seen_from_the_second_reading_on(world, next_release):
    order_id = world.confirmed()
    world.wait(minutes=2)
    next_release()
    check_again(world, [order_id])
    next_release("bare")
    check_again(world, [order_id])
    assert [version for _, _, version in world.got()] == [1, 2]


def hash_before_rules(body, version):
    """As the release before the rules made it, of what Odoo of that version told it."""
    order = {k: v for k, v in body["order"].items() if k not in ("write_date", "locked", "create_date")}
    items = [{k: v for k, v in item.items() if k != "is_reward"} for item in body["items"]]
    if version < 18:
        for item in items:
            stored = item["is_storable"]
            item |= {"product_type": "product" if stored else item["product_type"], "is_storable": None}
    content = {part: body[part] for part in ("customer", "shipping_address")}
    whole = content | {"order": order | {"state": "sale"}, "items": items}
    return hashlib.sha256(orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)).hexdigest()


def test_a_row_of_code_that_knows_of_no_rules_says_so(world):
    """Of the release before: there already, or written while both run."""
    names = "connection_id, order_id, order_name, reference, state, write_date, content_hash, version, "
    names += "announced, seeded, seen_at"
    row = [world.connection.pk, 7, "S7", "", "sale", world.clock(), "h", 1, "confirmed", False, world.clock()]
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO sync_seenorder ({names}) VALUES ({', '.join(['%s'] * 11)})", row)
    old = SeenOrder.objects.get(order_id=7)
    assert (old.hash_rules, old.notes) == (0, "")
    assert SeenOrder().hash_rules == 1


@pytest.mark.parametrize("version", [16, 17, 18, 19])
def test_what_was_recorded_before_there_were_rules_is_not_sent_again(make_world, version):
    world = make_world(version)
    world.poll()
    world.clock.advance(60)
    orders = sell_everything(world)
    world.wait(minutes=2)
    for delivery in world.hook.deliveries:
        known = hash_before_rules(delivery.body, version)
        row = SeenOrder.objects.filter(order_id=delivery.body["order"]["id"])
        row.update(content_hash=known, hash_rules=0)
    check_again(world, orders)
    assert len(world.got()) == len(orders)
    assert rules() == {1}
    world.shop.edit_order(orders[1], note="<p>Ring twice</p>")
    world.wait(minutes=2)
    assert len(world.got()) == len(orders) + 1


def test_an_order_that_goes_ends_with_every_key_whatever_release_sent_it(world):
    order_id = world.confirmed()
    world.wait(minutes=2)
    [item] = world.items()
    body = orjson.loads(item.body)
    del body["order"]["create_date"], body["items"][0]["is_reward"]
    item.body = orjson.dumps(body)
    item.save()
    world.shop.cancel(order_id)
    world.shop.unlink(order_id)
    world.clock.advance(60)
    deep_check(world.connection, clock=world.clock)
    world.wait(minutes=2)
    last = world.hook.deliveries[-1].body
    assert last["event"] == "order.cancelled"
    assert last["order"]["create_date"] is None and last["items"][0]["is_reward"] is None
