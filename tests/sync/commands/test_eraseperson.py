"""eraseperson: whom it means, what it asks, and what it leaves of those who are not meant."""

import orjson
import pytest

from sync.erasure.persons import Person
from sync.models import DeliveryAttempt, RetryItem, SyncLog
from tests import factories
from tests.conftest import NOON
from tests.factories import owed, sent, tried

pytestmark = pytest.mark.django_db

ANA, LUIS = ("Ana Pérez", "ana@example.com"), ("Luis Pérez", "luis@example.com")


@pytest.fixture
def order(shop):
    """An order that was sent to this customer, whose payload is kept."""
    numbers = iter(range(1, 100))

    def order(name, email, ship_to=None, note=""):
        number = next(numbers)
        customer = {"name": name, "email": email}
        body = {
            "order": {"note": note},
            "customer": customer,
            "shipping_address": dict(zip(("name", "email"), ship_to, strict=True)) if ship_to else customer,
        }
        sent(shop, number=number)
        return owed(shop, number=number, status="sent", next_retry_at=None, body=orjson.dumps(body))

    return order


def kept():
    """Whose payloads are left."""
    bodies = RetryItem.objects.filter(body__isnull=False).values_list("body", flat=True)
    return sorted(orjson.loads(bytes(body))["customer"]["name"] for body in bodies)


def people(printed):
    return [(row["name"], row["email"], row["orders"]) for row in printed.json["people"]]


def test_a_word_in_several_names_erases_nobody(run, nobody, order):
    for who in (ANA, ANA, LUIS, ("Ana Gómez", "")):
        order(*who)
    printed = run("eraseperson", "--name", "Ana", "--yes")
    assert printed.code == 1 and len(kept()) == 4
    assert [line.split() for line in printed.out.splitlines()] == [
        ["NAME", "E-MAIL", "ADDRESS", "ORDERS"],
        ["Ana", "Pérez", "ana@example.com", "2"],
        ["Ana", "Gómez", "-", "1"],
    ]
    assert "2 people may be meant" in printed.error
    assert "--name 'Ana Pérez <ana@example.com>'" in printed.error
    assert people(run("eraseperson", "--name", "Ana", "--yes", "--json")) == [(*ANA, 2), ("Ana Gómez", "", 1)]
    assert run("eraseperson", "--name", "Ana", "--dry-run").code == 1


@pytest.mark.parametrize(
    ("line", "left"),
    [
        (["--name", "Ana Pérez"], ["Ana Gómez", "Luis Pérez"]),
        (["--name", "perez, ana"], ["Ana Gómez", "Luis Pérez"]),
        (["--name", "Luis"], ["Ana Gómez", "Ana Pérez"]),
        (["--email", "ANA@example.com"], ["Ana Gómez", "Luis Pérez"]),
        (["--name", "Ana Pérez <ana@example.com>"], ["Ana Gómez", "Luis Pérez"]),
        (["--name", "Ana Gómez <>"], ["Ana Pérez", "Luis Pérez"]),
    ],
)
def test_exactly_one_is_erased(run, nobody, order, line, left):
    for who in (ANA, LUIS, ("Ana Gómez", "")):
        order(*who)
    assert run("eraseperson", *line, "--yes").error == ""
    assert kept() == left


def test_it_asks_with_the_counts(run, person, order):
    tried(order(*ANA), answer="took it")
    tried(order(*LUIS), answer="took it")
    asked = person("no")
    printed = run("eraseperson", "--name", "ana perez")
    assert printed.code == 1 and "Nothing was erased" in printed.error and len(kept()) == 2
    for words in ("ana@example.com", "payloads: 1", "answers of receivers: 1"):
        assert words in printed.out
    assert "Ana Pérez <ana@example.com>" in asked[0]
    person("yes")
    printed = run("eraseperson", "--name", "ana perez")
    assert printed.code == 0 and "Erased:" in printed.out and kept() == ["Luis Pérez"]
    assert DeliveryAttempt.objects.get(answer="took it").order_name == "S00042"


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_where_nobody_can_answer_it_erases_nothing_without_yes(run, nobody, order, more):
    order(*ANA)
    printed = run("eraseperson", "--email", ANA[1], *more)
    assert printed.code == 1 and "--yes" in printed.error and kept() == ["Ana Pérez"]
    assert run("eraseperson", "--email", ANA[1], "--dry-run", *more).code == 0 and kept() == ["Ana Pérez"]
    assert run("eraseperson", "--email", ANA[1], "--yes", *more).code == 0 and kept() == []


def test_where_nothing_is_stored_nothing_is_asked(run, nobody, order):
    order(*LUIS)
    printed = run("eraseperson", "--email", "ana@example.com")
    assert printed.code == 0 and "No stored order is for anybody" in printed.out and kept() == ["Luis Pérez"]


def test_a_name_within_a_longer_one_is_somebody_else(run, nobody, order, shop):
    for who in (ANA, ("Ana Pérez Gil", "gil@example.com")):
        order(*who)
    order(*LUIS, note="<p>call Ana&nbsp;P&eacute;rez</p>")
    texts = "Pérez Gil, Ana and Ana Pérez Gil called, so did Pérez, Ana and ANA PEREZ"
    factories.logged(shop, finished_at=NOON, error_detail=texts)
    printed = run("eraseperson", "--name", "Ana Pérez", "--yes")
    assert printed.code == 0 and kept() == ["Ana Pérez Gil"]
    assert "left alone: Ana Pérez Gil <gil@example.com>" in printed.out
    assert SyncLog.objects.get().error_detail == (
        "Pérez Gil, Ana and Ana Pérez Gil called, so did [erased] and [erased]"
    )


@pytest.mark.parametrize(
    ("others", "line", "mine"),
    [
        ([("Ana Pérez", "other@example.com")], "--name Ana Pérez", "'Ana Pérez <ana@example.com>'"),
        ([("Luis Pérez", "ana@example.com")], "--email ana@example.com", "'Ana Pérez <ana@example.com>'"),
        (
            [("Ana Pérez", "other@example.com"), ("Luis Pérez", "ana@example.com")],
            "--name Ana Pérez",
            "'Ana Pérez <ana@example.com>'",
        ),
    ],
)
def test_what_two_share_is_no_name_for_one(run, nobody, order, others, line, mine):
    for other in [ANA, ANA, *others]:
        order(*other)
    option, text = line.split(" ", 1)
    printed = run("eraseperson", option, text, "--yes")
    assert printed.code == 1 and mine in printed.error
    assert run("eraseperson", "--name", mine.strip("'"), "--yes").error == ""
    assert kept() == sorted(name for name, _ in others)


def test_where_two_have_a_name_it_is_left_where_it_stands_alone(run, nobody, order, shop):
    for who in (ANA, ("Ana Pérez", "other@example.com")):
        order(*who)
    text = "Ana Pérez, ana@example.com"
    factories.logged(shop, finished_at=NOON, error_detail=text)
    assert run("eraseperson", "--name", "Ana Pérez <ana@example.com>", "--yes").error == ""
    assert SyncLog.objects.get().error_detail == "Ana Pérez, [erased]"


def test_an_address_that_ships_to_somebody_without_one(run, nobody, order):
    """A delivery address seldom has an e-mail address: the same name is the same customer."""
    order(*ANA, ship_to=("Pérez, Ana", ""))
    order("Acme", "acme@example.com", ship_to=("ANA PEREZ", ""))
    printed = run("eraseperson", "--name", "Ana Pérez", "--dry-run", "--json")
    assert people(printed) == [(*ANA, 2)]
    run("eraseperson", "--name", "Ana Pérez", "--yes")
    assert kept() == []


@pytest.mark.parametrize(
    ("stored", "left"),
    [
        ("by Ana P&eacute;rez.", "by [erased]."),
        ("?n=Ana+P%C3%A9rez&m=1", "?n=[erased]&m=1"),
        ('{"n": "Ana P\\u00e9rez"}', '{"n": "[erased]"}'),
        ("of PÉREZ, ANA!", "of [erased]!"),
        ("Ana <b>Pérez</b> called", "[erased]</b> called"),
        ("Ana Pe\u0301rez's", "[erased]'s"),
        ("Ana P&amp;eacute;rez and ana perez", "[erased] and [erased]"),
        ("Mariana P&eacute;rez", "Mariana P&eacute;rez"),
        ("50% of <all> & ñ", "50% of <all> & ñ"),
    ],
)
def test_however_it_is_written_it_goes_and_the_rest_stays(run, nobody, shop, stored, left):
    factories.logged(shop, finished_at=NOON, error_detail=stored)
    run("eraseperson", "--name", "Ana Perez", "--yes")
    assert SyncLog.objects.get().error_detail == left


def test_the_database_chooses_what_needs_a_closer_look(shop):
    for text in (
        "",
        "Peter Smith",
        "nothing of hers",
        "ana perez",
        "ANA PÉREZ",
        "P%C3%A9rez",
        "x\\u00e9",
        "<b>",
    ):
        factories.logged(shop, finished_at=NOON, error_detail=text)
    chosen = Person("Ana Pérez").perhaps_in(SyncLog.objects.order_by("pk"), "error_detail")
    assert list(chosen.values_list("error_detail", flat=True)) == [
        "ana perez", "ANA PÉREZ", "P%C3%A9rez", "x\\u00e9", "<b>",
    ]  # fmt: skip
