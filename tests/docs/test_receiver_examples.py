"""docs/receiver.md: its receivers are run against what we really sign, and take it as they should."""

import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest

from connections.receiver.signing import new_secret, signature_headers
from sync.events import payload
from tests.doubles.reference_receivers import JavaScript, Python, served
from tests.factories import ORDER

SECRET, OLD, UNKNOWN_SECRET = new_secret(), new_secret(), new_secret()


@pytest.fixture(params=["python", "javascript"])
def receiver(request, tmp_path, monkeypatch):
    """One of the docs' receivers; `url` is where it listens."""
    if request.param == "javascript":
        receiver = JavaScript(SECRET, tmp_path, request.getfixturevalue("node"))
        yield receiver
        receiver.close()
        return
    receiver = Python(SECRET, tmp_path, monkeypatch)
    with served(receiver.receive) as receiver.url:
        yield receiver
    receiver.close()


@pytest.fixture
def send(receiver):
    """Sign and post as we do; returns the status."""

    def send(body, event_id, *, secrets=(SECRET,), age=0):
        now = datetime.now(UTC) - timedelta(seconds=age)
        headers = signature_headers(
            body,
            connection_id="shop-1",
            event_id=event_id,
            timestamp=int(now.timestamp()),
            secrets=secrets,
            send_secret_header=True,
        )
        request = urllib.request.Request(receiver.url, body, headers)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status
        except urllib.error.HTTPError as refusal:
            refusal.close()
            return refusal.code

    return send


def event(version=1, *, shop="shop-1", order_id=26, kind="order.confirmed"):
    """(body, id) of an event with letters beyond ASCII."""
    event_id = payload.event_id()
    body = payload.event_body(
        payload.content(ORDER, database="db") | {"note": "Ñandú 🎁"},
        connection_external_id=shop,
        database="db",
        event=kind,
        event_id=event_id,
        version=version,
        replay=False,
        order_id=order_id,
        occurred_at=ORDER.write_date,
    )
    return body, event_id


def known(receiver):
    return [(e["connection_id"], e["external_id"], e["version"], e["event"]) for e in receiver.latest()]


def test_an_order_is_taken_once(receiver, send):
    body, event_id = event()
    assert [send(body, event_id), send(body, event_id)] == [200, 200]
    assert known(receiver) == [("shop-1", "odoo_db_26", 1, "order.confirmed")]
    assert receiver.latest()[0]["note"] == "Ñandú 🎁"


def test_an_older_version_does_not_replace_a_newer_one(receiver, send):
    for version, kind in ((1, "order.confirmed"), (3, "order.cancelled"), (2, "order.updated")):
        assert send(*event(version, kind=kind)) == 200
    assert known(receiver) == [("shop-1", "odoo_db_26", 3, "order.cancelled")]


def test_orders_and_connections_are_kept_apart(receiver, send):
    for changes in ({}, {"order_id": 27}, {"shop": "shop-2"}):
        assert send(*event(5, **changes)) == 200
    assert len(known(receiver)) == 3


def test_while_a_secret_is_rotated_either_is_taken(receiver, send):
    assert send(*event(), secrets=(OLD, SECRET)) == send(*event(2), secrets=(SECRET, OLD)) == 200
    assert known(receiver)[0][2] == 2


@pytest.mark.parametrize(
    "wrong",
    [{"secrets": (UNKNOWN_SECRET,)}, {"age": 600}, {"age": -600}],
    ids=["stranger", "old", "from the future"],
)
def test_what_is_not_ours_is_refused(receiver, send, wrong):
    assert send(*event(), **wrong) == 401
    assert known(receiver) == []


def test_a_changed_body_is_refused(receiver, send):
    body, event_id = event()
    assert send(body, event_id) == 200
    assert send(body.replace(b"S00026", b"S00027"), event_id, secrets=(UNKNOWN_SECRET,)) == 401


def test_a_test_event_is_taken_and_is_no_order(receiver, send):
    event_id = payload.event_id()
    assert send(payload.test_body(connection_name="Shop", event_id=event_id), event_id) == 200
    assert known(receiver) == []
