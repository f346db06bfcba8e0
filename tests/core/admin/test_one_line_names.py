"""What is typed in one line in the admin is one line: whatever the page, whatever the field."""

import pytest
from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db import models
from django.test import RequestFactory
from django.urls import reverse

from connections.models import Connection
from connections.plain_text import require_plain

HIDDEN = ["a\nSubject: b", "a\u202eb", "a\x1bb", "a\u2028b"]
WRITTEN = ("connections.Connection", "core.AlertChannel", "auth.User", "auth.Group")


@pytest.mark.parametrize("label", WRITTEN)
def test_every_line_of_every_form_is_checked(label, admin_user):
    request = RequestFactory().get("/")
    request.user = admin_user
    model = apps.get_model(label)
    fields = admin.site._registry[model].get_form(request)().fields
    stored = {each.name: each for each in model._meta.fields if isinstance(each, models.CharField)}
    lines = [n for n in stored if isinstance(fields.get(n), forms.CharField)]
    assert {"name", "username"} & set(lines)
    assert [name for name in lines if fields[name].validators.count(require_plain) != 1] == []


def test_these_are_all_pages_that_write(admin_user):
    request = RequestFactory().get("/")
    request.user = admin_user
    writing = [m for m, page in admin.site._registry.items() if page.has_change_permission(request)]
    assert {model._meta.label for model in writing} == set(WRITTEN)


@pytest.mark.parametrize("name", HIDDEN)
def test_a_group_and_a_user_of_a_hidden_name_are_refused(admin_client, name):
    answer = admin_client.post(reverse("admin:auth_group_add"), {"name": name})
    assert "There is a line break" in answer.content.decode()
    assert not Group.objects.filter(name=name).exists()
    user = User.objects.create_user("ana")
    values = {"username": "ana", "first_name": name, "last_name": name, "date_joined_0": "2026-11-20"}
    answer = admin_client.post(
        reverse("admin:auth_user_change", args=[user.pk]), values | {"date_joined_1": "12:00"}
    )
    assert answer.content.decode().count("There is a line break") == 2
    assert not User.objects.filter(first_name=name).exists()


@pytest.mark.parametrize("name", HIDDEN)
@pytest.mark.parametrize("field", ["name", "database", "username"])
def test_a_connection_of_a_hidden_name_is_refused_once_and_may_be_repaired(admin_client, shop, name, field):
    connection = shop()
    Connection.objects.filter(pk=connection.pk).update(**{field: name})
    address = reverse("admin:connections_connection_change", args=[connection.pk])
    page = admin_client.get(address)
    values = {k: v for k, v in page.context["adminform"].form.initial.items() if v is not None}
    answer = admin_client.post(address, values)
    assert answer.content.decode().count("There is a line break") == 1
    assert admin_client.post(address, values | {field: "repaired"}).status_code == 302
    assert getattr(Connection.objects.get(), field) == "repaired"
