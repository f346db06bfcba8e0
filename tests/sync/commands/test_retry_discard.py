"""retry, discard, resetcircuit: what operators do to the ledger."""

import pytest

from connections.models import Circuit, pause
from sync.models import PollState, RetryItem
from tests import factories
from tests.conftest import NOON
from tests.factories import owed, polled, seen_as

pytestmark = pytest.mark.django_db

LONG_AGO = NOON.replace(year=2020)


@pytest.fixture
def shop(shop):
    polled(shop, next_poll_at=NOON.replace(year=2030))
    return shop


def put(connection, status="pending", **values):
    """A version in the ledger that is the newest of its order."""
    waits = {"next_retry_at": NOON.replace(year=2030) if status == "pending" else None}
    item = owed(connection, status=status, **(waits | values))
    seen_as(item)
    return item


@pytest.mark.parametrize("status", ["pending", "failed", "discarded"])
def test_retry_makes_it_due_now(run, shop, status):
    item = put(shop, status)
    printed = run("retry", str(item.pk))
    item.refresh_from_db()
    assert (printed.code, item.status) == (0, "pending")
    assert item.next_retry_at.year < 2030
    assert PollState.objects.get().deliver_at is not None
    assert printed.out.startswith("1 order ")


def test_retry_several_and_all_of_a_connection(run, shop, make_connection):
    items = [put(shop, "failed", number=number) for number in range(3)]
    other = put(make_connection(), "failed")
    assert run("retry", *(str(item.pk) for item in items[:2])).out.startswith("2 orders ")
    assert run("retry", "-c", "Shop Madrid").out.startswith("3 orders ")
    assert RetryItem.objects.get(pk=other.pk).status == "failed"


@pytest.mark.parametrize("status", ["sent", "superseded"])
def test_what_is_over_is_sent_by_resend(run, shop, status):
    item = put(shop, status, closed_at=NOON)
    printed = run("retry", str(item.pk))
    assert printed.code == 1
    assert f"resend -c {shop.pk} --order {item.order_name}" in printed.error
    assert RetryItem.objects.get().status == status


def test_retry_says_what_holds_the_receiver_back(run, shop):
    pause([shop], by="ana", reason="moving house", sides=("webhook",))
    printed = run("retry", str(put(shop).pk))
    assert printed.code == 0 and "paused by ana (moving house)" in printed.err


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["retry"], "one of both"),
        (["retry", "1", "-c", "1"], "one of both"),
        (["retry", "999"], "There is no retry item 999"),
        (["retry", "three"], "invalid int value"),
        (["retry", "-c", "Lisbon"], "There is no connection"),
        (["discard", "999", "--reason", "x"], "There is no retry item 999"),
        (["discard", "1"], "--reason"),
        (["discard", "--reason", "x"], "required"),
        (["resetcircuit"], "required"),
        (["resetcircuit", "Lisbon"], "There is no connection"),
        (["resetcircuit", "Shop Madrid", "--side", "left"], "invalid choice"),
        (["retries", "-c", "Lisbon"], "There is no connection"),
        (["retries", "-n", "0"], "not a number from 1 on"),
        (["synclogs", "-c", "Lisbon"], "There is no connection"),
        (["synclogs", "-n", "many"], "not a number from 1 on"),
        (["editconnection", "Lisbon", "--interval", "30"], "There is no connection"),
        (["deleteconnection", "Lisbon", "--yes"], "There is no connection"),
        (["testconnection", "Lisbon"], "There is no connection"),
    ],
)
def test_mistakes_are_sentences(run, shop, line, words):
    printed = run(*line)
    assert printed.code == 1 and words in printed.error and "Traceback" not in printed.all


def test_discard_keeps_who_and_why(run, shop, monkeypatch):
    monkeypatch.setattr("getpass.getuser", lambda: "ana")
    item = put(shop, "failed")
    assert run("discard", str(item.pk), "--reason", "typed in by hand").out == "1 order discarded.\n"
    item.refresh_from_db()
    assert (item.status, item.discarded_by) == ("discarded", "ana (manage.py)")
    assert item.discard_reason == "typed in by hand"


def test_a_container_without_a_user_name(run, shop, monkeypatch):
    def nameless():
        raise KeyError("uid not found: 1000")

    monkeypatch.setattr("getpass.getuser", nameless)
    item = put(shop)
    assert run("discard", str(item.pk), "--reason", "test order").code == 0
    assert RetryItem.objects.get().discarded_by == "manage.py"


@pytest.mark.parametrize("status", ["sent", "superseded", "discarded"])
def test_what_is_closed_cannot_be_discarded(run, shop, status):
    is_open, closed = put(shop), put(shop, status, number=2)
    printed = run("discard", str(is_open.pk), str(closed.pk), "--reason", "x")
    assert printed.code == 1 and f"Retry item {closed.pk} " in printed.error
    assert RetryItem.objects.get(pk=is_open.pk).status == "pending"


def test_a_reason_of_blanks_is_none(run, shop):
    printed = run("discard", str(put(shop).pk), "--reason", "  ")
    assert printed.code == 1 and "Give a reason" in printed.error


# --- resetcircuit ---------------------------------------------------------------------------------------


@pytest.fixture
def broken(shop):
    for side in ("odoo", "webhook"):
        factories.circuit(shop, side, state="open", failures=7, opened_at=NOON, error_code=f"{side}_x")
    return shop


def states(shop):
    return {circuit.side: circuit.state for circuit in shop.circuits.all()}


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([], {"odoo": "closed", "webhook": "closed"}),
        (["--side", "odoo"], {"odoo": "closed", "webhook": "open"}),
        (["--side", "webhook"], {"odoo": "open", "webhook": "closed"}),
    ],
)
def test_a_reset_closes_and_wakes(run, broken, flags, expected):
    printed = run("resetcircuit", str(broken.pk), *flags)
    assert printed.code == 0 and "was open, is closed now" in printed.out
    assert states(broken) == expected
    state = PollState.objects.get()
    assert (state.next_poll_at.year < 2030) is (expected["odoo"] == "closed")
    assert (state.deliver_at is not None) is (expected["webhook"] == "closed")


def test_a_pause_outlives_a_reset_unless_told(run, broken):
    pause([broken], by="", reason="410", sides=("webhook",))
    printed = run("resetcircuit", str(broken.pk), "--side", "webhook")
    assert "still paused by the poller (410)" in printed.out and "--resume" in printed.out
    assert Circuit.objects.get(side="webhook").paused_at is not None
    assert "still paused" not in run("resetcircuit", str(broken.pk), "--side", "webhook", "--resume").out
    assert Circuit.objects.get(side="webhook").paused_at is None


def test_a_circuit_that_never_opened(run, shop):
    assert run("resetcircuit", str(shop.pk)).out.count("was closed already") == 2
