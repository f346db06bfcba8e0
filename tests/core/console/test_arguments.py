"""How commands understand what a person means: a connection, items, entries of a list, a yes."""

import pytest
from django.core.management import CommandError

from core.console.arguments import connection_called, numbers
from core.console.bounds import positive
from sync.management.arguments import items_called
from tests.factories import owed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", [1]),
        ("1,3", [1, 3]),
        ("2 4", [2, 4]),
        ("2-4", [2, 3, 4]),
        (" 1, 3-5 ", [1, 3, 4, 5]),
        ("3,3,1-3", [3, 1, 2]),
        ("all", [1, 2, 3, 4, 5]),
        ("ALL", [1, 2, 3, 4, 5]),
    ],
)
def test_entries_of_a_list(text, expected):
    assert numbers(text, 5) == expected


@pytest.mark.parametrize(
    "text", ["", " ", "0", "6", "4-6", "3-1", "-1", "1-", "x", "S00042", "1;2", "1--2", "²"]
)
def test_what_is_not_in_the_list(text):
    with pytest.raises(CommandError):
        numbers(text, 5)


def test_a_connection_by_id_name_or_external_id(make_connection):
    madrid = make_connection(name="Shop Madrid", external_id="ES-1")
    for text in (str(madrid.pk), "Shop Madrid", "shop madrid", " Shop Madrid ", "ES-1"):
        assert connection_called(text) == madrid


def test_a_name_that_is_a_number_gives_way_to_an_id(make_connection):
    first = make_connection()
    odd = make_connection(name=str(first.pk))
    assert connection_called(str(first.pk)) == first
    assert connection_called(str(odd.pk)) == odd


def test_two_names_that_differ_in_case_only(make_connection):
    small, big = make_connection(name="shop"), make_connection(name="SHOP")
    assert connection_called("shop") == small
    assert connection_called("SHOP") == big
    with pytest.raises(CommandError):
        connection_called("Shop")


@pytest.mark.parametrize("text", ["7", "Lisbon", "", "9" * 30, "-1", "²"])
def test_an_unknown_connection_names_what_there_is(make_connection, text):
    madrid = make_connection(name="Shop Madrid")
    with pytest.raises(CommandError, match=rf"{madrid.pk} \(Shop Madrid\)"):
        connection_called(text)


def test_many_connections_are_not_all_named(make_connection):
    for _number in range(12):
        make_connection()
    with pytest.raises(CommandError, match=r", … \(manage.py connections\)"):
        connection_called("Lisbon")


@pytest.mark.django_db
def test_the_first_connection_has_to_be_added():
    with pytest.raises(CommandError, match="addconnection"):
        connection_called("1")


def test_items_all_or_none(connection):
    item = owed(connection)
    assert list(items_called([item.pk])) == [item]
    with pytest.raises(CommandError, match=f"{item.pk + 1}, {item.pk + 2}"):
        items_called([item.pk, item.pk + 2, item.pk + 1])


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("50", 50)])
def test_a_number_from_one_on(text, number):
    assert positive(text) == number
