"""Polls of an Odoo that is broken or means harm: one order is set aside, the others flow, neighbours too."""

import pytest
import responses
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from connections.models import CircuitState
from sandbox.http.answer import Answer
from sync.models import RetryItem, SeenOrder, SyncLog
from tests.conftest import NOON, Clock
from tests.doubles.hostile_odoo import MARKS, HostileWorld, spoilt

READS = {16: "search_read", 17: "web_search_read", 19: "web_search_read"}


@pytest.fixture
def make_world(clock, mock, db, settings):
    settings.ALLOWED_NETWORKS = ["127.0.0.0/8"]

    def make(version=17):
        world = HostileWorld(clock, mock, version)
        world.poll()
        clock.advance(60)
        return world

    return make


@pytest.fixture
def world(make_world):
    return make_world()


def feed_or_whole(result):
    """Which of the two lists this is: whole orders have lines."""
    rows = result["records"] if isinstance(result, dict) else result
    return "whole" if rows and "order_line" in rows[0] else "feed"


# --- One order of three is spoilt


def records_of(result):
    return result["records"] if isinstance(result, dict) else result


ONE_ORDER = {
    "a string where a record should be": lambda order: "S00002",
    "no id": lambda order: {**order, "id": None},
    "a negative id": lambda order: {**order, "id": -order["id"]},
    "an id beyond 64 bits": lambda order: {**order, "id": "@digits@"},
    "an id as text": lambda order: {**order, "id": str(order["id"])},
    "a list for a name": lambda order: {**order, "name": ["x"]},
    "no customer's record": lambda order: {**order, "partner_id": 7},
    "NaN": lambda order: {**order, "amount_total": "@nan@"},
    "infinity": lambda order: {**order, "amount_total": "@infinity@"},
    "more than a float holds": lambda order: {**order, "amount_total": "@overflow@"},
    "5000 digits": lambda order: {**order, "amount_total": "@digits@"},
    "100,000 lists": lambda order: {**order, "note": "@deep list@"},
    "100,000 objects": lambda order: {**order, "partner_id": "@deep object@"},
    "900 lists": lambda order: {**order, "name": "@deep but allowed@"},
    "invalid UTF-8": lambda order: {**order, "note": "@not utf-8@"},
    "half a character": lambda order: {**order, "note": "@half a character@"},
    "a year beyond our calendar": lambda order: {**order, "write_date": "9999-12-31 23:59:59"},
    "a string without an end": lambda order: {**order, "name": "@open@"},
    "a page in a field": lambda order: {**order, "name": "@page@"},
}


@pytest.mark.parametrize("version", [16, 17, 19])
@pytest.mark.parametrize("change", [pytest.param(c, id=name) for name, c in ONE_ORDER.items()])
def test_one_spoilt_order_is_set_aside_and_the_others_flow(make_world, version, change):
    world = make_world(version)
    bad, *good = [world.confirmed() for _ in range(3)]
    world.order_elsewhere()

    def spoil(verb, result):
        if verb != READS[version] or feed_or_whole(result) == "feed":
            return result
        rows = [change(row) if row["id"] == bad else row for row in records_of(result)]
        return {**result, "records": rows} if isinstance(result, dict) else rows

    world.hostile.spoil = spoil
    world.clock.advance(60)
    log = world.poll()
    assert world.arrived() == set(good)
    [item] = RetryItem.objects.filter(connection=world.connection, order_id=bad)
    assert (item.status, item.error_code) == ("failed", "odoo_unreadable_order")
    assert item.error_detail
    assert (log.error_code, log.orders_failed) == ("odoo_unreadable_order", 1)
    world.check_neighbour()


CAN_DO_WITHOUT = {
    "commitment_date": ("9999-12-31 23:59:59", "out of range"),
    "date_order": ("2026-02-30 10:00:00", "not a date with time"),
    "note": ("@deep but allowed@", "not a text"),
    "origin": (["SO", 7], "not a text"),
    "client_order_ref": (12, "not a text"),
}


@pytest.mark.parametrize("version", [16, 17, 19])
@pytest.mark.parametrize("field", CAN_DO_WITHOUT)
def test_what_a_receiver_can_do_without_is_left_empty_and_the_order_arrives(make_world, version, field):
    value, problem = CAN_DO_WITHOUT[field]
    world = make_world(version)
    odd, *good = [world.confirmed() for _ in range(3)]
    world.order_elsewhere()

    def spoil(verb, result):
        rows = [
            {**row, field: value} if row["id"] == odd and field in row else row for row in records_of(result)
        ]
        return {**result, "records": rows} if isinstance(result, dict) else rows

    world.hostile.spoil = lambda verb, result: spoil(verb, result) if verb == READS[version] else result
    world.clock.advance(60)
    log = world.poll()
    assert world.arrived() == {odd, *good}
    assert (log.error_code, log.orders_failed) == ("", 0)
    seen = SeenOrder.objects.filter(connection=world.connection)
    notes = dict(seen.values_list("order_id", "notes"))
    assert notes == {odd: f"{field}: {problem}", **dict.fromkeys(good, "")}
    world.check_neighbour()

    world.hostile.verbs.clear()
    world.clock.advance(60)
    world.poll()
    asked_again = READS[version] in world.hostile.verbs
    assert asked_again is (version == 16), "it is not read again with each poll: 16 reads both by one verb"

    world.hostile.spoil = None  # somebody corrects it in Odoo
    world.shop.edit_order(odd, note="<p>As it should be</p>")
    world.clock.advance(60)
    world.poll()
    assert seen.get(order_id=odd).notes == ""
    assert [d.event for d in world.hook.deliveries if d.body["order"]["id"] == odd] == [
        "order.confirmed",
        "order.updated",
    ]


def test_orders_that_were_not_asked_for_are_not_taken(world):
    wanted = world.confirmed()
    world.order_elsewhere()

    def spoil(verb, result):
        if verb != "web_search_read" or feed_or_whole(result) == "feed":
            return result
        others = [{**row, "id": number} for row in result["records"] for number in (900, 901, 2**52)]
        return {**result, "records": [*others, *result["records"] * 3][::-1]}

    world.hostile.spoil = spoil
    world.clock.advance(60)
    world.poll()
    assert world.arrived() == {wanted}
    assert not world.items(order_id__gt=800)
    world.check_neighbour()


GIGANTIC = {
    "name": "S" * 5_000_000,
    "note": "<p>" + "n" * 5_000_000,
    "client_order_ref": "\u202e" + "r" * 100_000,
    "origin": "o\0" * 100_000,
}


def test_gigantic_fields_arrive_and_what_the_tables_keep_of_them_is_short(world):
    order_id = world.confirmed()

    def spoil(verb, result):
        if verb != "web_search_read" or feed_or_whole(result) == "feed":
            return result
        return {**result, "records": [{**row, **GIGANTIC} for row in result["records"]]}

    world.hostile.spoil = spoil
    world.clock.advance(60)
    world.poll()
    assert world.arrived() == {order_id}
    assert len(world.hook.deliveries[-1].body["order"]["note"]) > 5_000_000
    [item] = RetryItem.objects.filter(order_id=order_id)
    assert len(item.order_name) <= 100
    world.check_neighbour()


# --- The feed


def feed(*rows):
    return [
        {"id": number, "write_date": "2026-11-20 12:00:30", "state": "sale", **more} for number, more in rows
    ]


FEEDS = {
    "a string among the records": (lambda rows: [*rows, "S00001", 7, None, []], "odoo_broken_answer"),
    "records without an id": (lambda rows: [{}, *rows, {"id": None}], "odoo_broken_answer"),
    "negative ids": (lambda rows: [*feed((-1, {}), (-(2**70), {})), *rows], "odoo_broken_answer"),
    "ids beyond 2**53": (lambda rows: [*rows, *feed((2**53 + 1, {}), (2**64 - 1, {}))], "odoo_broken_answer"),
    "ids beyond 64 bits": (lambda rows: [*rows, *feed((10**30, {}), (1.5, {}))], "odoo_broken_answer"),
    "each one twice": (lambda rows: rows + rows, "odoo_broken_answer"),
    "dates that are none": (
        lambda rows: [{**row, "write_date": "0001-01-01 00:00:00", "date_order": 7} for row in rows],
        "",
    ),
    "states that are none": (lambda rows: [{**row, "state": "@deep but allowed@"} for row in rows], ""),
    "backwards": (lambda rows: rows[::-1], ""),
}


@pytest.mark.parametrize(("change", "code"), [pytest.param(*f, id=name) for name, f in FEEDS.items()])
def test_a_strange_feed_hides_no_order(world, change, code):
    orders = {world.confirmed() for _ in range(3)}
    world.order_elsewhere()
    world.hostile.spoil = lambda verb, result: change(result) if verb == "search_read" else result
    world.clock.advance(60)
    log = world.poll()
    assert world.arrived() == orders
    assert log.error_code == code
    world.check_neighbour()


def test_ids_without_end_are_taken_a_page_at_a_time(world):
    world.confirmed()
    world.order_elsewhere()
    rows = feed(*((number, {}) for number in range(1, 30_000)))
    world.hostile.spoil = lambda verb, result: rows if verb == "search_read" else result
    world.clock.advance(60)
    log = world.poll()
    assert log.orders_found % 1000 in (0, 999)
    world.check_neighbour()


def test_a_first_look_without_end_is_an_error_of_that_shop_alone(clock, mock, db, settings, monkeypatch):
    settings.ALLOWED_NETWORKS = ["127.0.0.0/8"]
    monkeypatch.setattr("sync.polling.first_run.IDS_PER_CALL", 10)
    world = HostileWorld(clock, mock)
    asked = []

    def spoil(verb, result):
        if verb != "search_read":
            return result
        asked.append(verb)
        return feed(*((10 * len(asked) + number, {}) for number in range(10)))

    world.hostile.spoil = spoil
    log = world.poll()
    assert (log.error_code, log.error_detail) == ("odoo_broken_answer", "a list of orders without an end")
    assert len(asked) < 120
    clock.advance(60)
    world.hostile.spoil = None
    world.order_elsewhere()
    clock.advance(120)
    world.poll()
    world.check_neighbour()


# --- Whole answers


ANSWERS = {
    "an empty body": b"",
    "a page": b"<!DOCTYPE html><title>Odoo</title><script>alert(1)</script>",
    "half an answer": b'{"jsonrpc": "2.0", "result": [{"id": 1',
    "no object": b"[]",
    "a text": b'"Traceback"',
    "NaN": b'{"result": NaN}',
    "100,000 lists": b"[" * 100_000,
    "100,000 objects": b'{"result":' * 100_000,
    "a billion small things": b'{"result":[' + b"[],{},0," * 1_100_000 + b"0]}",
    "not UTF-8": b'{"result": "\xff\xff"}',
    "UTF-16": '{"result": []}'.encode("utf-16"),
    "an error without a name": b'{"error": {"data": {"name": {"a": 1}}}}',
    "an error of 5 MB": b'{"error":{"data":{"name":"x.' + b"y" * 5_000_000 + b'","message":7}}}',
    "an error with controls": (
        b'{"error":{"data":{"name":"builtins.ValueError","message":"\\u0000\\u202e\\u001b[2J"}}}'
    ),
    "an error that is a list": b'{"error": [[[]]]}',
    "a number beyond all": b'{"result": ' + b"9" * 100_000 + b"}",
    "records that are none": b'{"result": {"records": "all"}}',
}
CODES = {"odoo_broken_answer", "odoo_not_odoo", "odoo_too_large", "odoo_server_error", "odoo_unknown_field"}


@pytest.mark.parametrize("body", [pytest.param(b, id=name) for name, b in ANSWERS.items()])
def test_an_answer_that_is_none_fails_this_poll_and_no_other(world, body):
    order_id = world.confirmed()
    world.order_elsewhere()
    world.hostile.spoil = lambda verb, result: body
    world.clock.advance(60)
    log = world.poll()
    assert log.error_code in CODES
    assert log.error_detail.isprintable()
    world.check_neighbour()
    world.hostile.spoil = None
    world.wait(minutes=20, tick=120)
    assert world.arrived() == {order_id}


@pytest.mark.parametrize(
    "headers",
    [
        {"Date": "Fri, 31 Dec 9999 23:59:59 GMT"},
        {"Date": "Mon, 01 Jan 0100 00:00:00 GMT"},
        {"Date": "Sun, 99 Foo 2026 99:99:99 GMT"},
        {"Date": "\x00\x1b[2J"},
        {"Date": "Fri, 20 Nov 2026 12:00:00 +9999"},
        {"Retry-After": "9" * 400},
        {"Content-Type": "text/html; charset=\xff"},
    ],
    ids=str,
)
def test_strange_headers_lose_nothing(world, headers):
    order_id = world.confirmed()
    world.order_elsewhere()
    handle = world.odoo.handle

    def answer(*request):
        found = handle(*request)
        return Answer(found.status, found.body, {**found.headers, **headers})

    world.hostile.odoo.handle = answer
    world.clock.advance(60)
    world.poll()
    world.clock.advance(60)
    world.poll()
    assert world.arrived() == {order_id}
    assert not SyncLog.objects.filter(error_code="unknown").exists()
    world.check_neighbour()


def test_where_a_redirect_leads_is_told_without_its_controls(world):
    elsewhere = Answer(302, b"", {"Location": "https://ev\x00il.example\u202e/\x1b[2J"})
    world.hostile.odoo.handle = lambda *request: elsewhere
    world.clock.advance(60)
    log = world.poll()
    assert log.error_code == "odoo_redirect"
    assert log.error_detail.isprintable()


# --- Anything at all

NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70), st.floats(), st.sampled_from([0, -1, 2**31, 2**53 + 1, 2**63, 2**64])
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=20), st.sampled_from(MARKS))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(["id", "name", "records", "x"]), inner, max_size=4),
    ),
    max_leaves=8,
)
CHANGES = st.one_of(
    VALUES.map(lambda value: lambda old: value),
    st.sampled_from(
        [
            lambda old: old * 3 if isinstance(old, list | str) else [old, old],
            lambda old: old[::-1] if isinstance(old, list | str) else {"id": old},
            lambda old: [old],
            lambda old: str(old),
            lambda old: [] if isinstance(old, list) else {},
            lambda old: -old if isinstance(old, int) else old,
            lambda old: old + 1000 if isinstance(old, int) else old,
        ]
    ),
)
STEPS = st.lists(st.integers(0, 99), max_size=9)
SPOILS = st.lists(st.tuples(st.integers(0, 7), STEPS, CHANGES), min_size=1, max_size=4)


@pytest.mark.django_db
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(version=st.sampled_from([16, 17, 19]), spoils=SPOILS)
@example(version=17, spoils=[(0, [], lambda old: None)])
def test_whatever_a_server_answers_nothing_breaks_and_nothing_is_lost(version, spoils):
    with transaction.atomic(), responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        play(HostileWorld(Clock(NOON), mock, version), spoils)
        transaction.set_rollback(True)


def play(world, spoils):
    """Two polls of a server that spoils some answers, the first look among them, then an honest day."""
    asked = []

    def spoil(verb, result):
        asked.append(verb)
        for number, steps, change in spoils:
            if number == len(asked) - 1:
                result = spoilt(result, steps, change)
        return result

    world.poll()
    orders = [world.confirmed() for _ in range(3)]
    world.order_elsewhere()
    world.clock.advance(60)
    world.hostile.spoil = spoil
    for _ in range(2):
        world.poll()
        world.clock.advance(120)
    assert not SyncLog.objects.filter(error_code="unknown").exists()
    world.check_neighbour()
    world.hostile.spoil = None
    world.wait(minutes=16, tick=120)
    needs_a_person = {item.order_id for item in world.items(status="failed")}
    assert set(orders) <= world.arrived() | needs_a_person
    assert {item.error_code for item in world.items(status="failed")} <= {"odoo_unreadable_order"}
    circuits = world.connection.circuits.exclude(state=CircuitState.CLOSED)
    assert not circuits.exists() or world.state.failures
    world.check_neighbour()
