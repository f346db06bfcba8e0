"""Databases that go back in time, are emptied, copied or swapped, and what the receiver is told of it."""

from datetime import timedelta

import pytest

from connections.errors import RemoteError
from sync import findings
from sync.models import PollState, Question, Reconciliation, RetryItem, SeenOrder
from sync.polling import questions
from sync.repair import reconcile, restored
from sync.repair.deep_check import deep_check
from sync.repair.resend import resend


def check(world):
    log = deep_check(world.connection, clock=world.clock)
    world.wait(seconds=20)
    return log


def check_when_due(world):
    """The minute's schedule, if a deep check is due; and what a restore asked to be compared."""
    if PollState.objects.deep_check_due(world.clock()).exists():
        check(world)
    for wanted in Reconciliation.objects.due(world.clock()):
        reconcile.run_step(wanted, clock=world.clock)
    world.wait(seconds=20)


def told(world, order_id):
    return [
        (d.event, d.version)
        for d in world.hook.deliveries
        if d.status < 300 and d.body["order"]["id"] == order_id
    ]


def test_what_a_restore_undid_is_told_however_old_its_stamp(world):
    orders = [world.confirmed() for _ in range(30)]
    world.wait(minutes=2)
    backup = world.shop.world.snapshot()
    world.wait(days=1, tick=3600)
    world.shop.cancel(orders[0])
    world.clock.advance(5)
    world.shop.edit_order(orders[1], note="<p>new</p>")
    world.wait(minutes=2)
    assert told(world, orders[0])[-1][0] == "order.cancelled"
    # The undone changes are older than any window or comparison looks by itself.
    world.wait(days=200, tick=86_400)
    world.shop.world.restore(backup)
    for _ in range(4):
        world.wait(minutes=2)
        check_when_due(world)
    assert told(world, orders[0])[-1] == ("order.confirmed", 3)
    assert told(world, orders[1])[-1] == ("order.updated", 3)
    assert world.hook.deliveries[-1].body["order"]["note"] == ""
    assert Reconciliation.objects.get(whole=True).progress == "done"
    assert "odoo_went_back" in {f.code for f in findings.watch(clock=world.clock)}


def test_a_text_that_moves_no_stamp_is_taken_back_too(world):
    """A deep check told of it while the order was young; at the restore no check reads the order any more."""
    orders = [world.confirmed() for _ in range(3)]
    world.wait(minutes=2)
    backup = world.shop.world.snapshot()
    rename_line(world, orders[0], "Another text")
    check(world)
    assert told(world, orders[0])[-1] == ("order.updated", 2)
    world.wait(days=9, tick=86_400)
    world.shop.edit_order(orders[1], note="<p>new</p>")
    world.wait(minutes=2)
    world.shop.world.restore(backup)
    for _ in range(3):
        world.wait(minutes=2)
        check_when_due(world)
    assert told(world, orders[0])[-1] == ("order.updated", 3)
    last = [d.body for d in world.hook.deliveries if d.body["order"]["id"] == orders[0]][-1]
    assert last["items"][0]["name"] != "Another text"
    assert told(world, orders[2]) == [("order.confirmed", 1)]


def rename_line(world, order_id, text):
    shop = world.shop.world
    for line in shop.children("sale.order.line", "order_id", order_id):
        shop.store("sale.order.line", line, {**shop.get("sale.order.line", line), "name": text})


def test_an_emptied_database_cancels_nothing_until_a_person_confirms(world):
    orders = [world.confirmed() for _ in range(12)]
    world.wait(minutes=2)
    for order_id in orders:
        world.shop.cancel(order_id)
        world.shop.unlink(order_id)
    check(world)
    assert {event for _, event, _ in world.got()} == {"order.confirmed"}
    question = Question.objects.open().get()
    assert (question.kind, question.detail["gone"], question.detail["covered"]) == ("disappeared", 12, 12)
    assert "question_disappeared" in {f.code for f in findings.watch(clock=world.clock)}
    questions.answer(question, "gone", by="ana", now=world.clock())
    check_when_due(world)
    assert sum(event == "order.cancelled" for _, event, _ in world.got()) == 12
    assert not Question.objects.unfinished().exists()


def test_an_emptied_database_is_a_question_and_nothing_else(world):
    """Not a backup of the year 2000, nor orders that a comparison has put right: nothing was sent."""
    for _ in range(5):
        world.confirmed()
    world.wait(minutes=2)
    full = world.shop.world.snapshot()
    for row in list(world.shop.world.rows("sale.order")):
        world.shop.world.store("sale.order", row["id"], None)
    world.wait(minutes=2)
    check_when_due(world)
    assert Reconciliation.objects.get(whole=True).held_back == 5
    assert [f.code for f in findings.watch(clock=world.clock)] == ["question_disappeared"]
    world.shop.world.restore(full)
    world.wait(minutes=2)
    check_when_due(world)
    check(world)
    assert findings.watch(clock=world.clock) == []
    assert {event for _, event, _ in world.got()} == {"order.confirmed"}


def test_the_beginning_of_time_is_not_told_as_a_moment(world):
    """Every number was given again: nothing is left from before the restore."""
    PollState.objects.update(went_back_at=world.clock(), went_back_to=restored.EVER)
    [found] = findings.watch(clock=world.clock)
    assert (found.code, found.detail) == ("odoo_went_back", "")


def test_orders_that_come_back_end_the_question(world):
    for _ in range(5):
        world.confirmed()
    world.wait(minutes=2)
    full = world.shop.world.snapshot()
    for row in list(world.shop.world.rows("sale.order")):
        world.shop.cancel(row["id"])
        world.shop.unlink(row["id"])
    check(world)
    assert Question.objects.open().exists()
    world.shop.world.restore(full)
    check(world)
    assert not Question.objects.unfinished().exists()
    assert {event for _, event, _ in world.got()} == {"order.confirmed"}


@pytest.mark.parametrize(
    ("orders", "deleted", "asked"),
    [(2, 2, False), (3, 3, True), (40, 8, False), (40, 9, False), (60, 13, True), (100, 11, False)],
)
def test_how_many_may_disappear(world, orders, deleted, asked):
    ids = [world.confirmed() for _ in range(orders)]
    world.wait(minutes=2)
    for order_id in ids[:deleted]:
        world.shop.cancel(order_id)
        world.shop.unlink(order_id)
    check(world)
    assert Question.objects.open().exists() is asked
    assert sum(event == "order.cancelled" for _, event, _ in world.got()) == (0 if asked else deleted)


def test_a_reconciliation_with_repair_asks_first(world):
    ids = [world.confirmed() for _ in range(20)]
    world.wait(minutes=2)
    for order_id in ids[:15]:
        world.shop.cancel(order_id)
        world.shop.unlink(order_id)
    since = world.clock() - timedelta(days=2)
    wanted = reconcile.ask(world.connection, since=since, repair=True, now=world.clock())
    done = reconcile.run_step(wanted, clock=world.clock)
    world.wait(minutes=1)
    assert (done.progress, done.counts["deleted"], done.held_back) == ("done", 15, 15)
    assert {event for _, event, _ in world.got()} == {"order.confirmed"}
    assert Question.objects.open().get().detail["gone"] == 15


def test_a_connection_pointed_at_another_database_is_held(make_world):
    world = make_world()
    for _ in range(5):
        world.confirmed()
    world.poll()
    world.clock.advance(60)
    for _ in range(5):
        world.confirmed()
    world.wait(minutes=2)
    sent = len(world.got())
    _swap(world)
    for _ in range(20):
        world.confirmed()
    world.wait(minutes=10)
    check_when_due(world)
    assert len(world.got()) == sent
    assert world.state.hold == "odoo_another_database"
    question = Question.objects.open().get()
    assert question.kind == "another_database" and question.detail["matching"] == 0
    assert "question_another_database" in {f.code for f in findings.watch(clock=world.clock)}


def _swap(world):
    """Behind the connection stands another database of the same numbers; somebody edits its name."""
    numbers = [row["id"] for row in world.shop.world.rows("sale.order")]
    world.clock.advance(days=-3)
    fresh = type(world.shop)(17, "other", world.clock)
    world.clock.advance(days=3)
    world.odoo.shops["other"] = fresh
    world.shop = fresh
    for _ in numbers:
        world.confirmed()
    world.clock.advance(7)
    world.connection.database, world.connection.api_key = "other", fresh.api_key
    world.connection.username = fresh.login
    world.connection.save()


def test_a_renamed_database_goes_on(world):
    ids = [world.confirmed() for _ in range(5)]
    world.wait(minutes=2)
    world.odoo.shops["renamed"] = world.odoo.shops.pop(world.shop.database)
    world.shop.database = "renamed"
    world.connection.database = "renamed"
    world.connection.save()
    world.confirmed()
    world.wait(minutes=2)
    assert len(world.got()) == len(ids) + 1
    assert not Question.objects.exists()
    assert world.state.database["database"] == "renamed"


def test_hidden_orders_are_left_alone_and_deleted_ones_are_told(world):
    ids = [world.confirmed() for _ in range(30)]
    world.wait(minutes=2)
    for order_id in ids[:4]:
        world.shop.edit_order(order_id, company_id=2)
    world.wait(minutes=2)
    world.shop.cancel(ids[9])
    world.shop.unlink(ids[9])
    log = check(world)
    assert log.error_code == ""
    assert told(world, ids[9])[-1][0] == "order.cancelled"
    assert all(told(world, each)[-1][0] != "order.cancelled" for each in ids[:4])
    found = {f.code: f.detail for f in findings.watch(clock=world.clock)}
    assert "S00001" in found["odoo_orders_hidden"]


def test_an_order_moved_to_another_company_is_over_where_one_company_is_read(make_world):
    world = make_world(company_id=1)
    world.shop.poller.company_ids = (1, 2)
    world.poll()
    world.clock.advance(60)
    order_id = world.confirmed()
    world.confirmed()
    world.wait(minutes=2)
    world.shop.edit_order(order_id, company_id=2)
    world.wait(minutes=2)
    check(world)
    assert told(world, order_id)[-1][0] == "order.cancelled"


def test_many_old_orders_wait_for_a_person(world):
    for _ in range(3):
        world.confirmed()
    world.wait(minutes=2)
    before = world.clock() - timedelta(days=20)
    old = [world.shop.sell(date_order=before) for _ in range(60)]
    for order_id in old:
        world.shop.edit_order(order_id, date_order=before)
    fresh = world.confirmed()
    world.wait(minutes=5)
    assert told(world, fresh) == [("order.confirmed", 1)]
    assert not any(told(world, order_id) for order_id in old)
    question = Question.objects.open().get()
    assert (question.kind, question.detail["orders"]) == ("old_orders", 60)
    check(world)
    assert not any(told(world, order_id) for order_id in old)
    questions.answer(question, "send", by="ana", now=world.clock())
    world.wait(minutes=5)
    assert all(told(world, order_id) == [("order.confirmed", 1)] for order_id in old)
    assert not SeenOrder.objects.filter(held=True).exists()


def test_old_orders_that_are_left_are_from_before_the_start(world):
    before = world.clock() - timedelta(days=20)
    old = [world.shop.sell() for _ in range(60)]
    for order_id in old:
        world.shop.edit_order(order_id, date_order=before)
    world.wait(minutes=5)
    questions.answer(Question.objects.open().get(), "leave", by="ana", now=world.clock())
    world.wait(minutes=5)
    check(world)
    assert world.got() == []


def test_an_order_that_polls_cannot_see_widens_the_look_back(world):
    order_id = world.confirmed()
    stamp = world.clock() - timedelta(minutes=40)
    world.shop.world.store("sale.order", order_id, {**world.shop.order(order_id), "write_date": stamp})
    world.wait(minutes=5)
    assert told(world, order_id) == []
    check(world)
    assert told(world, order_id) == [("order.confirmed", 1)]
    assert world.state.lookback_seconds(world.connection, world.clock()) > 40 * 60
    assert "odoo_orders_seen_late" in {f.code for f in findings.watch(clock=world.clock)}


def test_a_copy_that_went_its_own_way_is_asked_about(world):
    for _ in range(4):
        world.confirmed()
    world.wait(minutes=2)
    other = type(world.shop)(17, "copy", world.clock)
    other.world.restore(world.shop.world.snapshot())
    world.odoo.add(other)
    world.confirmed()
    world.wait(minutes=2)
    other.sell()
    world.connection.database, world.connection.api_key = "copy", other.api_key
    world.connection.save()
    sent = len(world.got())
    world.wait(minutes=5)
    assert len(world.got()) == sent
    question = Question.objects.open().get()
    assert (question.detail["matching"], question.detail["different"]) == (4, 1)


def test_the_moment_of_a_restore_is_told(world):
    first = world.confirmed()
    world.wait(minutes=2)
    stamp = world.shop.order(first)["write_date"].replace(microsecond=0)
    backup = world.shop.world.snapshot()
    world.wait(minutes=30)
    for _ in range(3):
        world.confirmed()
    world.wait(minutes=2)
    world.shop.world.restore(backup)
    world.confirmed()
    for _ in range(3):
        world.wait(minutes=2)
        check_when_due(world)
    assert world.state.went_back_to == stamp


def test_a_rename_after_a_restore_goes_on(world):
    for _ in range(3):
        world.confirmed()
    world.wait(minutes=2)
    backup = world.shop.world.snapshot()
    lost = world.confirmed()
    world.wait(minutes=2)
    world.shop.world.restore(backup)
    for _ in range(2):
        world.wait(minutes=2)
        check_when_due(world)
    assert told(world, lost)[-1][0] == "order.cancelled"
    world.odoo.shops["renamed"] = world.odoo.shops.pop(world.shop.database)
    world.shop.database = world.connection.database = "renamed"
    world.connection.save()
    assert world.confirmed() == lost
    world.wait(minutes=5)
    assert not Question.objects.exists()
    assert told(world, lost)[-1] == ("order.confirmed", 3)


def test_a_resend_from_another_database_is_held(world):
    orders = [world.confirmed() for _ in range(3)]
    world.wait(minutes=2)
    sent = len(world.got())
    _swap(world)
    with pytest.raises(RemoteError, match="odoo_another_database"):
        resend(world.connection, order_ids=[orders[0]], clock=world.clock)
    world.wait(minutes=5)
    assert len(world.got()) == sent
    assert Question.objects.open().get().kind == "another_database"


def test_a_resend_after_an_edit_waits_for_a_poll_where_no_order_is_known_yet(world):
    _swap(world)
    world.shop.sell()
    with pytest.raises(RemoteError, match="odoo_first_run"):
        resend(world.connection, last=1, clock=world.clock)
    assert not RetryItem.objects.exists()


def test_what_was_resent_before_the_first_poll_tells_databases_apart(make_world):
    world = make_world()
    order_id = world.confirmed()
    resend(world.connection, order_ids=[order_id], clock=world.clock)
    world.deliver()
    world.clock.advance(60)
    _swap(world)
    world.wait(minutes=5)
    assert told(world, order_id) == [("order.confirmed", 1)]
    assert world.state.hold == "odoo_another_database"


def test_a_cancellation_while_its_company_was_hidden_is_told_however_long_that_was(make_world):
    world = make_world()
    world.shop.add("res.company", id=2, name="Second")
    _let_see(world, 1, 2)
    world.poll()
    world.clock.advance(60)
    orders = [world.confirmed(company_id=2) for _ in range(3)]
    world.wait(minutes=2)
    _let_see(world, 1)
    world.shop.cancel(orders[0])
    world.wait(days=4, tick=3600)
    _let_see(world, 1, 2)
    world.wait(minutes=2)
    check(world)
    assert told(world, orders[0])[-1] == ("order.cancelled", 2)
    assert [told(world, each)[-1][0] for each in orders[1:]] == ["order.confirmed"] * 2


def _let_see(world, *companies):
    world.shop.poller.company_ids = companies
    world.shop.world.tables["res.users"][world.shop.poller.id]["company_ids"] = list(companies)


def test_what_a_person_confirmed_does_not_make_the_rest_plausible(world):
    orders = [world.confirmed() for _ in range(5)]
    world.wait(minutes=2)
    for order_id in orders:
        world.shop.cancel(order_id)
        world.shop.unlink(order_id)
    check(world)
    questions.answer(Question.objects.open().get(), "gone", by="ana", now=world.clock())
    more = [world.confirmed() for _ in range(3)]
    world.wait(minutes=2)
    full = world.shop.world.snapshot()
    for order_id in more:
        world.shop.cancel(order_id)
        world.shop.unlink(order_id)
    check_when_due(world)
    assert [told(world, each)[-1][0] for each in orders] == ["order.cancelled"] * 5
    assert [told(world, each)[-1][0] for each in more] == ["order.confirmed"] * 3
    assert Question.objects.open().get().detail["orders"] == more
    world.shop.world.restore(full)
    check(world)
    assert not Question.objects.unfinished().exists()


def test_a_person_is_asked_once_whether_a_restored_database_is_the_same(world):
    """The only number we know was given again to a quotation, which no poll shows."""
    backup = world.shop.world.snapshot()
    lost = world.confirmed()
    world.wait(minutes=2)
    world.shop.world.restore(backup)
    assert world.quotation() == lost
    check(world)
    questions.answer(Question.objects.open().get(), "same", by="ana", now=world.clock())
    world.wait(minutes=2)
    check(world)
    assert not Question.objects.open().exists()
    assert told(world, lost)[-1] == ("order.cancelled", 2)
