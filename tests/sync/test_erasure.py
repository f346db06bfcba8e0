"""A person is erased: nothing of theirs is left in any table, and every version is still accounted for."""

from datetime import timedelta

import orjson
import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models
from fernet_fields import EncryptedField

from core.models import Finding
from sandbox.odoo.sales import Line
from sync import retention
from sync.erasure import erase as erasing
from sync.erasure.erase import JSONS, TEXTS, Person, erase
from sync.ledger.balance import imbalances
from sync.models import (
    ConnectionTest,
    DeliveryAttempt,
    PollState,
    Reconciliation,
    RetryItem,
    SeenOrder,
    SentOrder,
    SyncLog,
)
from tests import factories
from tests.conftest import NOON
from tests.core.console.conftest import run  # noqa: F401 - a fixture

ANA, MAIL = "Ana Pérez", "Ana.Perez@example.com"


def tables():
    """Every row of every table as text."""
    return "\n".join(
        str([bytes(v).decode("utf-8", "replace") if isinstance(v, bytes | memoryview) else v for v in row])
        for model in apps.get_models()
        for row in model._base_manager.order_by("pk").values_list()
    )


@pytest.fixture
def sell(world):
    """An order of this customer, confirmed, polled and tried."""
    ana = world.shop.add_partner(ANA, email=MAIL, phone="600 123 456")

    def sell(partner_id=ana, **values):
        order_id = world.shop.quotation(partner_id, [Line(world.shop.product_id)], **values)
        world.shop.confirm(order_id)
        world.poll()
        world.deliver()
        world.clock.advance(60)
        return order_id

    return sell


@pytest.fixture
def history(world, sell):
    """Ana's orders: one sent, one replaced before it was sent, one discarded; and one of somebody else."""
    sell(client_order_ref="ANA-7")
    sell(world.shop.customer_id, client_order_ref="JOSE-1")
    world.receiver.set_mode("main", "422")
    order_id = sell()
    world.shop.edit_order(order_id, note="<p>Call Ana</p>")
    world.poll()
    RetryItem.objects.open().update(
        status="discarded", discarded_by="joe", discard_reason="ANA PÉREZ called", closed_at=world.clock()
    )
    DeliveryAttempt.objects.update(answer=f"unknown customer {MAIL}", error_detail="for Ana Pérez")
    return world


@pytest.mark.parametrize("by", [{"text": "ana.perez@EXAMPLE.com"}, {"text": "ana  pérez"}])
def test_nothing_is_left_of_a_person(history, by):
    done = erase(Person(**by), by="joe", now=history.clock())
    left = tables()
    if "@" in by["text"]:
        assert MAIL.lower() not in left.lower()
    else:
        assert "ana pérez" not in left.lower()
    assert "ANA-7" not in left and "600 123 456" not in left
    assert "José Ángel Muñoz" in left and "JOSE-1" in left, "others are left alone"
    assert done.counts["payloads"] == 3 and len(done.orders) == 2 and not done.owed
    assert imbalances() == []


def hashes():
    return [set(model.objects.values_list("order_id", "content_hash")) for model in (SeenOrder, SentOrder)]


def test_hashes_and_the_way_of_each_version_stay(history):
    before = hashes()
    statuses = set(RetryItem.objects.values_list("pk", "status", "content_hash"))
    history.clock.advance(60)
    erase(Person(MAIL), by="joe", now=history.clock())
    assert hashes() == before
    history.poll()
    assert set(RetryItem.objects.values_list("pk", "status", "content_hash")) == statuses, "nothing is new"


def test_a_dry_run_counts_the_same_and_changes_nothing(history):
    before = tables()
    planned = erase(Person(MAIL), by="joe", now=history.clock(), dry_run=True)
    assert tables() == before
    assert erase(Person(MAIL), by="joe", now=history.clock()).counts == planned.counts
    again = erase(Person(MAIL), by="joe", now=history.clock())
    assert set(again.counts.values()) == {0}


def test_what_is_owed_is_kept_named_and_delivered(world, sell, run):  # noqa: F811
    world.receiver.set_mode("main", "500", count=1)
    order_id = sell()
    name = SeenOrder.objects.get(order_id=order_id).order_name
    printed = run("eraseperson", "--email", MAIL, "--yes")
    assert (
        printed.code == 1 and "1 order is still owed" in printed.error and f"{name} (Shop)" in printed.error
    )
    world.wait(minutes=5)
    assert [d.body["customer"]["email"] for d in world.hook.deliveries if d.status == 200] == [MAIL]
    printed = run("eraseperson", "--email", MAIL, "--yes")
    assert printed.code == 0 and "payloads: 1" in printed.out and name in printed.out
    assert MAIL not in tables()


def test_what_is_owed_is_given_up_on_record(world, sell, run):  # noqa: F811
    world.receiver.set_mode("main", "500")
    sell()
    assert "payloads: 1" in run("eraseperson", "--email", MAIL, "--discard-owed", "--dry-run").out
    printed = run("eraseperson", "--email", MAIL, "--discard-owed", "--yes")
    assert printed.code == 0 and "orders owed, now discarded: 1" in printed.out
    item = RetryItem.objects.get()
    assert (item.status, item.discard_reason, item.body) == ("discarded", "Erased on request", None)
    assert item.discarded_by.endswith("(manage.py)") and MAIL not in tables()
    assert imbalances() == []
    assert run("checkledger").code == 0


def test_only_the_connection_that_was_named(history, run, make_connection):  # noqa: F811
    other = make_connection(name="Other", external_id="other")
    printed = run("eraseperson", "--name", ANA, "-c", "Other", "--json")
    assert set(printed.json["touched"].values()) == {0} and ANA in tables()
    factories.logged(other, finished_at=NOON, error_detail=f"of {ANA}!")
    assert run("eraseperson", "--name", ANA, "-c", "Other", "--json", "--yes").json["touched"]["texts"] == 1
    assert SyncLog.objects.get(connection=other).error_detail == "of [erased]!"


def test_texts_wherever_they_were_written_down(world):
    c, now, text = world.connection, NOON, f"see {ANA.upper()} <{MAIL}>, soon"
    factories.found(c, "x", detail=text, since=now, seen_at=now)
    PollState.objects.filter(connection=c).update(error_detail=text)
    factories.circuit(c, "odoo", paused_reason=text)
    stages = [{"name": "x", "detail": text}]
    ConnectionTest.objects.create(
        connection=c, started_at=now, stages=stages, preview=orjson.dumps({"customer": {"name": ANA}})
    )
    Reconciliation.objects.create(
        connection=c, since=now, requested_at=now, differences=[{"order": text}], error_detail=text
    )
    LogEntry.objects.create(
        user_id=_user().pk,
        content_type=ContentType.objects.get_for_model(RetryItem),
        object_repr=text[:200],
        change_message=text,
        action_flag=CHANGE,
    )
    for who in (ANA, MAIL):
        erase(Person(who), by="joe", now=now)
    left = tables().lower()
    assert ANA.lower() not in left and MAIL.lower() not in left
    assert Finding.objects.get().detail == "see [erased] <[erased]>, soon"


def _user():
    return apps.get_model("auth", "User").objects.create_user("joe")


@pytest.mark.parametrize(
    ("who", "text", "found"),
    [
        ("ana@example.com", "to ANA@example.com.", True),
        ("ana@example.com", "<ana@example.com>", True),
        ("ana@example.com", "mariana@example.com", False),
        ("ana@example.com", "x.ana@example.com", False),
        ("ana@example.com", "ana@example.com.mx", False),
        ("ana@example.com", "ana@example.community", False),
        ("Ana Pérez", "ANA  PÉREZ", True),
        ("Ana Pérez", "Ana Pe\u0301rez", True),
        ("Ana Pérez", "line\nAna Pérez\nline", True),
        ("Ana Pérez", "Mariana Pérez", False),
        ("Ana Pérez", "Ana Pérezgil", False),
        ("Ana (shop)", "for Ana (shop), please", True),
        ("Ana", {"a": [{"b": "x Ana y"}]}, True),
        ("Ana", {"Ana": [None, 1, True]}, False),
        ("Ana Pérez", "ana perez", True),
        ("Ana Perez", "ANA PÉREZ", True),
        ("Ana Perez", "Ana Pe\u0301rez", True),
        ("Søren Łoś", "SOREN LOS", True),
        ("Иван Петров", "ИВАН  ПЕТРОВ", True),
        ("Ana Pérez", "Pérez, Ana", True),
        ("Ana Pérez", "PEREZ,ANA", True),
        ("Pérez, Ana", "Ana Pérez", True),
        ("Ana María Pérez Gil", "Pérez Gil, Ana María", True),
        ("Ana Pérez", "Pérez Ana", False),
        ("Acme, Inc.", "for Acme, Inc. of Boston", True),
        ("Ana Pérez", "Ana P&eacute;rez", True),
        ("Ana Pérez", "Ana&nbsp;P&#233;rez", True),
        ("Ana Pérez", "&#x41;na P&#xE9;rez", True),
        ("Ana Pérez", "Ana P&amp;eacute;rez", True),
        ("Ana Pérez", "?name=Ana+P%C3%A9rez&x=1", True),
        ("Ana Pérez", "Ana%20P%c3%a9rez", True),
        ("Ana Pérez", "Ana%20P%E9rez", True),
        ("Ana Pérez", "Ana%2520P%25C3%25A9rez", True),
        ("Ana Pérez", '{"name": "Ana P\\u00e9rez"}', True),
        ("Ana Pérez", "said: \\nAna P\\u00E9rez\\n", True),
        ("Ana Pérez", '{\\"n\\": \\"Ana P\\\\u00e9rez\\"}', True),
        ("Ana Gómez", "Ana <b>Gómez</b>", True),
        ("Ana Gómez", "<td>Ana</td><td>Gómez</td>", True),
        ("Ana Gómez", "A<b>n</b>a<br/>G&oacute;<i>mez</i>", True),
        ("Ana Gómez", "Ana &lt;b&gt;G&amp;oacute;mez&lt;/b&gt;", True),
        ("Ana Gómez", "Ana G\u00ad\u00f3mez", True),
        ("Ana Gómez", "_Ana Gómez_", True),
        ("Ana Gómez", "a < b and Ana Gómez > c", True),
        ("Ana Gómez", '<a title="Gómez, Ana">x</a>', True),
        ("Ana Gómez", "Mariana G&oacute;mez", False),
        ("Ana Gómez", "Anabel G%C3%B3mez", False),
        ("Ana Gómez", "Ana <b>Gómezgil</b>", False),
        ("Ana Gómez", "Ana. Gómez & Co", False),
        ("ana@example.com", "ana&#64;example&#46;com", True),
        ("ana@example.com", "mailto:ana%40example.com?x", True),
        ("ana@example.com", '<a href="mailto:ANA%40Example.com">x</a>', True),
        ("ana@example.com", "ana<wbr>@example<wbr>.com", True),
        ("ana@example.com", "{\\u0022to\\u0022:\\u0022ana\\u0040example.com\\u0022}", True),
        ("ana@example.com", "mari%61na%40example.com", False),
        ("ana@example.com", "ana%40example.com.mx", False),
    ],
)
def test_who_is_meant(who, text, found):
    assert Person(who).is_in(text) is found


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["--email", "ana"], "is not an e-mail address"),
        (["--email", "a b@example.com"], "is not an e-mail address"),
        (["--name", "Al"], "Give the whole name"),
        (["--name", " "], "Give the whole name"),
        (["--name", "Al <>"], "Give the whole name"),
        (["--name", "Ana <ana>"], "is not an e-mail address"),
        (["--name", "Ana <ana@example.com>"], "No stored order is for"),
        ([], "--email"),
        (["--email", "a@b.c", "--name", "Ana"], "not allowed with"),
    ],
)
def test_whom_to_erase_has_to_be_clear(run, line, words):  # noqa: F811
    printed = run("eraseperson", *line)
    assert printed.code == 1 and words in printed.error


# What is a word of ours, or a name of a colleague, a shop or a server.
NOT_OF_CUSTOMERS = {
    "ids_database",
    "name", "external_id", "odoo_url", "database", "username", "webhook_url", "content_hash",
    "event_id", "state", "event", "error_code", "discarded_by", "requested_by", "asked_by", "wished_by",
    "paused_by", "retired_by", "key", "token", "why", "before", "after", "code", "announced", "digest",
    "stage", "language", "host", "table", "notes", "hold", "missed_detail",
    "deep_check_error", "answered_by",
    "version", "label", "object_id", "answer_pointer", "answer_value",
}  # fmt: skip
JSON_NOT_OF_CUSTOMERS = {
    "survey",
    "hidden",
    "database",
    "detail",
    "events",
    "server",
    "account",
    "counts",
    "scope",
    "causes",
}


def test_every_column_that_may_hold_a_customer_is_looked_through():
    """A new column goes into TEXTS or JSONS of sync/erasure/erase.py, or into the sets above."""
    known = TEXTS | JSONS | NOT_OF_CUSTOMERS | JSON_NOT_OF_CUSTOMERS | {"body", "preview", "start_ids"}
    forgotten = [
        f"{model.__name__}.{f.name}"
        for model in erasing.tables()
        for f in model._meta.local_concrete_fields
        if isinstance(f, models.CharField | models.TextField | models.JSONField | models.BinaryField)
        and not isinstance(f, EncryptedField)
        and not f.choices
        and f.name not in known
    ]
    assert not forgotten, forgotten


def test_ageing_forgets_people_too_and_the_ledger_balances(history, run, settings):  # noqa: F811
    """Payloads after 30 days, answers after 30; hashes stay."""
    RetryItem.objects.filter(discard_reason__contains="ANA").update(discard_reason="")
    at = history.clock() + timedelta(days=31)
    counts = retention.housekeep(at)
    assert counts["payloads"] == 4 and counts["attempts"] > 0 and not DeliveryAttempt.objects.exists()
    assert MAIL not in tables() and not RetryItem.objects.filter(body__isnull=False).exists()
    assert SeenOrder.objects.exclude(content_hash="").count() == 3
    assert imbalances() == [] and run("checkledger").code == 0
