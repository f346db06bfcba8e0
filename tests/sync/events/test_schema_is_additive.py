"""What receivers were told stays true: the schema of a version only ever grows."""

import copy
import json

import pytest

from tests.published import CURRENT, PUBLISHED, breaking

SCHEMA = json.loads(PUBLISHED.read_text())


def changed(change):
    schema = copy.deepcopy(SCHEMA)
    change(schema, schema["$defs"])
    return breaking(SCHEMA, schema)


def test_the_schema_holds_all_that_was_published():
    assert breaking(SCHEMA, json.loads(CURRENT.read_text())) == []


def test_what_is_in_the_schema_is_published():
    """`python -m tests.published` does it, and from then on the additions are held to, too."""
    assert json.loads(CURRENT.read_text()) == SCHEMA


@pytest.mark.parametrize(
    "change",
    [
        lambda schema, defs: defs["item"]["properties"].update(weight={"type": ["number", "null"]}),
        lambda schema, defs: defs["order"]["properties"].update(description={"type": "string"}),
        lambda schema, defs: defs.update(parcel={"type": "object"}),
        lambda schema, defs: schema.update(description="other words", title="another title"),
        lambda schema, defs: defs["order"]["properties"]["note"].update(description="other words"),
        lambda schema, defs: defs["order"]["required"].reverse(),
    ],
    ids=["key", "key called description", "definition", "words", "words of a key", "order of a list"],
)
def test_may_change(change):
    assert changed(change) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda schema, defs: defs["order"]["properties"].pop("note"),
        lambda schema, defs: defs["order"]["properties"]["name"].update(type="number"),
        lambda schema, defs: defs["order"]["properties"]["name"].update(type=["string", "null"]),
        lambda schema, defs: defs["order"]["properties"]["origin"].update(type="string"),
        lambda schema, defs: defs["order"]["required"].append("origin_of_it_all"),
        lambda schema, defs: defs["order"]["required"].remove("note"),
        lambda schema, defs: schema["properties"]["event"]["enum"].pop(),
        lambda schema, defs: schema["properties"]["event"]["enum"].append("order.lost"),
        lambda schema, defs: schema["properties"]["source"].update(const="shop"),
        lambda schema, defs: schema["properties"]["event_id"].update(pattern="^[0-9]+$"),
        lambda schema, defs: defs["order"]["properties"]["note"].update(maxLength=1000),
        lambda schema, defs: defs["order_event"]["properties"]["version"].update(minimum=2),
        lambda schema, defs: defs["item"].update(additionalProperties=False),
        lambda schema, defs: defs["test_event"]["properties"].update(order=True),
        lambda schema, defs: defs.pop("party"),
        lambda schema, defs: schema.pop("required"),
    ],
    ids=[
        "key gone", "other type", "wider type", "narrower type", "new required", "less required",
        "less in a list", "more in a list", "other constant", "other pattern", "shorter", "larger",
        "closed", "opened", "definition gone", "nothing required",
    ],
)  # fmt: skip
def test_may_not_change(change):
    assert len(changed(change)) == 1
