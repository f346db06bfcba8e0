"""The commands in Spanish: their help, their questions and their answers."""

import pytest
from django.utils import translation

from connections.models import Connection
from tests.core.console.test_help import COMMANDS, parser_of


@pytest.fixture(autouse=True)
def spanish():
    with translation.override("es"):
        yield


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_spanish(name):
    told = parser_of(name).format_help()
    with translation.override("en"):
        english = str(parser_of(name).description)
    assert "Ejemplos:" in told and english.splitlines()[0] not in told


@pytest.mark.parametrize("word", ["sí", "Si", "s", "yes"])
def test_a_yes_counts_with_and_without_its_accent(word, run, person, shop):
    person(word)
    assert "se eliminó" in run("deleteconnection", str(shop.pk)).out
    assert not Connection.objects.exists()


def test_anything_else_is_a_no(run, person, shop):
    person("sino")
    assert "No se eliminó nada." in run("deleteconnection", str(shop.pk)).error
    assert Connection.objects.exists()


def test_a_table_has_spanish_titles(run, shop):
    assert run("connections").out.splitlines()[0].split("  ")[0] == "ID"
    assert "ÚLTIMA CONSULTA" in run("connections").out
