"""What an order's news mean for its receiver, as tables."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sync.events.decide import (
    BY_STAMP,
    CANCELLED,
    CONFIRMED,
    IGNORE,
    UPDATED,
    Known,
    Plan,
    Reaction,
    TakenOver,
    plan,
    reaction_to,
    recognised,
)
from sync.orders import Change

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LATER = NOON.replace(minute=1)
SENT = Known(NOON, "sale", "old", 1, "confirmed", False)
OWED = replace(SENT, announced="")
SEED = replace(SENT, announced="", seeded=True)
ENDED = replace(SENT, state="cancel")
OVER = Known(NOON, "cancel", "old", 2, "cancelled", False)
BACK = replace(OVER, state="sale", version=3)  # its confirmation was not delivered
ALL = (CONFIRMED, UPDATED, CANCELLED)
ENDS = {"cancelled": True}


@pytest.mark.parametrize(
    ("known", "written", "state", "before_start", "expected"),
    [
        (None, NOON, "sale", False, Reaction.READ),
        (None, NOON, "sale", True, Reaction.READ),
        (None, NOON, "cancel", False, Reaction.NOTHING),
        (SENT, NOON, "sale", False, Reaction.NOTHING),
        (SENT, NOON, "done", False, Reaction.NOTHING),
        (SENT, LATER, "sale", False, Reaction.READ),
        (SENT, LATER, "sale", True, Reaction.READ),
        (SENT, NOON, "cancel", False, Reaction.READ),
        (OVER, NOON, "sale", False, Reaction.READ),
        (SEED, LATER, "sale", True, Reaction.NOTE),
        (SEED, NOON, "sale", True, Reaction.NOTHING),
        (SEED, LATER, "sale", False, Reaction.READ),
    ],
)
def test_reaction(known, written, state, before_start, expected):
    assert reaction_to(Change(1, written, state), known, before_start=before_start) is expected


@pytest.mark.parametrize(
    ("made_at", "expected"), [(NOON, Reaction.NOTHING), (LATER, Reaction.READ), (None, Reaction.NOTHING)]
)
@pytest.mark.parametrize("known", [SENT, SEED])
def test_another_order_under_a_known_number_is_read(known, made_at, expected):
    change = Change(1, NOON, "sale", create_date=made_at)
    assert reaction_to(change, replace(known, created_at=NOON), before_start=True) is expected


@pytest.mark.parametrize(
    ("known_hash", "written", "cancelled", "expected"),
    [
        (BY_STAMP, NOON, False, "new"),
        (BY_STAMP, LATER, False, BY_STAMP),
        (BY_STAMP, NOON, True, BY_STAMP),
        ("old", NOON, False, "old"),
    ],
)
def test_a_version_known_by_its_stamp_is_recognised(known_hash, written, cancelled, expected):
    known = replace(SENT, content_hash=known_hash)
    found = recognised(known, write_date=written, cancelled=cancelled, content_hash="new")
    assert found == replace(known, content_hash=expected)


@pytest.mark.parametrize(
    ("what", "known", "facts", "expected"),
    [
        ("a new order", None, {}, Plan(CONFIRMED)),
        ("a new order from before the start", None, {"before_start": True}, Plan(seed=True)),
        ("a cancelled order nobody heard of", None, {"cancelled": True}, IGNORE),
        ("the same from before the start", None, {"cancelled": True, "before_start": True}, IGNORE),
        (
            "the same of another poller's",
            None,
            {"cancelled": True, "taken_over": TakenOver.VERSION},
            IGNORE,
        ),
        ("a touch that changed nothing", SENT, {"content_hash": "old"}, Plan(announced="confirmed")),
        ("a change", SENT, {}, Plan(UPDATED, "confirmed")),
        ("a change while an update waits", SENT, {"owed": True}, Plan(UPDATED, "confirmed", supersede=True)),
        ("a change before the first was sent", OWED, {"owed": True}, Plan(CONFIRMED, "", supersede=True)),
        ("a cancellation", SENT, {"cancelled": True}, Plan(CANCELLED, "confirmed")),
        ("a cancellation while owed", OWED, {"cancelled": True, "owed": True}, Plan(CANCELLED, "", True)),
        ("a cancellation after a discard", OWED, {"cancelled": True}, Plan()),
        ("the same without an answer", OWED, {"cancelled": True, "perhaps_announced": True}, Plan(CANCELLED)),
        ("news after the end", OVER, ENDS | {"perhaps_announced": True}, Plan(announced="cancelled")),
        ("the end of one told as over", BACK, {"cancelled": True}, Plan(announced="cancelled")),
        ("the same, unsure", BACK, ENDS | {"perhaps_announced": True}, Plan(CANCELLED, "cancelled")),
        ("a change of a cancelled order", OVER, {"cancelled": True}, Plan(announced="cancelled")),
        ("confirmed again", OVER, {}, Plan(CONFIRMED, "cancelled")),
        ("cancelled anew", OVER, {"cancelled": True, "owed": True}, Plan(CANCELLED, "cancelled", True)),
        ("confirmed again, its end untold", ENDED, {"owed": True}, Plan(CONFIRMED, "confirmed", True)),
        (
            "the same, to a receiver of cancellations only",
            ENDED,
            {"owed": True, "wanted": (CANCELLED,)},
            Plan(announced="confirmed", supersede=True),
        ),
        ("a change of a seeded order", SEED, {"before_start": True}, Plan(seed=True)),
        ("a seeded order confirmed again", SEED, {}, Plan(CONFIRMED)),
        (
            "a change of one from before that a person resent and that waits",
            SEED,
            {"before_start": True, "owed": True},
            Plan(CONFIRMED, "", supersede=True),
        ),
        ("an order from before that was resent", SENT, {"before_start": True}, Plan(UPDATED, "confirmed")),
        ("a person's resend of a seeded order", SEED, {"replay": True}, Plan(CONFIRMED)),
        ("a resend, unchanged", SENT, {"replay": True, "content_hash": "old"}, Plan(UPDATED, "confirmed")),
        ("a person's resend while owed", OWED, {"replay": True, "owed": True}, Plan(CONFIRMED, "", True)),
        ("an unwanted update", SENT, {"wanted": (CONFIRMED,)}, Plan(announced="confirmed")),
        (
            "the same while a confirmation waits",
            SENT,
            {"owed": True, "wanted": (CONFIRMED,)},
            Plan(announced="confirmed"),
        ),
        ("an unwanted confirmation", None, {"wanted": (UPDATED,)}, Plan(announced="confirmed")),
        (
            "an unwanted cancellation while owed",
            OWED,
            {"cancelled": True, "owed": True, "wanted": (CONFIRMED,)},
            Plan(announced="cancelled", supersede=True),
        ),
        (
            "an update that is news to a receiver of confirmations",
            OWED,
            {"owed": True, "wanted": (CONFIRMED,)},
            Plan(CONFIRMED, "", supersede=True),
        ),
    ],
)  # fmt: skip
def test_plan(what, known, facts, expected):
    defaults = {"cancelled": False, "content_hash": "new", "owed": False, "wanted": ALL}
    assert plan(known, **defaults | facts) == expected, what
