"""What the headers of one try hold, proved by the official receivers' library."""

import base64
import json
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from connections.receiver.signing import header_value, new_secret, signature_headers

BODY = '{"order":{"name":"S00026 🎁"},"note":""}'.encode()
RAW = bytes(range(32))
WHSEC = "whsec_" + base64.b64encode(RAW).decode()


def now():
    """Seconds; the library takes signatures of the last five minutes only, and a run may last longer."""
    return int(datetime.now(UTC).timestamp())


def headers(*secrets, body=BODY, **changes):
    known = {"event_id": "evt_1", "timestamp": now(), "connection_id": "shop-1", "send_secret_header": True}
    return signature_headers(body, secrets=secrets, **known | changes)


def as_receiver(secret):
    """The library with the receiver's own idea of the secret's bytes."""
    return Webhook(secret) if secret.startswith("whsec_") else Webhook(secret.encode())


@pytest.mark.parametrize(
    "secret",
    [
        WHSEC,
        "whsec_" + base64.b64encode(bytes(24)).decode(),
        "whsec_" + base64.b64encode(bytes(64)).decode(),
        pytest.param(new_secret(), id="new"),  # its own text differs in each process
        "s3cr3t",
        "contraseña 密码 🎁",
    ],
)
@pytest.mark.parametrize("body", [BODY, b"{}"])
def test_the_official_library_verifies(secret, body):
    assert as_receiver(secret).verify(body, headers(secret, body=body)) == json.loads(body)


@pytest.mark.parametrize(
    ("body", "change"),
    [
        (BODY + b" ", lambda sent: {}),
        (BODY, lambda sent: {"webhook-id": "evt_2"}),
        (BODY, lambda sent: {"webhook-timestamp": str(int(sent["webhook-timestamp"]) + 1)}),
        (BODY, lambda sent: {"webhook-signature": "v1,AAAA"}),
    ],
    ids=["body", "id", "timestamp", "signature"],
)
def test_anything_changed_on_the_way_is_noticed(body, change):
    sent = headers(WHSEC)
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Webhook(WHSEC).verify(body, sent | change(sent))


def test_while_a_secret_is_rotated_both_verify():
    new, old = new_secret(), new_secret()
    sent = headers(new, old)
    Webhook(new).verify(BODY, sent)
    Webhook(old).verify(BODY, sent)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(BODY, sent)
    assert sent["webhook-signature"].count(" ") == 1
    assert sent["X-Webhook-Secret"] == new


def test_a_secret_given_twice_signs_once():
    assert " " not in headers(WHSEC, WHSEC)["webhook-signature"]


@pytest.mark.parametrize(
    "secret",
    [
        "whsec_" + base64.b64encode(bytes(23)).decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
        "whsec_not base64!",
        "whsec_ñ",
        "whsec_",
    ],
    ids=["short", "long", "no base64", "no ASCII", "empty"],
)
def test_a_secret_that_only_looks_standard_is_taken_as_text(secret):
    assert Webhook(secret.encode()).verify(BODY, headers(secret)) == json.loads(BODY)


def test_the_headers_of_one_try():
    assert headers("s3cr3t", timestamp=1795176000) == {
        "Content-Type": "application/json",
        "X-Odoo-Connection-Id": "shop-1",
        "X-Webhook-Secret": "s3cr3t",
        "webhook-id": "evt_1",
        "webhook-timestamp": "1795176000",
        "webhook-signature": "v1,YyDvOQIumPUEu05JS4GPc7mLnuLwFMA4S2bNfJCCvxA=",
    }


def test_the_secret_in_clear_can_be_switched_off():
    assert "X-Webhook-Secret" not in headers("s3cr3t", send_secret_header=False)


def test_new_secrets_are_32_random_bytes():
    secrets = {new_secret() for _ in range(50)}
    assert len(secrets) == 50
    assert {len(base64.b64decode(secret.removeprefix("whsec_"))) for secret in secrets} == {32}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("  blanks mean nothing at the ends\t", "blanks mean nothing at the ends"),
        ("ñandú", "ñandú"),
        ("", ""),
        ("密码", "密码".encode().decode("latin-1")),
        ("broken \ud800", "broken ?"),
    ],
)
def test_any_text_can_stand_in_a_header(text, value):
    assert header_value(text) == value
    header_value(text).encode("latin-1")


@pytest.mark.parametrize("character", ["\r", "\n", "\0", "\x1b", "\x7f"])
@pytest.mark.parametrize("where", ["secret", "connection id"])
def test_control_characters_are_refused_without_telling_the_secret(character, where):
    text = f"s3cr3t{character}X-Evil: 1"
    with pytest.raises(ValueError, match="control characters") as refusal:
        headers(text) if where == "secret" else headers("s3cr3t", connection_id=text)
    assert "s3cr3t" not in str(refusal.value)


@pytest.mark.parametrize("secrets", [(), ("",), ("s3cr3t", "")])
def test_nothing_is_sent_unsigned(secrets):
    with pytest.raises(ValueError, match="without a secret"):
        headers(*secrets)
