"""Orders by every name they have had, and by what else people have in hand; each look-up by index."""

import pytest
from django.db import connection as database

from sync.ledger.names import Sought, ids_by_name, rows_of
from sync.models import DeliveryAttempt, RetryItem, SeenOrder, SentOrder
from tests.factories import owed, seen, sent, tried

INDEXES = ("seenorder_name", "seenorder_reference", "seenorder_order")
INDEXES += ("sentorder_name", "sentorder_event", "retryitem_name", "retryitem_event")
TABLES = [SeenOrder, SentOrder, RetryItem, DeliveryAttempt]


@pytest.fixture
def ledger(make_connection):
    """Two shops. In the first, order 57 was S00042, then S00058, and is S00099; 58 is S00042 now."""
    lugo, vigo = make_connection(), make_connection()
    for order_id, names in {57: ["S00042", "S00058", "S00099"], 58: ["S00042"]}.items():
        for version, name in enumerate(names, 1):
            values = {"order_id": order_id, "order_name": name, "version": version}
            key = {"event_id": f"evt_{order_id}_{version}", "status": "sent"}
            tried(owed(lugo, **values, **key))
            sent(lugo, **values, event_id=key["event_id"])
        reference = "WEB-7" if order_id == 57 else ""
        seen(lugo, order_id=order_id, order_name=names[-1], reference=reference)
    RetryItem.objects.filter(version=1).delete()  # aged out: the tries go with them
    seen(vigo, order_id=57, order_name="S00042")
    sent(vigo, order_id=57, order_name="S00042", event_id="evt_vigo")
    return lugo, vigo


def orders(rows, lugo):
    return sorted({("lugo" if row.connection_id == lugo.pk else "vigo", row.order_id) for row in rows})


@pytest.mark.parametrize(
    ("sought", "found"),
    [
        ({"names": ["S00099"]}, [("lugo", 57)]),
        ({"names": ["S00058"]}, [("lugo", 57)]),
        ({"names": ["S00042"]}, [("lugo", 57), ("lugo", 58), ("vigo", 57)]),
        ({"names": ["s00042"]}, []),
        ({"names": ["S00058", "nothing"]}, [("lugo", 57)]),
        ({"order_ids": [57]}, [("lugo", 57), ("vigo", 57)]),
        ({"references": ["WEB-7"]}, [("lugo", 57)]),
        ({"event_ids": ["evt_58_1"]}, [("lugo", 58)]),
        ({"event_ids": ["evt_57_2"], "order_ids": [58]}, [("lugo", 57), ("lugo", 58)]),
        ({"names": ["%"]}, []),
        ({"names": ["'; --"]}, []),
    ],
)
def test_whatever_is_known_finds_the_order(ledger, sought, found):
    lugo, vigo = ledger
    rows = SeenOrder.objects.filter(pk__in=rows_of(SeenOrder, Sought(**sought)))
    assert orders(rows, lugo) == found
    for connection, name in ((lugo, "lugo"), (vigo, "vigo")):
        mine = Sought(**sought, connection_id=connection.pk)
        rows = SeenOrder.objects.filter(pk__in=rows_of(SeenOrder, mine))
        assert orders(rows, lugo) == [key for key in found if key[0] == name]


@pytest.mark.parametrize(
    ("model", "versions"), [(SentOrder, [1, 2, 3]), (RetryItem, [2, 3]), (DeliveryAttempt, [2, 3])]
)
def test_every_version_whatever_it_was_called(ledger, model, versions):
    for name in ("S00042", "S00058", "S00099"):
        mine = Sought(names=[name], connection_id=ledger[0].pk)
        rows = model.objects.filter(pk__in=rows_of(model, mine), order_id=57).order_by("version")
        assert [row.version for row in rows.select_related("connection")] == versions


def test_ids_by_name(ledger):
    lugo, vigo = ledger
    assert ids_by_name(lugo.pk, ["S00042", "S00099", "S1"]) == {
        "S00042": {57, 58},
        "S00099": {57},
        "S1": set(),
    }
    assert ids_by_name(vigo.pk, ["S00042"]) == {"S00042": {57}}
    assert ids_by_name(vigo.pk, []) == {}


@pytest.mark.parametrize("model", TABLES)
@pytest.mark.parametrize("one", [None, 1])
def test_no_table_is_walked_through(db, model, one):
    if database.vendor != "sqlite":
        pytest.skip("another planner, which goes by how much there is")
    everything = Sought(names=["a", "A"], references=["a"], order_ids=[1], event_ids=["e"], connection_id=one)
    plan = model.objects.filter(pk__in=rows_of(model, everything)).explain()
    assert [line for line in plan.splitlines() if "SCAN sync_" in line] == [], plan
    assert {index for index in INDEXES if index not in plan} == set(), plan
