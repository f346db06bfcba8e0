"""Which webhook secrets are standard, and what is said of the others; the official library agrees."""

import base64
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook, WebhookVerificationError

from connections.receiver.signing import signature_headers
from connections.secrets.webhook_secret import form_problem, standard_key


def whsec(count):
    return "whsec_" + base64.b64encode(bytes(range(count))).decode()


STANDARD = [whsec(24), whsec(25), whsec(32), whsec(64)]
OTHERS = [
    ("whsec_abc", "not base64"),
    ("whsec_", "stands for 0 bytes"),
    (whsec(16), "stands for 16 bytes"),
    (whsec(23), "stands for 23 bytes"),
    (whsec(65), "stands for 65 bytes"),
    (whsec(32).rstrip("="), "not base64"),
    (whsec(32)[:-5] + "_-_-=", "not base64"),
    (whsec(32) + "=", "not base64"),
    ("whsec_contraseña", "not base64"),
    (f"v1,{whsec(32)}", "has to come first"),
    (f"secret={whsec(32)}", "has to come first"),
    (f'"{whsec(32)}"', "has to come first"),
    (whsec(32).removeprefix("whsec_"), "was its beginning left out"),
    (whsec(32).upper(), "It is plain text"),
    ("hello", "It is plain text"),
    ("a-long-secret-in-plain-words-0123456789", "It is plain text"),
]


def verifies(secret):
    """The official library, given the secret as it was told to us, verifies what we sign with it."""
    now = int(datetime.now(UTC).timestamp())
    headers = signature_headers(
        b"{}",
        connection_id="1",
        event_id="evt_1",
        timestamp=now,
        secrets=[secret],
        send_secret_header=False,
    )
    try:
        Webhook(secret).verify(b"{}", headers)
    except (EmptyWebhookSecretError, WebhookVerificationError, ValueError):
        return False
    return True


@pytest.mark.parametrize("secret", STANDARD)
def test_a_standard_secret(secret):
    assert form_problem(secret) == "" and standard_key(secret) is not None
    assert verifies(secret)


@pytest.mark.parametrize(("secret", "problem"), OTHERS)
def test_any_other_secret(secret, problem):
    assert problem in form_problem(secret) and standard_key(secret) is None
    assert (secret in form_problem(secret)) is (secret == "whsec_")  # that much everybody knows
    assert not verifies(secret)
