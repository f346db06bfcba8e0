"""The frame around the pages: login, first page, sidebar, language, people, and what a page may load."""

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import Group, User
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone

INDEX = reverse("admin:index")


def test_signing_in_leads_to_the_first_page(client, db):
    User.objects.create_superuser("ana", password="a long password")
    html = client.get(reverse("admin:login")).content.decode()
    assert "Odoo Poller" in html
    response = client.post(
        reverse("admin:login"), {"username": "ana", "password": "a long password"}, follow=True
    )
    assert response.redirect_chain[-1][0] == INDEX
    assert "Overview" in response.content.decode()


def test_pages_load_nothing_from_elsewhere(client):
    policy = client.get(reverse("admin:login")).headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "script-src 'self' 'unsafe-eval'" in policy
    assert "http" not in policy


def test_the_first_page_shows_what_one_may_see(staff, fill):
    fill(1, text="Filled")
    html = staff().get(INDEX).content.decode()
    assert "nothing is shown to you yet" in html and "Filled" not in html
    response = staff("sync.view_sentorder").get(INDEX)
    titles = [card["title"] for card in response.context["cards"]]
    assert titles == ["From Odoo to the receiver", "Delivered"]
    assert "health" not in response.context and response.context["problems"] == []


def test_the_sidebar_leads_only_where_one_may_go(staff, fill):
    fill(1)
    html = staff("sync.view_retryitem").get(INDEX).content.decode()
    assert reverse("admin:sync_retryitem_changelist") in html
    for other in ("sync_sentorder", "auth_user", "django_q_failure"):
        assert reverse(f"admin:{other}_changelist") not in html


@pytest.mark.parametrize(
    ("label", "debug", "shown"), [("Staging", False, "Staging"), ("", True, "Development")]
)
def test_a_label_tells_which_installation_this_is(label, debug, shown, admin_client):
    with override_settings(ENVIRONMENT=label, DEBUG=debug):
        assert shown in admin_client.get(INDEX).content.decode()


def test_the_language_can_be_switched(admin_client):
    assert "Español" in admin_client.get(INDEX).content.decode().replace("español", "Español")
    admin_client.post(reverse("set_language"), {"language": "es", "next": INDEX})
    assert '<html lang="es"' in admin_client.get(INDEX).content.decode()


def test_nobody_becomes_a_superuser_by_editing(staff, admin_user):
    client = staff(
        "auth.view_user", "auth.change_user", "auth.delete_user", "auth.change_group", "auth.add_group"
    )
    me = User.objects.get(username="staff-1")
    mine = {"username": "staff-1", "is_superuser": "on", "is_staff": "on", "is_active": "on"}
    mine |= {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    client.post(reverse("admin:auth_user_change", args=[me.pk]), mine)
    assert not User.objects.get(pk=me.pk).is_superuser
    for page in ("change", "delete"):
        assert (
            client.post(reverse(f"admin:auth_user_{page}", args=[admin_user.pk]), {"post": "yes"}).status_code
            == 403
        )
    password = reverse("admin:auth_user_password_change", args=[admin_user.pk])
    taken = {"password1": "another long one", "password2": "another long one"}
    assert client.post(password, taken).status_code == 403
    assert client.post(reverse("admin:auth_group_add"), {"name": "gods"}).status_code == 403
    assert not Group.objects.filter(name="gods").exists()


def test_a_superuser_makes_users_and_groups(admin_client):
    new = {
        "username": "eva",
        "password1": "a long password",
        "password2": "a long password",
        "usable_password": "true",
    }
    admin_client.post(reverse("admin:auth_user_add"), new)
    admin_client.post(reverse("admin:auth_group_add"), {"name": "support"})
    assert User.objects.filter(username="eva").exists() and Group.objects.filter(name="support").exists()


def test_a_locked_login_is_unlocked_by_deleting_its_row(staff, db):
    login = {"username": "ana", "ip_address": "10.0.0.1", "user_agent": "x", "attempt_time": timezone.now()}
    row = AccessAttempt.objects.create(failures_since_start=10, **login)
    address = reverse("admin:axes_accessattempt_delete", args=[row.pk])
    assert staff("axes.view_accessattempt").post(address, {"post": "yes"}).status_code == 403
    staff("axes.view_accessattempt", "axes.delete_accessattempt").post(address, {"post": "yes"})
    assert not AccessAttempt.objects.exists()
