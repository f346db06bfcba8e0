"""One delivery: which answer means what, what is asked to wait, what each try carries."""

from datetime import timedelta
from email.utils import format_datetime

import pytest
import responses

from connections.models import Circuit, Connection
from connections.receiver.delivery import ANSWER_CHARACTERS, Receiver, Verdict, deliver
from connections.receiver.required_answer import RequiredAnswer
from connections.webhook_rotation import rotate
from sandbox.http.answer import Answer
from sync.ledger import discard
from sync.ledger.balance import imbalances
from sync.models import DeliveryAttempt, RetryItem
from tests.conftest import NOON
from tests.factories import SECRET

URL = "https://stockmaster.example.com/hooks/odoo"
DELIVERED, AGAIN, WAIT, REFUSED, GONE = Verdict

# status: (verdict, what the circuit learns, code)
ANSWERS = {
    200: (DELIVERED, True, ""),
    201: (DELIVERED, True, ""),
    202: (DELIVERED, True, ""),
    204: (DELIVERED, True, ""),
    299: (DELIVERED, True, ""),
    300: (AGAIN, False, "receiver_redirect"),
    301: (AGAIN, False, "receiver_redirect"),
    302: (AGAIN, False, "receiver_redirect"),
    303: (AGAIN, False, "receiver_redirect"),
    304: (AGAIN, False, "receiver_redirect"),
    307: (AGAIN, False, "receiver_redirect"),
    308: (AGAIN, False, "receiver_redirect"),
    400: (REFUSED, True, "receiver_refused"),
    401: (REFUSED, False, "receiver_unauthorized"),
    403: (REFUSED, False, "receiver_unauthorized"),
    404: (REFUSED, False, "receiver_not_found"),
    405: (REFUSED, False, "receiver_method_refused"),
    408: (AGAIN, False, "receiver_timeout"),
    409: (REFUSED, True, "receiver_refused"),
    410: (GONE, False, "receiver_gone"),
    413: (REFUSED, True, "receiver_too_large"),
    418: (REFUSED, True, "receiver_refused"),
    422: (REFUSED, True, "receiver_refused"),
    425: (AGAIN, False, "receiver_timeout"),
    429: (WAIT, None, "receiver_rate_limited"),
    500: (AGAIN, False, "receiver_error"),
    501: (AGAIN, False, "receiver_error"),
    502: (AGAIN, False, "receiver_error"),
    503: (AGAIN, False, "receiver_error"),
    504: (AGAIN, False, "receiver_error"),
    520: (AGAIN, False, "receiver_error"),
    599: (AGAIN, False, "receiver_error"),
}


@pytest.fixture
def web():
    with responses.RequestsMock() as mock:
        yield mock


def tried(web, status, *, retired=(), secret=SECRET, **answer):
    web.post(URL, status=status, **answer)
    return deliver(Receiver(URL, "1", secret, True, retired), b"{}", event_id="evt_1", now=NOON)


@pytest.mark.parametrize("status", ANSWERS)
def test_what_an_answer_means(web, status):
    outcome = tried(web, status, headers={"Location": "https://elsewhere.example.com/"})
    assert (outcome.verdict, outcome.alive, outcome.code) == ANSWERS[status]
    assert (outcome.status, outcome.retry_at) == (status, None)
    assert len(web.calls) == 1, "a redirect is never followed"


@pytest.mark.parametrize("status", [429, 503, 502, 504, 500])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("120", timedelta(seconds=120)),
        ("0", timedelta(0)),
        (format_datetime(NOON + timedelta(minutes=7), usegmt=True), timedelta(minutes=7)),
        (format_datetime(NOON - timedelta(minutes=7), usegmt=True), timedelta(0)),
        ("Friday, 20-Nov-26 12:10:00 GMT", timedelta(minutes=10)),
        (str(10**12), timedelta(hours=24)),
        (format_datetime(NOON + timedelta(days=365), usegmt=True), timedelta(hours=24)),
        ("-5", None),
        ("soon", None),
        ("1.5", None),
        ("", None),
    ],
)
def test_a_receiver_asks_to_wait_in_seconds_or_until_a_date(web, status, text, expected):
    outcome = tried(web, status, headers={"Retry-After": text})
    assert outcome.retry_at == (expected if expected is None else NOON + expected)


@pytest.mark.parametrize("until", [NOON, NOON + timedelta(hours=1)], ids=["over", "signing"])
def test_an_answer_never_shows_a_secret(web, until):
    outcome = tried(web, 400, retired=(("old-secret", until),), body=f"got {SECRET} and old-secret")
    assert outcome.answer == "got ******** and ********"


def test_a_secret_across_the_end_of_what_is_kept_is_masked(web):
    outcome = tried(web, 400, secret="x" * 40, body="." * (ANSWER_CHARACTERS - 20) + "x" * 40)
    assert "x" not in outcome.answer and len(outcome.answer) <= ANSWER_CHARACTERS


LONG = '{"ok": true, "log": "' + "x" * 70_000 + '"}'

# status and body: (verdict, what the circuit learns, code), where /ok has to be true
HELD_TO = [
    (200, '{"ok": true}', (DELIVERED, True, "")),
    (201, '{"ok": true, "log": "' + "x" * 60_000 + '"}', (DELIVERED, True, "")),
    (200, '{"ok": false, "error": "unknown sku"}', (REFUSED, True, "receiver_answer_differs")),
    (200, '{"status": "done"}', (REFUSED, True, "receiver_answer_differs")),
    (200, "OK", (REFUSED, True, "receiver_answer_not_json")),
    (202, "", (REFUSED, True, "receiver_answer_not_json")),
    (204, "", (REFUSED, True, "receiver_answer_not_json")),
    (200, LONG, (REFUSED, True, "receiver_answer_cut")),
    (422, '{"ok": true}', (REFUSED, True, "receiver_refused")),
    (503, '{"ok": true}', (AGAIN, False, "receiver_error")),
    (429, '{"ok": true}', (WAIT, None, "receiver_rate_limited")),
    (410, '{"ok": true}', (GONE, False, "receiver_gone")),
    (302, '{"ok": true}', (AGAIN, False, "receiver_redirect")),
]


@pytest.mark.parametrize(("status", "body", "expected"), HELD_TO)
def test_a_receiver_may_be_held_to_what_its_answer_says(web, status, body, expected):
    web.post(URL, status=status, body=body)
    receiver = Receiver(URL, "1", SECRET, True, required=RequiredAnswer.of("/ok", "true"))
    outcome = deliver(receiver, b"{}", event_id="evt_1", now=NOON)
    assert (outcome.verdict, outcome.alive, outcome.code) == expected
    assert outcome.status == status and len(outcome.answer) <= ANSWER_CHARACTERS


@pytest.mark.parametrize("body", ['{"ok": false}', "OK", "", LONG])
def test_without_a_requirement_every_2xx_is_received(web, body):
    assert tried(web, 200, body=body).verdict is DELIVERED


def test_a_receiver_and_its_secrets_are_not_shown():
    assert "secret" not in repr(Receiver(URL, "1", "secret", True, (("old-secret", NOON),)))


# --- In a whole world -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [False, True])
def test_a_wait_is_kept_whichever_way_it_is_asked_for(world, seconds):
    until = world.clock() + timedelta(minutes=20)
    asked = "1200" if seconds else format_datetime(until, usegmt=True)
    world.receiver.set_mode("main", "429", retry_after=asked, count=1)
    world.confirmed()
    world.wait(minutes=19)
    assert [d.status for d in world.hook.deliveries] == [429]
    world.wait(minutes=4)
    assert [d.status for d in world.hook.deliveries] == [429, 200]


def test_every_try_has_a_fresh_time_and_the_same_id_and_bytes(world):
    world.receiver.set_mode("main", "502", count=3)
    world.confirmed()
    world.wait(minutes=30)
    tries = world.hook.deliveries
    assert [d.status for d in tries] == [502, 502, 502, 200]
    assert len({d.raw for d in tries}) == len({d.event_id for d in tries}) == 1
    times = [int(d.headers["webhook-timestamp"]) for d in tries]
    assert times == [int(d.at.timestamp()) for d in tries] == sorted(set(times))
    assert {d.signature for d in tries} == {"ok"}


def test_an_error_inside_a_200_is_a_refusal_and_needs_a_person_after_five(make_world):
    world = make_world(answer_pointer="/ok", answer_value="true")
    world.poll()
    world.clock.advance(60)
    world.receiver.set_mode("main", "200")  # {"error": ...}
    world.confirmed()
    world.wait(hours=3, tick=60)
    item = RetryItem.objects.get()
    assert (item.status, item.attempts, item.error_code) == ("failed", 5, "receiver_answer_differs")
    assert item.error_detail == "/ok: required is true, found is nothing"
    assert len(world.hook.deliveries) == 5 and not Circuit.objects.exclude(state="closed").exists()
    attempts = DeliveryAttempt.objects.all()
    assert {(a.status, a.delivered, a.error_code) for a in attempts} == {
        (200, False, "receiver_answer_differs")
    }
    assert "told to answer 200" in attempts[0].answer
    world.receiver.set_mode("main", "ok")  # {"ok": true}
    world.confirmed()
    world.wait(minutes=1)
    assert set(RetryItem.objects.values_list("status", flat=True)) == {"failed", "sent"}
    assert imbalances() == []


def test_what_is_required_holds_from_the_next_delivery_on(make_world):
    world = make_world(answer_pointer="/okay", answer_value="true")  # mistyped
    world.poll()
    world.clock.advance(60)
    world.confirmed()
    world.wait(minutes=2)
    assert RetryItem.objects.get().error_code == "receiver_answer_differs"
    Connection.objects.update(answer_pointer="/ok")
    world.wait(minutes=10)
    item = RetryItem.objects.get()
    assert item.status == "sent" and len({d.event_id for d in world.hook.deliveries}) == 1


@pytest.mark.parametrize(("answer", "told"), [("OK", True), ('{"ok": tr', True), ('{"ok": false}', False)])
def test_a_receiver_that_perhaps_took_an_order_is_told_of_its_end(make_world, answer, told):
    """Although a person gave it up meanwhile; one that said no has nothing to cancel."""
    world = make_world(answer_pointer="/ok", answer_value="true")
    world.poll()
    world.clock.advance(60)
    world.receive = lambda *request: (world.receiver.handle(*request), Answer(200, answer.encode(), {}))[1]
    order_id = world.confirmed()
    world.wait(minutes=1)
    discard(RetryItem.objects.all(), by="ana", reason="not needed", now=world.clock())
    world.shop.cancel(order_id)
    world.wait(minutes=2)
    assert ("order.cancelled" in [d.event for d in world.hook.deliveries]) is told


def test_a_receiver_that_is_gone_is_left_alone(world):
    world.receiver.set_mode("main", "410")
    world.confirmed()
    world.wait(hours=2, tick=60)
    assert len(world.hook.deliveries) == 1
    assert Circuit.objects.get(side="webhook").paused_reason == "HTTP 410"


@pytest.mark.parametrize("in_clear", [True, False])
def test_while_a_secret_is_rotated_receivers_with_either_take_orders(make_world, in_clear):
    world = make_world(send_secret_header=in_clear)
    world.poll()
    rotate(world.connection, "fresh", overlap=timedelta(hours=24), by="ana", now=world.clock())
    for known, hours, status in ((SECRET, 1, 200), ("fresh", 1, 200), (SECRET, 24, 401), ("fresh", 1, 200)):
        world.receiver.set_secrets("main", known)
        world.wait(hours=hours, tick=600)
        world.confirmed()
        world.wait(minutes=2, tick=10)
        last = world.hook.deliveries[-1]
        assert (last.status, last.headers.get("x-webhook-secret")) == (status, "fresh" if in_clear else None)
    assert not DeliveryAttempt.objects.filter(answer__contains=SECRET).exists()
