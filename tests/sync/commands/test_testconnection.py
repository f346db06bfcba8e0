"""testconnection: what each stage says, and that nothing is left behind."""

import pytest
import requests

from connections.models import Circuit
from sync.models import DeliveryAttempt, PollState, RetryItem, SeenOrder, SyncLog
from tests.factories import CANARY_KEY, CANARY_SECRET

pytestmark = pytest.mark.django_db

LEDGER = (Circuit, DeliveryAttempt, PollState, RetryItem, SeenOrder, SyncLog)
TAKES, REFUSES = "The receiver takes a test event", "The receiver refuses a wrong signature"


@pytest.fixture
def tested(run, shop):
    """Run the test and check what holds every time; returns what was printed, and the stages by name."""

    def tested():
        printed, line = run("testconnection", str(shop.pk), "--json"), run("testconnection", "Shop Madrid")
        for page in (printed, line):
            assert CANARY_KEY not in page.all and CANARY_SECRET not in page.all
        assert (printed.code, printed.error) == (line.code, line.error)
        assert not any(model.objects.exists() for model in LEDGER)
        return line, {row["stage"]: row for row in printed.json}

    return tested


def test_all_is_well(tested, odoo, receiver):
    odoo.sell()
    printed, stages = tested()
    assert printed.code == 0 and printed.error == ""
    assert [row for row in stages.values() if row["ok"] is not True] == []
    assert len(stages) > 8
    assert [line[:4] for line in printed.out.splitlines() if "s)" in line] == ["ok  "] * len(stages)


def test_the_receiver_gets_a_test_event_and_no_order(tested, odoo, receiver, shop):
    tested()
    first, forged = list(receiver.hook("odoo").deliveries)[:2]
    assert first.body == {
        "source": "odoo",
        "test": True,
        "connection_name": "Shop Madrid",
        "event": "order.test",
        "event_id": first.event_id,
    }
    assert first.headers["x-webhook-secret"] == CANARY_SECRET and first.signature == "ok"
    assert forged.signature == "wrong" and forged.headers["x-webhook-secret"] != CANARY_SECRET


def test_a_lenient_receiver_is_a_warning(tested, odoo, receiver):
    odoo.sell()
    receiver.refusal = 200
    printed, stages = tested()
    assert printed.code == 0 and "WARN  The receiver refuses a wrong signature" in printed.out
    assert stages[REFUSES]["ok"] is None and stages[REFUSES]["code"] == "receiver_accepts_wrong_signature"


def test_a_receiver_is_held_to_what_the_connection_requires(tested, odoo, receiver, shop):
    odoo.sell()
    shop.answer_pointer, shop.answer_value = "/ok", "true"
    shop.save()
    assert tested()[0].code == 0
    shop.answer_value = "1"
    shop.save()
    _, stages = tested()
    assert (stages[TAKES]["ok"], stages[TAKES]["code"]) == (False, "receiver_answer_differs")
    assert stages[TAKES]["detail"].startswith("/ok: required is 1, found is true HTTP 200")


def test_an_error_inside_a_200_refuses_a_wrong_signature(tested, odoo, receiver, shop):
    odoo.sell()
    receiver.refusal = 200
    shop.answer_pointer, shop.answer_value = "/ok", "true"
    shop.save()
    printed, stages = tested()
    assert (printed.code, stages[REFUSES]["ok"]) == (0, True)


def test_a_stored_secret_that_is_not_standard_is_a_warning(tested, odoo, receiver, shop):
    odoo.sell()
    assert "The receiver can verify our signature" not in tested()[1]
    shop.webhook_secret = "plain-words"
    shop.save()
    receiver.set_secrets("odoo", "plain-words")
    printed, stages = tested()
    stage = stages["The receiver can verify our signature"]
    assert printed.code == 0 and (stage["ok"], stage["code"]) == (None, "receiver_legacy_secret")
    assert "plain text" in stage["detail"] and "plain-words" not in printed.all


@pytest.mark.parametrize(
    ("mode", "code"),
    [
        ("401", "receiver_unauthorized"),
        ("404", "receiver_not_found"),
        ("410", "receiver_gone"),
        ("503", "receiver_error"),
        ("redirect", "receiver_redirect"),
        ("hang", "receiver_timeout"),
        ("drop", "receiver_unreachable"),
    ],
)
def test_a_receiver_that_does_not_take_it(tested, odoo, receiver, mode, code):
    odoo.sell()
    receiver.set_mode("odoo", mode)
    printed, stages = tested()
    assert printed.code == 1 and "1 of" in printed.error and "FAIL  The receiver takes" in printed.out
    assert (stages[TAKES]["ok"], REFUSES in stages) == (False, False)
    assert stages[TAKES]["next_step"]
    assert stages[TAKES]["code"] == code


def test_a_receiver_that_breaks_on_a_wrong_signature_is_a_warning(tested, odoo, receiver):
    odoo.sell()
    receiver.refusal = 500
    printed, stages = tested()
    assert printed.code == 0
    assert (stages[REFUSES]["ok"], stages[REFUSES]["code"]) == (None, "receiver_error")


def test_a_receiver_that_echoes_the_secret(web, run, odoo, shop):
    odoo.sell()
    web.post(shop.webhook_url, status=500, body=f"bad secret {CANARY_SECRET}")
    printed = run("testconnection", "Shop Madrid")
    assert printed.code == 1 and "bad secret ********" in printed.out
    assert CANARY_SECRET not in printed.all


def test_a_receiver_that_cannot_be_reached(web, run, odoo, shop):
    odoo.sell()
    web.post(shop.webhook_url, body=requests.exceptions.ConnectionError("refused"))
    assert run("testconnection", "Shop Madrid").code == 1


def test_odoo_refuses_and_the_receiver_is_tested_all_the_same(tested, odoo, receiver):
    odoo.users.revoke(CANARY_KEY)
    printed, stages = tested()
    assert printed.code == 1 and stages[TAKES]["ok"] is True
    failed = [row for row in stages.values() if row["ok"] is False]
    assert [row["code"] for row in failed] == ["odoo_access_denied"]


def test_each_line_is_printed_when_it_is_done(run, odoo, receiver, monkeypatch):
    """A person sees where it hangs: the test is not asked for a stage before the last one is written."""
    seen = []
    monkeypatch.setattr(
        "sync.management.commands.testconnection.line_of", lambda stage: seen.append(stage.name) or "line"
    )
    monkeypatch.setattr(
        "sync.connection_test.run.receiver_stages",
        lambda connection, now: iter([seen.append("receiver asked")][:0]),
    )
    run("testconnection", "Shop Madrid")
    assert seen.index("receiver asked") == len(seen) - 1 > 3


def test_another_connection_that_sends_the_same_orders_is_a_warning(
    tested, odoo, receiver, shop, make_connection
):
    odoo.sell()
    name = "No other connection sends the same orders"
    assert tested()[1][name]["ok"] is True
    mine = {name: getattr(shop, name) for name in ("odoo_url", "database", "webhook_url")}
    make_connection(name="Shop Madrid 2", **mine)
    printed, stages = tested()
    assert printed.code == 0 and "Each order arrives twice" in printed.out
    row = stages[name]
    assert (row["ok"], row["code"], row["detail"]) == (None, "same_source_twice", "Shop Madrid 2")
