"""connections, synclogs, retries: what operators read."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from connections.models import pause
from sync.models import PollState
from tests import factories
from tests.factories import CANARY_KEY, CANARY_SECRET, logged, owed, polled, seen

pytestmark = pytest.mark.django_db


def ago(**parts):
    return timezone.now() - timedelta(**parts)


def _disabled(shop):
    shop.enabled = False
    shop.save()


def _paused(shop):
    pause([shop], by="ana", reason="moving house", sides=("webhook",))


def _down(shop):
    factories.circuit(shop, "webhook", state="open", opened_at=timezone.now())


def _failing(shop):
    PollState.objects.update(error_code="odoo_timeout")


def _failed(shop):
    owed(shop, status="failed", next_retry_at=None)


def _late(shop):
    PollState.objects.update(next_poll_at=ago(minutes=6))


def _new(shop):
    PollState.objects.update(last_polled_at=None)


@pytest.mark.parametrize(
    ("ailments", "health"),
    [
        ([], "ok"),
        ([_new], "new"),
        ([_late], "late"),
        ([_failed, _new], "needs_person"),
        ([_late, _failed], "late"),
        ([_failing, _failed], "failing"),
        ([_down, _failing], "open"),
        ([_paused, _failing], "paused"),
        ([_disabled, _failing], "disabled"),
    ],
)
def test_health_is_the_worst_that_can_be_said(run, shop, ailments, health):
    polled(shop, last_polled_at=ago(seconds=5), next_poll_at=ago(minutes=-1))
    for ail in ailments:
        ail(shop)
    assert run("connections", "--json").json[0]["health"] == health
    wrong = run("connections", "--wrong").out
    assert ("Every connection is ok." in wrong) is (health == "ok")


def test_a_slow_connection_is_not_late_early(run, make_connection):
    shop = make_connection(poll_interval_seconds=3600)
    polled(shop, last_polled_at=ago(hours=2), next_poll_at=ago(minutes=-1))
    assert run("connections", "--json").json[0]["health"] == "ok"


def test_connections_in_a_fixed_number_of_queries(run, make_connection, django_assert_num_queries):
    for _number in range(8):
        shop = make_connection()
        polled(shop)
        owed(shop)
        _down(shop)
    with django_assert_num_queries(2):
        rows = run("connections", "--json").json
    assert [(row["waiting"], row["failed"], row["webhook"], row["odoo"]) for row in rows] == [
        (1, 0, "open", "closed")
    ] * 8


def test_connections_without_secrets_and_without_reading_them(run, shop, settings):
    polled(shop)
    for line in (["connections"], ["connections", "--json"]):
        printed = run(*line)
        assert "Shop Madrid" in printed.out
        assert CANARY_KEY not in printed.all and CANARY_SECRET not in printed.all


def test_connections_on_a_terminal_is_a_table(run, shop, monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")
    table = run("connections", tty=True).out
    assert "┏" in table and "health" in table and "Shop Madrid" in table


def test_no_connection_yet(run):
    printed = run("connections")
    assert printed.code == 0 and "addconnection" in printed.out
    assert run("connections", "--json").json == []


def test_logs_newest_first_and_only_as_many(run, shop, make_connection):
    for number in range(5):
        logged(shop, orders_found=number)
    logged(make_connection(), orders_found=99)
    rows = run("synclogs", "-c", "Shop Madrid", "-n", "3", "--json").json
    assert [row["found"] for row in rows] == [4, 3, 2]
    assert rows[0]["started_at"] == "2026-11-20T12:00:00+00:00" and rows[0]["seconds"] == 2.0
    assert len(run("synclogs", "--json").json) == 6


def test_logs_that_went_wrong(run, shop):
    logged(shop)
    logged(shop, error_code="odoo_timeout", error_detail="read timeout")
    logged(shop, orders_failed=1)
    assert len(run("synclogs", "--errors", "--json").json) == 2
    assert "FOUND" in run("synclogs").out


def test_no_logs_yet(run, shop):
    assert "runpoller" in run("synclogs").out


def test_retries_are_what_is_open(run, shop, make_connection):
    waiting = owed(shop, error_code="receiver_timeout", attempts=2)
    failed = owed(shop, number=2, status="failed", next_retry_at=None)
    for number, status in enumerate(["sent", "discarded", "superseded"], 3):
        owed(shop, number=number, status=status)
    other = owed(make_connection())
    assert [row["id"] for row in run("retries", "--json").json] == [other.pk, failed.pk, waiting.pk]
    assert [row["id"] for row in run("retries", "-c", str(shop.pk), "--json").json] == [failed.pk, waiting.pk]
    assert len(run("retries", "--all", "--json").json) == 6
    assert [row["order"] for row in run("retries", "--all", "--order", "S00044", "--json").json] == ["S00044"]


def test_retries_tell_programs_what_was_left_empty(run, shop):
    owed(shop)
    owed(shop, number=2)
    seen(shop, notes="commitment_date: out of range\npartner_id.zip: not a text")
    told = {row["order_id"]: row["left_empty"] for row in run("retries", "--json").json}
    assert told == {41: ["commitment_date: out of range", "partner_id.zip: not a text"], 42: []}


def test_retries_say_that_there_are_more(run, shop):
    for number in range(3):
        owed(shop, number=number)
    printed = run("retries", "-n", "2")
    assert "2 of 3" in printed.err and printed.out.count("S0004") == 2
    assert run("retries", "-n", "3").err == ""


def test_what_a_receiver_said_cannot_steer_the_terminal(run, shop):
    owed(shop, order_name="S1\x1b[2J\nfake")
    assert "\x1b" not in run("retries").out and "S1 [2J fake" in run("retries").out


def test_nothing_is_owed(run):
    assert run("retries").out == "Nothing is owed.\n"


@pytest.mark.parametrize("command", ["connections", "synclogs", "retries"])
def test_lists_print_no_secret(run, shop, command):
    polled(shop)
    logged(shop)
    owed(shop)
    for line in ([command], [command, "--json"]):
        printed = run(*line)
        assert printed.code == 0
        assert CANARY_KEY not in printed.all and CANARY_SECRET not in printed.all


# --- retries of one order ---------------------------------------------------------------------------------

ORDER = {"company": "Ours", "date_order": "2026-11-20 10:00:00"}
BODY = json.dumps({"order": ORDER, "customer": {"name": "Ana \x1b[2J"}}).encode()


@pytest.fixture
def versions(shop, make_connection):
    """Order 57 was S00042, then S00099; order 58 is S00042 now, and so is one of another connection."""
    other = make_connection(name="Shop Lugo")
    for connection, order_id, names in [(shop, 57, ["S00042", "S00099"]), (shop, 58, ["S00042"])]:
        for version, name in enumerate(names, 1):
            owed(
                connection,
                order_id=order_id,
                order_name=name,
                version=version,
                event_id=f"{order_id}-{version}",
                status="sent" if version < len(names) else "pending",
                body=BODY,
            )
        seen(connection, order_id=order_id, order_name=names[-1])
    owed(other, order_id=57, order_name="S00042")
    seen(other, order_id=57, order_name="S00042")


def ids(printed):
    return [(row["connection"], row["order_id"], row["version"]) for row in printed.json]


def test_a_renamed_order_is_found_by_every_name(run, versions):
    mine = ["retries", "-c", "Shop Madrid", "--all", "--json"]
    both = [("Shop Madrid", 58, 1), ("Shop Madrid", 57, 2), ("Shop Madrid", 57, 1)]
    assert ids(run(*mine, "--order", "S00042")) == both
    assert ids(run(*mine, "--order", "S00099")) == both[1:]
    assert ids(run(*mine, "--order-id", "57")) == both[1:]
    assert ids(run(*mine, "--order-id", "57", "--order", "S00042")) == both[1:]
    assert ids(run("retries", "-c", "Shop Madrid", "--order", "S00042", "--json")) == both[:2]


def test_orders_of_one_name_are_told_apart(run, versions):
    printed = run("retries", "--order", "S00042")
    assert "“S00042” is, or was, the name of several orders" in printed.err
    assert "S00099, Odoo id 57, “Shop Madrid”, company: Ours, date: 2026-11-20 10:00:00, customer: Ana" in (
        printed.err
    )
    assert "S00042, Odoo id 58, “Shop Madrid”" in printed.err
    assert "S00042, Odoo id 57, “Shop Lugo”, company: -, date: -, customer: -" in printed.err
    assert "\x1b" not in printed.err
    lines = printed.out.splitlines()
    assert "ODOO ID" in lines[0] and len(lines) == 4


@pytest.mark.parametrize(
    "line",
    [
        ["--order", "S00099"],
        ["--order-id", "57", "-c", "Shop Madrid"],
        ["-c", "Shop Lugo", "--order", "S00042"],
        [],
    ],
)
def test_where_one_is_meant_nothing_is_said(run, versions, line):
    printed = run("retries", *line)
    assert (printed.code, printed.err) == (0, "")


def test_of_very_many_only_some_are_told(run, make_connection):
    for _number in range(12):
        connection = make_connection()
        owed(connection, order_id=57, order_name="S00042")
        seen(connection, order_id=57, order_name="S00042")
    told = run("retries", "--order", "S00042").err.splitlines()
    assert len(told) == 12 and told[-1] == "and more"
