"""Which database it is, told by known orders, companies and Odoo's own id; and how much is plausible."""

from datetime import UTC, datetime, timedelta

import pytest

from connections.models import Connection
from sync.polling.database_identity import Identity, Verdict, judged
from sync.polling.plausibility import too_many_gone, too_many_old

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
KNOWN = {number: NOON + timedelta(minutes=number) for number in range(1, 11)}
OTHER = {number: at + timedelta(days=30) for number, at in KNOWN.items()}
HERE, THERE = Identity(place="a", companies={"1": "x"}), Identity(place="b", companies={"1": "x"})


def newest_given_again(number):
    return KNOWN | {each: OTHER[each] for each in range(11 - number, 11)}


@pytest.mark.parametrize(
    ("identity", "known", "there", "verdict"),
    [
        (HERE, KNOWN, KNOWN, Verdict.SAME),
        (THERE, KNOWN, KNOWN, Verdict.SAME),  # renamed or moved
        (HERE, KNOWN, OTHER, Verdict.ANOTHER),
        (THERE, KNOWN, OTHER, Verdict.ANOTHER),
        (HERE, KNOWN, {1: OTHER[1]}, Verdict.ANOTHER),
        (HERE, KNOWN, newest_given_again(3), Verdict.SAME),  # a backup was restored
        (THERE, KNOWN, newest_given_again(1), Verdict.ANOTHER),  # a copy that went its own way
        (HERE, KNOWN, {}, Verdict.SAME),  # emptied: how many may be gone is asked elsewhere
        (THERE, KNOWN, {}, Verdict.SAME),  # the same company, all orders hidden
        (Identity(place="b", companies={"1": "y"}), KNOWN, {}, Verdict.ANOTHER),
        (THERE, KNOWN, {1: KNOWN[1]}, Verdict.SAME),  # one is left, the others were deleted
        (THERE, {}, {}, Verdict.SAME),
        (Identity(place="b", companies={"1": "y"}), {}, {}, Verdict.EMPTY_ANOTHER),
        (Identity(place="b", uuid="other"), {}, {}, Verdict.EMPTY_ANOTHER),
        (Identity(place="b", uuid="other"), KNOWN, KNOWN, Verdict.ANOTHER),
        (Identity(place="b"), KNOWN, KNOWN, Verdict.SAME),
    ],
)
def test_the_verdict(identity, known, there, verdict):
    last = Identity(place="a", uuid="ours", companies={"1": "x"})
    assert judged(identity, last, known, there).verdict is verdict


def test_where_nothing_was_remembered_the_orders_decide():
    assert judged(HERE, Identity(), KNOWN, KNOWN).verdict is Verdict.SAME
    assert judged(HERE, Identity(), KNOWN, OTHER).verdict is Verdict.ANOTHER
    assert judged(HERE, Identity(), {}, {}).verdict is Verdict.SAME


def test_it_survives_being_stored():
    identity = Identity("p", "https://x", "db", "uuid", True, {"1": "x"})
    assert Identity.from_json(identity.to_json()) == identity
    assert Identity.from_json({}) == Identity() == Identity.from_json({"strange": 1})


@pytest.mark.parametrize(
    ("gone", "covered", "many"),
    [
        (0, 0, False), (1, 1, False), (2, 2, False), (3, 3, True), (3, 4, False), (10, 12, False),
        (11, 54, True), (11, 55, False), (11, 11, True), (1000, 5000, False), (1001, 5000, True),
    ],
)  # fmt: skip
def test_how_many_may_be_gone(gone, covered, many):
    assert too_many_gone(Connection(), gone, covered) is many


@pytest.mark.parametrize(("number", "percent", "many"), [(0, 0, True), (5, 50, False), (12, 0, False)])
def test_each_connection_has_limits_of_its_own(number, percent, many):
    connection = Connection(most_disappearances=number, most_disappearances_percent=percent)
    assert too_many_gone(connection, 12, 30) is many


@pytest.mark.parametrize(
    ("old", "known", "many"),
    [(50, 0, False), (51, 0, True), (51, 254, True), (51, 255, False), (300, 10_000, False)],
)
def test_how_many_old_orders_may_appear(old, known, many):
    assert too_many_old(old, known) is many
