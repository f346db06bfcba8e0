"""A webhook secret is changed: the old ones sign on for a while, then end by themselves."""

import json
from datetime import timedelta
from html import escape
from urllib.parse import quote

import pytest
from django.db import connection as database

from connections.models import Connection, RetiredSecret
from connections.receiver.delivery import Receiver
from connections.secrets.fields import MASK
from connections.webhook_rotation import rotate
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
DAY = timedelta(hours=24)
NEVER = timedelta(0)


def signing(connection, hours=0):
    """The secrets that sign so many hours after noon, by their names."""
    return Receiver.of(Connection.objects.get(pk=connection.pk)).signing(NOON + timedelta(hours=hours))


@pytest.fixture
def shop(make_connection):
    return make_connection(webhook_secret="first")


@pytest.fixture
def change(shop):
    def change(secret, *, overlap=DAY, hours=0):
        rotate(shop, secret, overlap=overlap, by="ana", now=NOON + timedelta(hours=hours))

    return change


def test_the_old_one_signs_on_until_its_time_is_over(shop, change):
    change("second")
    assert signing(shop, 23.9) == ("second", "first")
    assert signing(shop, 24) == ("second",)


def test_several_old_ones_each_have_their_own_end(shop, change):
    change("second")
    change("third", hours=10, overlap=timedelta(hours=2))
    assert signing(shop, 11) == ("third", "second", "first")
    assert signing(shop, 13) == ("third", "first")
    assert signing(shop, 25) == ("third",)


def test_replacing_at_once_ends_all_old_ones(shop, change):
    change("second")
    change("third", overlap=NEVER)
    assert signing(shop) == ("third",)
    assert not RetiredSecret.objects.exists()


@pytest.mark.parametrize(
    ("secrets", "expected"),
    [
        (["first"], ("first",)),
        (["second", "second"], ("second", "first")),
        (["second", "first"], ("first", "second")),
        (["second", "first", "second"], ("second", "first")),
    ],
)
def test_no_secret_is_kept_twice(shop, change, secrets, expected):
    for secret in secrets:
        change(secret)
    assert signing(shop) == expected


def test_an_empty_secret_never_signs(shop, change):
    Connection.objects.update(webhook_secret="")
    change("second")
    assert signing(shop) == ("second",)


def test_who_and_when_are_written_down(shop, change):
    change("second")
    old = RetiredSecret.objects.get()
    assert (old.retired_by, old.retired_at, old.valid_until) == ("ana", NOON, NOON + DAY)
    assert "first" not in f"{old} {old!r} {old.secret} {vars(old)}"


def test_only_the_secret_is_written(shop, change):
    Connection.objects.update(name="renamed meanwhile")
    change("second")
    assert Connection.objects.get().name == "renamed meanwhile"


@pytest.mark.parametrize(("table", "column"), [("connection", "webhook_secret"), ("retiredsecret", "secret")])
def test_secrets_that_no_key_can_read_are_replaced_all_the_same(shop, change, table, column):
    change("second")
    with database.cursor() as cursor:
        cursor.execute(f"UPDATE connections_{table} SET {column} = %s", [b"written with a lost key"])
    change("third")
    assert signing(shop) == ("third",)


def test_old_secrets_come_in_one_statement_for_all(make_connection, django_assert_num_queries):
    for number in range(5):
        connection = make_connection()
        rotate(connection, f"new-{number}", overlap=DAY, by="", now=NOON)
    with django_assert_num_queries(2):
        found = Connection.objects.prefetch_related("retired_secrets")
        assert {len(Receiver.of(connection).retired) for connection in found} == {1}


@pytest.mark.parametrize("spelled", [str, json.dumps, quote, escape, lambda s: s.replace("/", "\\/")])
def test_an_answer_that_echoes_an_old_secret_is_masked(shop, change, spelled):
    change("whsec_a/b+c&d=")
    change("second")
    echo = Receiver.of(shop).masked(f"not {spelled('whsec_a/b+c&d=')} or second")
    assert "a/b" not in echo and "second" not in echo and MASK in echo and "c&d" not in echo
