"""The story of one order: from its number to its cause on one page."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from connections.models import Circuit, Side, pause
from core.admin.base import coming
from sync.admin.labels import PROBLEM_WORDS
from sync.admin.orders.version_diff import ValueChange, changes, content
from sync.models import SeenOrder, Status
from sync.sources.odoo.values import PROBLEMS
from tests import factories
from tests.core.admin.conftest import HOSTILE, said

BODY = {
    "order": {
        "name": "S00001",
        "state": "sale",
        "amount_total": 1234.5,
        "currency": "EUR",
        "write_date": "x",
    },
    "customer": {"name": "Ana Castro", "address": {"city": "Lugo", "zip": "27001"}},
    "shipping_address": {"name": "Ana Castro", "address": {"city": "Lugo"}},
    "items": [
        {"line_id": 1, "name": "Camiseta", "quantity": 2.0, "unit_price": 10.0, "subtotal": 20.0},
        {"line_id": 2, "name": "Gorra", "quantity": 1.0, "unit_price": 5.0, "subtotal": 5.0},
    ],
}


def with_changes(**parts):
    return json.loads(json.dumps(BODY)) | parts


def test_nothing_changed_says_nothing():
    again = with_changes(order=BODY["order"] | {"write_date": "y", "create_date": "2026-11-20 11:19:02"})
    assert changes(BODY, again) == []


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (
            {"order": BODY["order"] | {"amount_total": 99.0, "state": "cancel"}},
            [
                ValueChange("State", "Confirmed", "Cancelled"),
                ValueChange("Total", "1,234.50 EUR", "99.00 EUR"),
            ],
        ),
        (
            {"shipping_address": {"name": "Ana Castro", "address": {"city": "Vigo"}}},
            [ValueChange("Delivery address, city", "Lugo", "Vigo")],
        ),
        (
            {"items": [BODY["items"][0] | {"quantity": 3.0}, BODY["items"][1]]},
            [ValueChange("Line Camiseta, quantity", "2", "3")],
        ),
        (
            {"items": [BODY["items"][0], BODY["items"][1] | {"is_reward": True}]},
            [ValueChange("Line Gorra, reward or discount", "", "yes")],
        ),
        (
            {"items": [BODY["items"][0]]},
            [ValueChange("Line removed", "1 × Gorra, 5.00 EUR", "")],
        ),
        (
            {"items": [*BODY["items"], {"line_id": 3, "sku": "Z", "quantity": 0.5}]},
            [ValueChange("Line added", "", "0.5 × Z")],
        ),
        (
            {"order": None, "items": "x"},
            [
                ValueChange("Name", "S00001", ""),
                ValueChange("State", "Confirmed", ""),
                ValueChange("Total", "1,234.50", ""),
                ValueChange("Currency", "EUR", ""),
                ValueChange("Line removed", "2 × Camiseta, 20.00", ""),
                ValueChange("Line removed", "1 × Gorra, 5.00", ""),
            ],
        ),
    ],
)
def test_changes_are_told_in_words(parts, expected):
    assert changes(BODY, with_changes(**parts)) == expected


def test_what_is_no_payload_is_nothing():
    assert [content(body) for body in (None, b"", b"[1]", b"\xff", b"{")] == [{}] * 5


@pytest.fixture
def order(shop, owe):
    """Two versions of an order: the second changed a city, was tried twice and refused."""
    connection, now = shop(name="Tienda Lugo"), timezone.now()
    first = owe(
        connection, 1, body=json.dumps(BODY).encode(), status=Status.SENT, error_code="", closed_at=now
    )
    seen = SeenOrder.objects.get()
    SeenOrder.objects.update(version=2)
    changed = with_changes(customer={"name": "Ana Castro", "address": {"city": "Vigo", "zip": "27001"}})
    waits = {"status": Status.FAILED, "error_code": "receiver_refused", "closed_at": now}
    second = factories.owed_next(first, body=json.dumps(changed).encode(), **waits)
    answer = '{"error": "no such city ' + HOSTILE.replace('"', "") + '"}'
    result = {"status": 422, "error_code": "receiver_refused", "error_detail": "HTTP 422", "answer": answer}
    for number in (1, 2):
        factories.tried(second, number=number, started_at=now, duration_ms=1234, **result)
    return seen


def page(order):
    return reverse("admin:sync_seenorder_change", args=[order.pk])


def test_the_story_tells_cause_versions_changes_tries_and_what_was_sent(admin_client, order):
    html = admin_client.get(page(order)).content.decode()
    for expected in (
        "It did not arrive, and needs a person",
        "Version 1: confirmed",
        "Version 2: updated",
        "Customer, city",
        "<del>Lugo</del>",
        "<ins>Vigo</ins>",
        "HTTP 422",
        "1,234 ms",
        "no such city",
        "Ana Castro",
        "1,234.50 EUR",
        "Times in UTC",
    ):
        assert expected in html, expected
    assert "<script>alert" not in html


def test_who_may_not_see_payloads_reads_what_changed_but_no_data(staff, order):
    html = staff("sync.view_seenorder").get(page(order)).content.decode()
    assert "Version 2: updated" in html and "Customer, city" in html
    for hidden in ("Vigo", "Ana Castro", "no such city", "1,234.50", "What we send"):
        assert hidden not in html, hidden


def test_acts_of_people_are_part_of_the_story(admin_client, order):
    address = reverse("admin:sync_seenorder_retry_one", args=[order.pk])
    response = admin_client.post(address, {"_form_submitted": "True"}, follow=True)
    assert "1 order is tried again" in said(response)
    html = response.content.decode()
    assert "Retry now" in html and "Needs a person → Waiting" in html and "It waits to be delivered" in html


def test_what_holds_up_the_whole_shop_is_said_on_the_order(admin_client, order):
    pause([order.connection], by="ana", reason="stocktaking", sides=(Side.WEBHOOK,))
    html = admin_client.get(page(order)).content.decode()
    assert "Deliveries of this shop are paused by ana: stocktaking" in html
    Circuit.objects.update(paused_at=None, state="open")
    assert "left alone for a while" in admin_client.get(page(order)).content.decode()


def test_an_order_from_before_the_start_says_so(admin_client, shop):
    seen = factories.seen(shop(), seeded=True)
    assert "from before the start" in admin_client.get(page(seen)).content.decode()


def test_what_could_not_be_read_is_named_with_what_is_wrong(admin_client, staff, order):
    assert "Left empty" not in admin_client.get(page(order)).content.decode()
    SeenOrder.objects.update(notes="commitment_date: out of range\norder_line[54].sequence: not a text\n…")
    for reader in (admin_client, staff("sync.view_seenorder")):
        html = reader.get(page(order)).content.decode()
        assert "Left empty" in html and "The order is delivered without them" in html
        assert "commitment_date</span>: out of range" in html
        assert "order_line[54].sequence</span>: not a text" in html and "…</span>" in html


def test_every_problem_has_its_words():
    assert set(PROBLEM_WORDS) == set(PROBLEMS)


def test_a_next_try_whose_time_has_come_is_due_now():
    now = timezone.now()
    assert coming(now - timedelta(minutes=5), now) == "due now"
    assert "in 5" in coming(now + timedelta(minutes=5, seconds=1), now)
    assert coming(None, now) == "-"
