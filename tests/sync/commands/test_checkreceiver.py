"""checkreceiver: good receivers pass, broken ones are told what they do wrong and what to change."""

import json
import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from connections.http import transport
from connections.models import Circuit
from sync.connection_test import receiver_conformance
from sync.models import DeliveryAttempt, PollState, RetryItem, SeenOrder
from tests.doubles.reference_receivers import JavaScript, Python, served
from tests.factories import CANARY_SECRET

pytestmark = pytest.mark.django_db

GOOD = "takes a test event"
BYTES = "takes text beyond ASCII"
FORGED = "refuses a wrong signature"
CLEAR = "refuses a wrong signature beside the right secret in clear"
OLD = "refuses an event signed ten minutes ago"
TWICE = "takes the same event twice"
OLDER = "takes an older version after a newer one"
SLOW = "waits for a slow body"
UNTOUCHED = (Circuit, DeliveryAttempt, PollState, RetryItem, SeenOrder)
ALL = {GOOD, BYTES, FORGED, CLEAR, OLD, TWICE, OLDER, SLOW}


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch):
    monkeypatch.setattr(receiver_conformance, "SLOW_SECONDS", 0.2)


@pytest.fixture
def checked(run, shop):
    """What is said of the receiver at this address: what was printed, and ok by name."""

    def checked(url):
        shop.webhook_url = url
        shop.save()
        printed = run("checkreceiver", str(shop.pk), "--json")
        marks = {mark["name"]: mark for mark in printed.json}
        assert CANARY_SECRET not in printed.all
        assert not any(
            m.objects.exists() for m in (Circuit, DeliveryAttempt, PollState, RetryItem, SeenOrder)
        )
        assert all(mark["change"] for mark in marks.values() if not mark["ok"])
        return printed, marks

    return checked


def wrong(marks):
    return {name for name, mark in marks.items() if mark["ok"] is False}


def test_the_python_receiver_of_the_docs_does_all_right(checked, tmp_path, monkeypatch):
    receiver = Python(CANARY_SECRET, tmp_path, monkeypatch)
    with served(receiver.receive) as url:
        printed, marks = checked(url)
    assert (printed.code, set(marks), receiver.latest()) == (0, ALL, [])
    assert {mark["ok"] for mark in marks.values()} == {True}
    receiver.close()


def test_the_javascript_receiver_of_the_docs_does_all_right(checked, tmp_path, node):
    receiver = JavaScript(CANARY_SECRET, tmp_path, node)
    try:
        printed, marks = checked(receiver.url)
        assert (printed.code, {mark["ok"] for mark in marks.values()}) == (0, {True})
    finally:
        receiver.close()


def test_the_sandbox_is_a_good_receiver(checked, receiver, shop):
    printed, marks = checked(shop.webhook_url)
    assert (printed.code, {mark["ok"] for mark in marks.values()}) == (0, {True})
    assert receiver.orders == []


def verified(headers, body):
    try:
        return Webhook(CANARY_SECRET).verify(body, headers)
    except WebhookVerificationError:
        return None


def takes_anything(headers, body):
    return 200


def looks_at_the_clear_secret_only(headers, body):
    return 200 if headers.get("x-webhook-secret") == CANARY_SECRET else 401


def signs_what_it_wrote_anew(headers, body):
    return 200 if verified(headers, json.dumps(json.loads(body), separators=(",", ":")).encode()) else 401


def never_looks_at_the_clock(headers, body):
    moment = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    ours = Webhook(CANARY_SECRET).sign(headers["webhook-id"], moment, body.decode())
    return 200 if ours in headers["webhook-signature"].split(" ") else 401


def refuses_what_it_has():
    seen, versions = set(), {}

    def receive(headers, body):
        event = verified(headers, body)
        if event is None:
            return 401
        order, version = event.get("external_id"), event.get("version", 0)
        old = order in versions and version < versions[order]
        if event["event_id"] in seen or old:
            return 409, f"conflict, expected {CANARY_SECRET}"
        seen.add(event["event_id"])
        versions[order] = version
        return 200

    return receive


def says_gone(headers, body):
    return 200 if verified(headers, body) else 410


def breaks_on_a_wrong_signature(headers, body):
    return 200 if verified(headers, body) else 500


BROKEN = {
    "takes anything": (takes_anything, {FORGED, CLEAR, OLD}),
    "looks at the secret in clear only": (looks_at_the_clear_secret_only, {CLEAR, OLD}),
    "verifies what it wrote anew": (signs_what_it_wrote_anew, {BYTES, SLOW}),
    "never looks at the clock": (never_looks_at_the_clock, {OLD}),
    "refuses what it has": (refuses_what_it_has(), {TWICE, OLDER}),
    "says that it is gone": (says_gone, {FORGED, CLEAR, OLD}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_receiver_is_told_what_is_wrong(checked, name):
    receive, expected = BROKEN[name]
    with served(receive) as url:
        printed, marks = checked(url)
    assert wrong(marks) == expected
    assert printed.code == 1 and f"{len(expected)} of 8 things wrong" in printed.error


def test_neither_taken_nor_refused_is_a_warning(checked):
    with served(breaks_on_a_wrong_signature) as url:
        printed, marks = checked(url)
    assert printed.code == 0 and {n for n, m in marks.items() if m["ok"] is None} == {FORGED, CLEAR, OLD}


@pytest.mark.parametrize(("status", "did"), [(503, "HTTP 503"), (401, "HTTP 401"), (302, "HTTP 302")])
def test_one_that_takes_no_good_event_is_checked_no_further(checked, status, did):
    came = []
    with served(lambda headers, body: came.append(body) or status) as url:
        printed, marks = checked(url)
    assert (printed.code, set(marks), len(came)) == (1, {GOOD}, 1)
    assert marks[GOOD]["did"].startswith(did)


def test_one_that_cuts_slow_bodies_off(checked, tmp_path, monkeypatch):
    receiver = Python(CANARY_SECRET, tmp_path, monkeypatch)
    for status, ok in ((400, False), (408, None)):

        def impatient(headers, body, status=status):
            return status if len(body) > 1000 else receiver.receive(headers, body)

        with served(impatient) as url:
            assert checked(url)[1][SLOW]["ok"] is ok
    receiver.close()


def test_a_slow_answer_is_a_warning(checked, monkeypatch, tmp_path):
    monkeypatch.setattr(receiver_conformance, "SLOW_SECONDS", 0.01)
    with served(lambda headers, body: time.sleep(0.05) or 200) as url:
        _, marks = checked(url)
    assert marks[GOOD]["ok"] is None and "Answer first and work later" in marks[GOOD]["change"]


def test_no_event_can_be_taken_for_an_order_and_no_secret_leaves_in_clear(checked, shop):
    shop.send_secret_header = False
    shop.save()
    came = []
    with served(lambda headers, body: came.append((headers, json.loads(body))) or 200) as url:
        _, marks = checked(url)
    assert set(marks) == ALL - {CLEAR} and len(came) == 9
    assert all(body["event"] == "order.test" and body["test"] and "order" not in body for _, body in came)
    assert not any("x-webhook-secret" in headers for headers, _ in came)


def says_it_inside(headers, body):
    return 200, '{"taken": true}' if verified(headers, body) else '{"taken": false}'


def test_one_that_says_inside_a_200_whether_it_took_an_event(checked, shop):
    shop.answer_pointer, shop.answer_value = "/taken", "true"
    with served(says_it_inside) as url:
        printed, marks = checked(url)
    assert (printed.code, {mark["ok"] for mark in marks.values()}) == (0, {True})
    shop.answer_pointer = "/took"
    with served(says_it_inside) as url:
        printed, marks = checked(url)
    assert (printed.code, wrong(marks)) == (1, {GOOD})
    assert "/took: required is true, found is nothing" in marks[GOOD]["did"]


def test_a_secret_that_is_not_standard_is_a_warning(checked, shop):
    shop.webhook_secret = "plain-words"
    shop.save()
    with served(takes_anything) as url:
        printed, marks = checked(url)
    mark = marks["can verify our signature"]
    assert mark["ok"] is None and "plain text" in mark["did"] and "--new-webhook-secret" in mark["change"]
    assert set(marks) == ALL | {"can verify our signature"} and "plain-words" not in printed.all


def test_lines_for_people(run, shop):
    with served(takes_anything) as url:
        shop.webhook_url = url
        shop.save()
        printed = run("checkreceiver", "Shop Madrid")
    assert "ok    takes a test event" in printed.out
    assert "FAIL  refuses a wrong signature" in printed.out and "anybody could send orders" in printed.out


def test_a_slow_body_comes_in_pieces_with_pauses(checked, monkeypatch):
    pauses = []
    monkeypatch.setattr(transport, "time", SimpleNamespace(sleep=pauses.append, monotonic=time.monotonic))
    with served(takes_anything) as url:
        checked(url)
    assert len(pauses) == 10 and sum(pauses) == pytest.approx(0.2)
