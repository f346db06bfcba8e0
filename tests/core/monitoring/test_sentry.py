"""What goes to Sentry names the place of a fault, and nothing of whom it was about."""

import json
import logging

import pytest
import sentry_sdk
from sentry_sdk.transport import Transport

from core.monitoring import sentry

CANARY = "canary-4711"


class Kept(Transport):
    """Keeps what would leave."""

    def __init__(self, events):
        super().__init__()
        self.events = events

    def capture_envelope(self, envelope):
        self.events.append(envelope.get_event())


@pytest.fixture
def events(monkeypatch):
    kept = []
    init = sentry_sdk.init
    monkeypatch.setattr(sentry_sdk, "init", lambda **more: init(transport=Kept(kept), **more))
    sentry.begin("https://key@sentry.example.com/1", release="0.1.0", environment="")
    yield kept
    init(dsn="")


def fail(order):
    raise ValueError(f"no sense in {order}")


def test_a_fault_keeps_its_place_and_loses_its_data(events):
    try:
        fail(CANARY)
    except ValueError:
        logging.getLogger("poller.poll").exception("A poll of %s failed", CANARY, extra={"order": CANARY})
    [event] = events
    assert CANARY not in json.dumps(event)
    [fault] = event["exception"]["values"]
    assert fault["type"] == "ValueError"
    assert fault["stacktrace"]["frames"][-1]["function"] == "fail"
    assert event["logentry"]["message"] == "A poll of %s failed"


def test_a_request_keeps_its_method_only():
    event = {
        "request": {
            "method": "POST",
            "url": f"https://x/nudge/{CANARY}/",
            "headers": {"Cookie": CANARY},
            "data": CANARY,
        },
        "user": {"email": CANARY},
        "transaction": f"/nudge/{CANARY}/",
        "breadcrumbs": {"values": [{"message": CANARY}]},
    }
    assert sentry.scrubbed(event, {}) == {"request": {"method": "POST"}}
