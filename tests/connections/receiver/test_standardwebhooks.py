"""The official libraries, Python's and JavaScript's, verify what we send; and refuse what is not ours."""

import base64
import json
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from connections.receiver.signing import signature_headers
from tests.doubles.node import FOLDER

NEW = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OLD = "whsec_" + base64.b64encode(bytes(range(32, 64))).decode()
OLDER = "whsec_" + base64.b64encode(bytes(24)).decode()
LONG = "whsec_" + base64.b64encode(bytes(range(64))).decode()
STRANGE = "whsec_" + base64.b64encode(b"s" * 32).decode()
BODY = '{"order":{"name":"S00026 🎁 Ñandú 密码 עברית","note":"a\\n\\u0000b"}}'.encode()

CASES = {
    # name: (what we sign with, what the receiver knows, body, is it verified)
    "ascii": ([NEW], NEW, b'{"a":1}', True),
    "unicode": ([NEW], NEW, BODY, True),
    "64 bytes": ([LONG], LONG, BODY, True),
    "24 bytes": ([OLDER], OLDER, BODY, True),
    "plain text": (["s3cr3t"], "s3cr3t", BODY, True),
    "plain unicode": (["contraseña 密码 🎁"], "contraseña 密码 🎁", BODY, True),
    "overlap, receiver has the new one": ([NEW, OLD, OLDER], NEW, BODY, True),
    "overlap, receiver has the old one": ([NEW, OLD, OLDER], OLD, BODY, True),
    "overlap, receiver has the oldest one": ([NEW, OLD, OLDER], OLDER, BODY, True),
    "overlap with a plain old one": ([NEW, "s3cr3t"], "s3cr3t", BODY, True),
    "overlap is over": ([NEW], OLD, BODY, False),
    "a stranger": ([NEW, OLD], STRANGE, BODY, False),
}


def headers(secrets, body):
    now = int(datetime.now(UTC).timestamp())  # the libraries take signatures of the last minutes only
    return signature_headers(
        body, connection_id="1", event_id="evt_1", timestamp=now, secrets=secrets, send_secret_header=True
    )


@pytest.mark.parametrize("name", CASES)
def test_python(name):
    secrets, known, body, verified = CASES[name]
    webhook = Webhook(known if known.startswith("whsec_") else known.encode())
    if verified:
        assert webhook.verify(body, headers(secrets, body)) == json.loads(body)
        return
    with pytest.raises(WebhookVerificationError):
        webhook.verify(body, headers(secrets, body))


@pytest.fixture(scope="module")
def verdicts(node):
    """Of all cases in one process."""
    given = [
        {
            "secret": known,
            "raw": not known.startswith("whsec_"),
            "body": base64.b64encode(body).decode(),
            "headers": headers(secrets, body),
        }
        for secrets, known, body, _ in CASES.values()
    ]
    return dict(zip(CASES, json.loads(node.run(FOLDER / "verify.js", json.dumps(given))), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_javascript(name, verdicts):
    *_, body, verified = CASES[name]
    said = verdicts[name]
    assert said["ok"] is verified, said
    assert said["body"] == json.loads(body) if verified else "No matching signature" in said["error"]
