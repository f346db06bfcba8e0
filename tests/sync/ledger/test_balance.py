"""checkledger: every version seen is accounted for, and one that is not is named."""

import json

import pytest
from django.core.management import call_command
from django.db import transaction

from sync.ledger import discard
from sync.ledger.balance import balances, imbalances
from sync.models import RetryItem, SeenOrder, SentOrder
from sync.repair.resend import resend


@pytest.fixture
def busy(make_world):
    """A shop whose versions ended in every way there is."""
    world = make_world()
    for _ in range(3):
        world.confirmed()
    world.clock.advance(3600)
    world.wait(minutes=2)
    world.confirmed()
    world.wait(minutes=2)
    resend(world.connection, last=1, clock=world.clock)
    world.wait(seconds=20)
    world.receiver.set_mode("main", "422")
    discarded, failed = world.confirmed(), world.confirmed()
    world.wait(hours=2, tick=60)
    discard(RetryItem.objects.filter(order_id=discarded), by="ana", reason="test", now=world.clock())
    world.receiver.set_mode("main", "500")
    waiting = world.confirmed()
    world.wait(minutes=2)
    world.shop.edit_order(waiting, note="<p>again</p>")
    world.wait(minutes=2)
    assert RetryItem.objects.get(order_id=failed).status == "failed"
    return world


def test_versions_that_ended_in_every_way_add_up(busy):
    [balance] = balances()
    assert balance.difference == 0
    assert (balance.seeded, balance.sent, balance.discarded, balance.failed) == (3, 2, 1, 1)
    assert (balance.superseded, balance.pending) == (1, 1)
    assert imbalances() == []
    call_command("checkledger", "--connection", str(busy.connection.pk))


DAMAGES = {
    "a sent order": lambda: SentOrder.objects.filter(seeded=False).first().delete(),
    "a failed item": lambda: RetryItem.objects.get(status="failed").delete(),
    "an order": lambda: SeenOrder.objects.filter(seeded=True).first().delete(),
    "a version": lambda: SeenOrder.objects.filter(order_name="S00001").update(version=7),
}


def test_what_is_missing_is_named(busy, subtests, capsys):
    """One shop for all of them: each damage is undone."""
    for name, damage in DAMAGES.items():
        with subtests.test(name), transaction.atomic():
            damage()
            is_named(busy.connection, capsys)
            transaction.set_rollback(True)
    assert imbalances() == []


def is_named(connection, capsys):
    [imbalance] = imbalances(connection.pk)
    with pytest.raises(SystemExit) as ended:
        call_command("checkledger", "--json")
    assert ended.value.code == 1
    [told] = json.loads(capsys.readouterr().out)["imbalances"]
    assert told["order_id"] == imbalance.order_id
    assert told["seen"] != told["counted"]
