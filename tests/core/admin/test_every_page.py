"""Every page opens for who may see it only, costs the same for many rows, and tells no secret."""

import pytest
from django.contrib import admin
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from connections.models import Connection
from sync.models import RetryItem
from tests.core.admin.conftest import API_KEY, HOSTILE, WEBHOOK_SECRET, spoil_secrets

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
OURS = [Connection, *[model for model in MODELS if model._meta.app_label in ("core", "sync")]]
WRITTEN_BY_PEOPLE = ["core.AlertChannel"]
READ_ONLY = [
    m
    for m in MODELS
    if m._meta.app_label in ("core", "sync", "django_q", "axes") and m._meta.label not in WRITTEN_BY_PEOPLE
]


def names(models):
    return [model._meta.label for model in models]


def place(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def pages_of(model):
    yield place(model, "changelist")
    for pk in model.objects.values_list("pk", flat=True)[:1]:
        yield place(model, "change", pk)
        yield place(model, "history", pk)
    if admin.site._registry[model].has_add_permission.__qualname__.startswith("BaseModelAdmin"):
        yield place(model, "add")


@pytest.mark.parametrize("model", MODELS, ids=names(MODELS))
def test_every_page_opens_and_tells_no_secret(model, admin_client, fill):
    fill(2, text=HOSTILE)
    for address in pages_of(model):
        response = admin_client.get(address)
        html = response.content.decode()
        assert response.status_code == 200, address
        assert "<script>alert" not in html, address
        assert not [canary for canary in (API_KEY, WEBHOOK_SECRET) if canary in html], address


@pytest.mark.parametrize("model", MODELS, ids=names(MODELS))
def test_no_page_opens_without_permission(model, client, staff, fill):
    fill(1)
    nobody_in_particular = staff()
    for address in pages_of(model):
        assert client.get(address).status_code == 302, address
        assert nobody_in_particular.get(address).status_code == 403, address


def test_no_page_costs_more_for_many_rows(admin_client, fill):
    """All pages in one table: making the rows costs more than looking at them."""
    fill(5)
    lists = {place(model, "changelist"): 14 for model in MODELS}
    pages = {place(model, "change", model.objects.first().pk): 16 for model in OURS}
    most = lists | pages | {reverse("admin:index"): 16}
    few = {address: queries(admin_client, address) for address in most}
    fill(45, text="more")
    many = {address: queries(admin_client, address) for address in most}
    dear = [address for address in most if not many[address] <= few[address] <= most[address]]
    assert {address: (few[address], many[address]) for address in dear} == {}


def queries(client, address):
    client.get(address)  # content types are remembered from the first time on
    with CaptureQueriesContext(database) as made:
        assert client.get(address).status_code == 200, address
    return len(made)


@pytest.mark.parametrize("model", READ_ONLY, ids=names(READ_ONLY))
def test_what_workers_write_is_only_looked_at(model, admin_client, fill):
    fill(1)
    row = model.objects.first()
    before = model.objects.filter(pk=row.pk).values().get()
    assert admin_client.post(place(model, "add"), {}).status_code == 403
    assert (
        admin_client.post(place(model, "change", row.pk), {"name": "x", "func": "os.system"}).status_code
        == 403
    )
    if model._meta.label != "axes.AccessAttempt":  # deleting one unlocks a login
        assert admin_client.post(place(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "index": "0", "_selected_action": [row.pk], "post": "yes"}
    admin_client.post(place(model, "changelist"), chosen)
    chosen["action"] = "resubmit_task"
    admin_client.post(place(model, "changelist"), chosen)
    assert model.objects.filter(pk=row.pk).values().get() == before


def test_one_unreadable_secret_breaks_no_page(admin_client, fill):
    fill(2)
    spoil_secrets()
    for model in OURS:
        for address in pages_of(model):
            assert admin_client.get(address).status_code == 200, address
    filtered = (
        place(RetryItem, "changelist") + f"?connection__id__exact={RetryItem.objects.first().connection_id}"
    )
    assert admin_client.get(filtered).status_code == 200


def test_who_may_only_look_gets_no_inputs(staff, shop):
    connection = shop()
    html = (
        staff("connections.view_connection").get(place(Connection, "change", connection.pk)).content.decode()
    )
    assert connection.name in html
    assert "********" not in html and 'name="api_key"' not in html
    assert 'name="_save"' not in html


def test_the_filter_by_connection_finds_by_typing(admin_client, staff, shop):
    shop(name="Tienda Lugo")
    question = {"app_label": "sync", "model_name": "retryitem", "field_name": "connection", "term": "lugo"}
    found = admin_client.get(reverse("admin:autocomplete"), question).json()["results"]
    assert [row["text"] for row in found] == ["Tienda Lugo"]
    assert staff("sync.view_retryitem").get(reverse("admin:autocomplete"), question).status_code == 403
