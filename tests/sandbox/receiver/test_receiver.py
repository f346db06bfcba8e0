"""The receiver: signatures, memory, and the ways it misbehaves."""

import json
from datetime import timedelta

import pytest
import requests
import responses
from standardwebhooks import Webhook

from sandbox.receiver.receiver import REMEMBERED, Receiver
from tests.doubles import http as http_doubles
from tests.factories import SECRET

OTHER = "whsec_b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXI="


@pytest.fixture
def receiver(watch):
    return Receiver(watch)


def event(order=7, version=1, **more):
    return json.dumps(
        {"event": "order.confirmed", "external_id": f"odoo_shop_{order}", "version": version} | more
    )


def post(receiver, body, event_id="evt_1", *, secrets=(SECRET,), at=None, hook="main", path="/hook/{}"):
    moment = at or receiver.clock()
    signatures = " ".join(Webhook(secret).sign(event_id, moment, body) for secret in secrets)
    headers = {
        "Content-Type": "application/json",
        "Webhook-Id": event_id,
        "Webhook-Timestamp": str(int(moment.timestamp())),
        "Webhook-Signature": signatures,
    }
    return receiver.handle("POST", path.format(hook), headers, body.encode())


def last(receiver, hook="main"):
    return receiver.hook(hook).deliveries[-1]


SIGNATURES = [
    ([SECRET], [SECRET], "ok"),
    ([SECRET], [OTHER, SECRET], "ok"),
    ([OTHER, SECRET], [SECRET], "ok"),
    ([SECRET], [OTHER], "wrong"),
    ([], [SECRET], "not checked"),
]


@pytest.mark.parametrize(("known", "signed_with", "verdict"), SIGNATURES)
def test_a_signature_of_the_official_library(receiver, known, signed_with, verdict):
    receiver.set_secrets("main", *known)
    answer = post(receiver, event(), secrets=signed_with)
    assert last(receiver).signature == verdict
    assert answer.status == (401 if verdict == "wrong" else 200)


def test_a_secret_that_is_no_whsec_is_used_as_its_bytes(receiver):
    for plain in ("contraseña compartida", "whsec_no base64"):
        receiver.set_secrets("main", plain)
        post(receiver, event(), secrets=[plain.encode()])
        assert last(receiver).signature == "ok"


def test_a_changed_body_an_old_stamp_and_no_signature_are_told_apart(receiver, watch):
    receiver.set_secrets("main", SECRET)
    post(receiver, event(), at=watch() - timedelta(minutes=6))
    assert last(receiver).signature == "wrong time"
    receiver.handle("POST", "/hook/main", {}, event().encode())
    assert last(receiver).signature == "missing"
    headers = dict(last_headers(receiver))
    receiver.handle("POST", "/hook/main", headers, event(version=2).encode())
    assert last(receiver).signature == "wrong"
    assert receiver.hook("main").stats()["signature_bad"] == 4


def last_headers(receiver):
    post(receiver, event(), secrets=[OTHER])
    return last(receiver).headers


def test_duplicates_and_stale_versions_are_noticed(receiver):
    post(receiver, event(7, 1), "a")
    post(receiver, event(7, 3), "b")
    post(receiver, event(7, 3), "b")
    post(receiver, event(7, 2), "c")
    post(receiver, event(8, 1), "d")
    stats = receiver.hook("main").stats()
    assert {name: stats[name] for name in ("deliveries", "events", "duplicates", "stale", "orders")} == {
        "deliveries": 5,
        "events": 4,
        "duplicates": 1,
        "stale": 1,
        "orders": 2,
    }
    assert receiver.hook("main").versions == {"odoo_shop_7": 3, "odoo_shop_8": 1}
    assert [each.stale for each in receiver.hook("main").deliveries] == [False, False, False, True, False]


def test_a_refused_delivery_was_not_received(receiver):
    receiver.set_mode("main", "500", count=1)
    assert post(receiver, event()).status == 500
    assert post(receiver, event()).status == 200
    stats = receiver.hook("main").stats()
    assert (stats["requests"], stats["deliveries"], stats["duplicates"]) == (2, 1, 0)


MODES = [
    ("410", {}, 410, None),
    ("429", {"retry_after": "30"}, 429, "30"),
    ("status", {"status": 503}, 503, None),
    ("redirect", {}, 302, None),
]


@pytest.mark.parametrize(("mode", "more", "status", "retry_after"), MODES)
def test_modes(receiver, mode, more, status, retry_after):
    receiver.set_mode("main", mode, **more)
    answer = post(receiver, event())
    assert (answer.status, answer.headers.get("Retry-After")) == (status, retry_after)
    assert post(receiver, event(), hook="other").status == 200


def test_a_hanging_receiver_has_taken_the_delivery(receiver):
    receiver.set_mode("main", "hang", seconds=90)
    assert post(receiver, event()).delay_seconds == 90
    receiver.set_mode("main", "ok")
    post(receiver, event())
    assert receiver.hook("main").stats()["duplicates"] == 1


def test_a_dropped_connection_latency_and_an_unknown_mode(receiver):
    receiver.set_mode("main", "drop", count=1)
    assert post(receiver, event()).dropped
    receiver.hook("main").latency_seconds = 0.5
    assert post(receiver, event()).delay_seconds == 0.5
    with pytest.raises(ValueError, match="redirect"):
        receiver.set_mode("main", "nosuch")


def test_memory_is_bounded_and_can_be_reset(receiver):
    receiver.set_secrets("main", SECRET)
    for number in range(REMEMBERED + 5):
        post(receiver, event(number), str(number))
    hook = receiver.hook("main")
    assert (len(hook.deliveries), hook.stats()["events"]) == (REMEMBERED, REMEMBERED + 5)
    hook.reset()
    assert (set(hook.stats().values()), hook.secrets) == ({0}, (SECRET,))


def test_what_is_no_delivery(receiver):
    assert receiver.handle("GET", "/hook/main", {}, b"").status == 405
    assert receiver.handle("POST", "/elsewhere", {}, b"").status == 404
    for body in (b"", b"no json", b"[1]", b'{"version": "x"}'):
        assert receiver.handle("POST", "/hook/main", {}, body).status == 200
    assert last(receiver).version == 0


def test_the_double_behind_requests(receiver):
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        http_doubles.install_receiver(mock, receiver, "http://receiver.test")
        assert requests.post("http://receiver.test/hook/main", data=event(), timeout=5).json() == {"ok": True}
        receiver.set_mode("main", "hang")
        with pytest.raises(requests.exceptions.ReadTimeout):
            requests.post("http://receiver.test/hook/main", data=event(), timeout=5)
    assert receiver.hook("main").stats()["deliveries"] == 2
