"""A secret that no key can read any more: its own connection says so, the others of the batch go on."""

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection as database

from connections.errors import SecretUnreadable
from connections.models import Connection, RetiredSecret
from connections.secrets.fields import MASK, LostSecret
from sync.models import DeliveryAttempt, RetryItem
from tests.conftest import NOON, Clock
from tests.doubles.hostile_odoo import HostileWorld

ELSEWHERE = Fernet(Fernet.generate_key())


def lose(table, column, pk):
    token = ELSEWHERE.encrypt(b"canary-of-another-key")
    with database.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", [token, pk])


@pytest.fixture
def world(mock, db, settings):
    settings.ALLOWED_NETWORKS = ["127.0.0.0/8"]
    world = HostileWorld(Clock(NOON), mock)
    world.poll()
    world.clock.advance(60)
    return world


def test_an_api_key_that_cannot_be_read_fails_its_own_poll(world):
    world.confirmed()
    world.order_elsewhere()
    lose("connections_connection", "api_key", world.connection.pk)
    world.clock.advance(60)
    asked = len(world.hostile.verbs)
    log = world.poll()
    assert log.error_code == "odoo_secret_unreadable"
    assert len(world.hostile.verbs) == asked
    world.check_neighbour()


@pytest.mark.parametrize("table", ["connections_connection", "connections_retiredsecret"])
def test_a_webhook_secret_that_cannot_be_read_keeps_what_is_owed_until_it_can(world, table):
    old = RetiredSecret.objects.create(
        connection=world.connection, secret="old", valid_until=NOON.replace(year=2027), retired_at=NOON
    )
    readable = bytes(_raw("connections_connection", "webhook_secret", world.connection.pk))
    is_old = table.endswith("retiredsecret")
    lose(table, "secret" if is_old else "webhook_secret", old.pk if is_old else world.connection.pk)
    order_id = world.confirmed()
    world.order_elsewhere()
    world.clock.advance(60)
    world.poll()
    world.clock.advance(60)
    world.deliver()
    [item] = RetryItem.objects.filter(connection=world.connection)
    assert (item.status, item.error_code, item.refusals) == ("pending", "receiver_secret_unreadable", 0)
    assert DeliveryAttempt.objects.filter(item=item, status=None).exists()
    world.check_neighbour()
    old.delete()
    with database.cursor() as cursor:
        sql = "UPDATE connections_connection SET webhook_secret = %s WHERE id = %s"
        cursor.execute(sql, [readable, world.connection.pk])
    world.wait(minutes=20, tick=60)
    assert world.arrived() == {order_id}


def _raw(table, column, pk):
    with database.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} WHERE id = %s", [pk])
        return cursor.fetchone()[0]


def test_a_row_with_a_lost_secret_loads_shows_nothing_and_is_saved_as_it_was(connection):
    lose("connections_connection", "api_key", connection.pk)
    before = bytes(_raw("connections_connection", "api_key", connection.pk))
    row = Connection.objects.get()
    assert isinstance(row.api_key, LostSecret)
    assert (str(row.api_key), repr(row.api_key), f"{row.api_key}") == (MASK, f"Secret({MASK!r})", MASK)
    with pytest.raises(SecretUnreadable, match="POLLER_ENCRYPTION_KEY"):
        row.api_key.reveal()
    row.name = "Renamed"
    row.save()
    assert bytes(_raw("connections_connection", "api_key", connection.pk)) == before
    assert Connection.objects.get().webhook_secret.reveal() == connection.webhook_secret


@pytest.mark.parametrize(
    "line", [["testconnection"], ["checkreceiver"], ["resend", "--last", "1", "--connection"]]
)
def test_commands_say_what_to_do(connection, settings, line):
    lose("connections_connection", "api_key", connection.pk)
    lose("connections_connection", "webhook_secret", connection.pk)
    with pytest.raises(CommandError) as raised:
        call_command(*line, str(connection.pk))
    assert "Traceback" not in str(raised.value)
