"""What is shown once waits for its page encrypted: the table of sessions has no secret in clear."""

import json

import pytest
from cryptography.fernet import Fernet
from django.contrib.messages import get_messages
from django.contrib.sessions.models import Session
from django.test import RequestFactory
from django.urls import reverse

from connections.models import Connection
from core.admin.sealed_messages import SealedStorage
from sync.models import NudgeToken
from tests.core.admin.conftest import said
from tests.sync.admin.test_connection_page import ADD, typed

LIST = reverse("admin:connections_connection_changelist")


def stored():
    """All that the sessions hold, as a thief of the table would read it."""
    return json.dumps([row.get_decoded() for row in Session.objects.all()])


def press(client, act, connection, **values):
    address = reverse(f"admin:connections_connection_{act}_one", args=[connection.pk])
    return client.post(address, {"_form_submitted": "True", **values})


def secret_of(connection):
    return Connection.objects.get(pk=connection.pk).webhook_secret.reveal()


def added(client, shop):
    client.post(ADD, typed(webhook_secret=""))
    return secret_of(Connection.objects.get())


def rotated(client, shop):
    connection = shop()
    press(client, "rotate_secret", connection, overlap_hours=1)
    return secret_of(connection)


def nudged(client, shop):
    press(client, "nudge_address", shop())
    return NudgeToken.objects.get().token.reveal()


@pytest.mark.parametrize("act", [added, rotated, nudged])
def test_a_new_secret_is_shown_once_and_stands_nowhere_in_clear(admin_client, shop, act):
    secret = act(admin_client, shop)
    assert "_messages" in stored() and secret not in stored()
    assert secret not in str(admin_client.cookies)
    assert secret in said(admin_client.get(LIST))
    assert "_messages" not in stored()
    assert secret not in admin_client.get(LIST).content.decode()


@pytest.mark.parametrize("stored", ["not a token", '[["__json_message", 0, 20, "in clear"]]', None, 7, ""])
def test_what_no_key_opens_is_lost_and_breaks_nothing(admin_client, stored):
    session = admin_client.session
    session["_messages"] = stored
    session.save()
    assert said(admin_client.get(LIST)) == ""


def test_a_message_survives_the_rotation_of_keys(settings):
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    request = RequestFactory().get("/")
    request.session = {}
    settings.ENCRYPTION_KEYS = [old]
    storage = SealedStorage(request)
    storage.add(20, "kept")
    storage.update(None)
    settings.ENCRYPTION_KEYS = [new, old]
    request._messages = SealedStorage(request)
    assert [str(message) for message in get_messages(request)] == ["kept"]
