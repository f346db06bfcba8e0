"""The three groups that a new database has, and that people may change."""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.urls import reverse

migration = import_module("sync.migrations.0002_groups")


@pytest.fixture
def groups(db):
    migration.make_groups(apps, SimpleNamespace(connection=connection))
    return {group.name: group for group in Group.objects.all()}


def rights(group):
    rows = group.permissions.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in rows}


def test_each_group_may_more_than_the_one_before(groups):
    viewer, support, administrator = (rights(groups[name]) for name in migration.GROUPS)
    assert viewer < support < administrator
    assert all(right.split(".")[1].startswith("view_") for right in viewer)
    assert "sync.view_payload" not in viewer and "sync.view_payload" in support


def test_what_somebody_changed_stays(groups):
    groups["Viewer"].permissions.clear()
    migration.make_groups(apps, SimpleNamespace(connection=connection))
    assert rights(groups["Viewer"]) == set()


@pytest.mark.parametrize("name", migration.GROUPS)
def test_everybody_opens_the_first_page_and_changes_the_own_password(name, groups, shop_page):
    user = User.objects.create_user("ana", password="a long password", is_staff=True)
    user.groups.add(groups[name])
    client = Client()
    client.force_login(user)
    assert "nothing is shown to you" not in client.get(reverse("admin:index")).content.decode()
    new = {"old_password": "a long password", "new_password1": "another long one"}
    changed = client.post(
        reverse("admin:password_change"), new | {"new_password2": "another long one"}, follow=True
    )
    assert changed.status_code == 200
    user.refresh_from_db()
    assert user.check_password("another long one")
    answers = client.get(shop_page)
    assert answers.status_code == 200
    assert ('name="_save"' in answers.content.decode()) == (name == "Administrator")


@pytest.fixture
def shop_page(connection_row):
    return reverse("admin:connections_connection_change", args=[connection_row.pk])


@pytest.fixture
def connection_row(make_connection):
    return make_connection()
