"""resend: from a word at the terminal to a signed event at the receiver."""

from datetime import timedelta

import pytest
from django.utils import timezone

from connections import leases
from connections.models import pause
from sync.management.deliver_now import results, send_now
from sync.models import PollState, RetryItem, SentOrder
from tests import factories
from tests.factories import CANARY_KEY, CANARY_SECRET, owed, polled, seen

pytestmark = pytest.mark.django_db


@pytest.fixture
def names(odoo, receiver, shop):
    """Three confirmed orders in Odoo that were seen before; their names, oldest first."""
    polled(shop)
    ids = [odoo.sell() for _number in range(3)]
    names = [odoo.world.get("sale.order", order_id)["name"] for order_id in ids]
    for order_id, name in zip(ids, names, strict=True):
        at = timezone.now() - timedelta(days=100 - order_id)
        values = {"write_date": at, "announced": "confirmed", "seen_at": timezone.now()}
        seen(shop, order_id=order_id, order_name=name, **values)
    return names


def no_secret_in(printed):
    return CANARY_KEY not in printed.all and CANARY_SECRET not in printed.all


def test_the_last_orders_are_sent_as_replays(run, names, receiver, shop):
    printed = run("resend", "--connection", "Shop Madrid", "--last", "2", "--json")
    assert printed.error == "" and no_secret_in(printed)
    rows = printed.json
    assert [(row["order"], row["version"], row["status"], row["http_status"]) for row in rows] == [
        (names[2], 2, "sent", 200),
        (names[1], 2, "sent", 200),
    ]
    assert sorted(receiver.orders) == sorted((row["order"], 2, True, row["event_id"]) for row in rows)
    assert SentOrder.objects.filter(replay=True).count() == 2


def test_named_orders_and_a_table_of_what_happened(run, names, receiver):
    printed = run("resend", "-c", "Shop Madrid", "--order", names[0], "--order", names[2])
    assert printed.code == 0
    assert [line.split()[0] for line in printed.out.splitlines()[1:]] == [names[0], names[2]]
    assert printed.out.count("sent (HTTP 200, ") == 2
    assert {order for order, *_rest in receiver.orders} == {names[0], names[2]}


def test_a_person_chooses_from_a_list(run, names, receiver, person):
    asked = person("1,3")
    printed = run("resend", "-c", "Shop Madrid")
    assert printed.error == "" and len(asked) == 1
    assert {order for order, *_rest in receiver.orders} == {names[2], names[0]}


def test_a_person_chooses_nothing(run, names, receiver, person):
    person("")
    assert "Nothing was chosen" in run("resend", "-c", "Shop Madrid").error
    assert receiver.orders == []


def test_left_to_the_poller(run, names, receiver):
    printed = run("resend", "-c", "Shop Madrid", "--last", "1", "--no-wait")
    assert printed.code == 0 and "waiting for its turn" in printed.out
    assert receiver.orders == [] and RetryItem.objects.pending().count() == 1
    assert PollState.objects.get().deliver_at is not None


def test_not_taken_is_not_success(run, names, receiver):
    receiver.set_mode("odoo", "503")
    printed = run("resend", "-c", "Shop Madrid", "--last", "1")
    assert printed.code == 1 and "It stays owed" in printed.error and "retries -c" in printed.error
    assert RetryItem.objects.pending().get().attempts == 1 and no_secret_in(printed)


def test_a_paused_receiver_gets_nothing_and_the_person_is_told(run, names, receiver, shop):
    pause([shop], by="ana", reason="moving house", sides=("webhook",))
    printed = run("resend", "-c", "Shop Madrid", "--last", "1")
    assert printed.code == 1 and "paused by ana" in printed.error
    assert receiver.orders == [] and RetryItem.objects.pending().count() == 1


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["resend"], "-c/--connection"),
        (["resend", "-c", "Shop Madrid"], "Nobody can choose here"),
        (["resend", "-c", "Lisbon", "--last", "1"], "There is no connection"),
        (["resend", "-c", "Shop Madrid", "--last", "0"], "not a number from 1 on"),
        (["resend", "-c", "Shop Madrid", "--last", "1", "--order", "S1"], "not allowed with"),
        (["resend", "-c", "Shop Madrid", "--order", "S99999"], "S99999"),
        (["resend", "-c", "Shop Madrid", "--order-id", "99999"], "99999"),
        (["resend", "-c", "Shop Madrid", "--order-id", "S1"], "not a number from 1 on"),
        (["resend", "-c", "Shop Madrid", "--last", "1", "--order-id", "1"], "not allowed with"),
    ],
)
def test_mistakes_are_sentences(run, names, receiver, nobody, line, words):
    printed = run(*line)
    assert printed.code == 1 and words in printed.error and no_secret_in(printed)
    assert receiver.orders == [] and not RetryItem.objects.exists()


def test_an_unknown_order_stops_the_known_ones_too(run, names, receiver):
    printed = run("resend", "-c", "Shop Madrid", "--order", names[0], "--order", "S99999")
    assert printed.code == 1 and names[0] not in printed.error and receiver.orders == []


# --- a name of two orders ---------------------------------------------------------------------------------


@pytest.fixture
def twins(names, odoo):
    """Orders 1 to 3, of which the first and the third have one name; that, and the name of the second."""
    odoo.edit_order(3, name=names[0], partner_id=odoo.add_partner("Ana Díaz"))
    return names[0], names[1]


def sent_ids(receiver):
    came = [d for d in receiver.hook("odoo").deliveries if d.signature == "ok" and "order" in d.body]
    return sorted(d.body["order"]["id"] for d in came)


def test_where_nobody_can_choose_it_says_which_there_are(run, twins, receiver, nobody):
    printed = run("resend", "-c", "Shop Madrid", "--order", twins[0], "--order", twins[1])
    assert printed.code == 1 and receiver.orders == [] and not RetryItem.objects.exists()
    assert f"Several orders are, or were, called so: {twins[0]}" in printed.error
    for part in ("Odoo id: 1,", "Odoo id: 3,", "company: Sandbox Company", "customer: Ana Díaz", "date: 20"):
        assert part in printed.error
    assert "--order-id 1" in printed.error and no_secret_in(printed)


def test_by_id(run, twins, receiver, nobody):
    printed = run("resend", "-c", "Shop Madrid", "--order-id", "3", "--order", twins[1])
    assert printed.error == "" and sent_ids(receiver) == [2, 3]


@pytest.mark.parametrize(("answer", "chosen"), [("2", [2, 3]), ("1", [1, 2]), ("all", [1, 2, 3])])
def test_a_person_chooses(run, twins, receiver, person, answer, chosen):
    person(answer)
    printed = run("resend", "-c", "Shop Madrid", "--order", twins[0], "--order", twins[1])
    assert printed.error == "" and sent_ids(receiver) == chosen
    assert "Ana Díaz" in printed.out and "Sandbox Company" in printed.out


def test_a_person_may_choose_none(run, twins, receiver, person):
    person("")
    printed = run("resend", "-c", "Shop Madrid", "--order", twins[0])
    assert printed.code == 1 and "Nothing was chosen" in printed.error and receiver.orders == []


def test_a_former_name_will_do(run, names, odoo, receiver, nobody):
    odoo.edit_order(3, name="S99001")
    assert run("resend", "-c", "Shop Madrid", "--order", names[2]).error == ""
    assert sent_ids(receiver) == [3]


def test_the_list_to_choose_from_has_ids(run, names, person):
    person("")
    shown = run("resend", "-c", "Shop Madrid")
    assert "ODOO ID" in shown.out


def test_a_disabled_connection(run, names, receiver, shop):
    shop.enabled = False
    shop.save()
    printed = run("resend", "-c", "Shop Madrid", "--last", "1")
    assert printed.code == 1 and "--enabled" in printed.error and receiver.orders == []


def test_nothing_known_to_choose_from(run, shop, person):
    person()
    assert "No order of “Shop Madrid” is known yet" in run("resend", "-c", "Shop Madrid").error


def test_odoo_is_down(run, names, odoo, receiver):
    odoo.faults.set("down")
    printed = run("resend", "-c", "Shop Madrid", "--last", "1")
    assert printed.code == 1 and printed.error and no_secret_in(printed)
    assert not RetryItem.objects.exists()


def test_odoo_is_being_read(run, names, shop, monkeypatch):
    monkeypatch.setattr("sync.polling.turn.WAIT_SECONDS", -1)
    leases.claim([shop.odoo_lease_key], "somebody", now=timezone.now())
    printed = run("resend", "-c", "Shop Madrid", "--last", "1")
    assert printed.code == 1 and "try again in a minute" in printed.error


# --- while the poller serves the same receiver -----------------------------------------------------------


def test_the_pollers_tries_count_as_ours(receiver, shop, clock):
    """Somebody else holds the receiver's lease, and delivers our item while we wait."""
    polled(shop)
    item = owed(shop)
    leases.claim([shop.webhook_lease_key], "poller", now=clock(), seconds=3600)

    def sleep(seconds):
        clock.advance(seconds)
        RetryItem.objects.filter(pk=item.pk).update(status="sent")

    send_now(shop, [item], clock=clock, sleep=sleep)
    assert receiver.hook("odoo").counts["requests"] == 0


def test_a_minute_is_enough(receiver, shop, clock):
    polled(shop)
    item, began = owed(shop), clock()
    leases.claim([shop.webhook_lease_key], "poller", now=clock(), seconds=3600)
    send_now(shop, [item], clock=clock, sleep=clock.advance)
    assert clock() - began == timedelta(seconds=60)


@pytest.mark.parametrize("rest", [{"state": "open"}, {"wait_until": timezone.now() + timedelta(days=36500)}])
def test_a_receiver_that_rests_is_not_waited_for(receiver, shop, clock, rest):
    factories.circuit(shop, "webhook", opened_at=clock(), **rest)
    polled(shop)
    item, began = owed(shop), clock()
    send_now(shop, [item], clock=clock, sleep=clock.advance)
    assert clock() == began and receiver.hook("odoo").counts["requests"] == 0


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, "waiting for its turn"),
        ({"status": "superseded"}, "Replaced by a newer version"),
        ({"error_code": "receiver_error"}, "Waiting: "),
        ({"status": "failed", "error_code": "receiver_refused"}, "Needs a person: "),
        ({"status": "sent"}, "sent"),
    ],
)
def test_how_an_order_fared(shop, values, told):
    assert results([owed(shop, **values)])[0]["result"].startswith(told)


@pytest.mark.parametrize(("verbosity", "logged"), [("1", 0), ("2", 1)])
def test_each_delivery_is_logged_when_asked_for(run, names, receiver, caplog, verbosity, logged):
    assert run("resend", "-c", "Shop Madrid", "--last", "1", "-v", verbosity).code == 0
    assert sum(record.name == "poller.delivery" for record in caplog.records) == logged
